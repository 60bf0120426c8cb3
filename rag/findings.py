"""Findings: what `python -m rag doctor` found out about a language model, kept so that answers are made accordingly."""

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from index.errors import StoreError
from index.model_errors import place_of
from index.settings import Settings
from rag.model_server import find_server

log = logging.getLogger(__name__)

Citing = Literal["markers", "matching", "quoting"]
"""Who cites: the model by markers, Byline by comparing each sentence with the passages, or nobody, since it quotes."""

_MODES: tuple[Citing, ...] = get_args(Citing)
_FILE = "doctor.json"


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found about one model on one server.

    Attributes:
        verdict: in words, as the doctor gave it.
        citing: how its answers get their citations.
        context_tokens: the context window it really has, where that was found out.
        checked: when, as an ISO date and time.
    """

    verdict: str
    citing: Citing
    context_tokens: int | None
    checked: str


def keep_findings(settings: Settings, findings: Findings) -> None:
    """Keep what was found about the model that the settings name, in place of what was known of it.

    Raises:
        StoreError: the file cannot be written.
    """
    path = settings.home / _FILE
    known = _read(path)
    known[_key(settings)] = asdict(findings)
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as exc:
        raise StoreError(f"{path} cannot be written: {exc.strerror or exc}.") from exc


def recall_findings(settings: Settings) -> Findings | None:
    """What is known of the model that the settings name, or None."""
    entry = _read(settings.home / _FILE).get(_key(settings))
    if not isinstance(entry, dict):
        return None
    window = entry.get("context_tokens")
    citing = entry.get("citing")
    known = next((mode for mode in _MODES if mode == citing), None)
    if known is None or not (window is None or isinstance(window, int)):
        return None
    return Findings(str(entry.get("verdict", "")), known, window, str(entry.get("checked", "")))


def go_by_findings(settings: Settings) -> Settings:
    """The settings with what is known of their model: a smaller window, and who cites where that is left open."""
    found = recall_findings(settings)
    citing = settings.llm_citing
    window = settings.llm_context_tokens
    if found is not None:
        citing = found.citing if citing == "auto" else citing
        window = min(window, found.context_tokens or window)
    return settings.model_copy(update={"llm_citing": citing, "llm_context_tokens": window})


def _key(settings: Settings) -> str:
    """The model and its address: the same name on another server may be another model."""
    server = find_server(settings)
    return f"{settings.llm_name}{place_of(server.url if server else None)}"


def _read(path: Path) -> dict[str, Any]:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as exc:
        log.warning("%s cannot be read (%s); `python -m rag doctor` makes it anew.", path, exc)
        return {}
    return known if isinstance(known, dict) else {}
