"""Matrix: one question set run with several settings, from one file.

    questions = "eval/questions.jsonl"   # optional, and relative to the file; so is articles
    articles = "seeds"
    [settings]                           # for every run; names of Settings fields
    top_k = 8
    [runs.quoting]                       # one table a run
    llm = "none"
    [runs.local]
    llm = "openai-like/qwen2.5-7b"
    llm_base_url = "http://localhost:8080/v1"

The first run is the one that the others are compared with. Secrets stay in the environment.
"""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from eval.runner import ARTICLES, QUESTIONS, Plan
from index.errors import SettingsError
from index.settings import Settings

_SECRET = ("llm_api_key", "embedding_api_key", "openai_api_key")
_KEYS = {"questions", "articles", "settings", "runs"}


def read_matrix(path: Path, settings: Settings, folder: Path, *, limit: int | None = None) -> dict[str, Plan]:
    """Read a matrix.

    Args:
        path: the TOML file.
        settings: what the file does not say.
        folder: where the runs' folders go, each by its name.
        limit: only the first so many questions.

    Returns:
        The runs to make, by name, in the file's order.

    Raises:
        SettingsError: the file cannot be read, or a name or value in it cannot be used.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise SettingsError(f"Cannot read the matrix {path}: {exc}.") from exc
    unknown = sorted(set(data) - _KEYS)
    if unknown:
        raise SettingsError(f"{path}: unknown {', '.join(unknown)}; known are {', '.join(sorted(_KEYS))}.")
    runs = data.get("runs")
    if not isinstance(runs, dict) or not runs or not all(isinstance(run, dict) for run in runs.values()):
        raise SettingsError(f"{path}: name at least one run, as a table [runs.NAME].")
    shared = data.get("settings", {})
    here = path.parent
    plans = {}
    for name, own in runs.items():
        if not name.replace("-", "").replace("_", "").replace(".", "").isalnum() or name.startswith("."):
            raise SettingsError(f"{path}: the run name {name!r} becomes a folder; use letters, digits, - and _.")
        plans[name] = Plan(
            settings=_changed(settings, {**shared, **own}, where=f"{path}, [runs.{name}]"),
            questions_file=here / data["questions"] if "questions" in data else QUESTIONS,
            articles=here / data["articles"] if "articles" in data else ARTICLES,
            folder=folder / name,
            limit=limit,
        )
    return plans


def _changed(settings: Settings, changes: dict[str, Any], *, where: str) -> Settings:
    """The settings with some changed, checked as if they came from the environment."""
    fields = type(settings).model_fields
    for name in changes:
        if name in _SECRET:
            raise SettingsError(f"{where}: {name} is a secret; set it in the environment, not in a file.")
        if name not in fields:
            raise SettingsError(f"{where}: there is no setting {name!r}; known are {', '.join(fields)}.")
    values = {name: getattr(settings, name) for name in fields} | changes
    try:
        return Settings.model_validate({_alias(name, fields): value for name, value in values.items()})
    except ValidationError as exc:
        wrong = "; ".join(f"{error['loc'][0]}: {error['msg']}" for error in exc.errors(include_input=False))
        raise SettingsError(f"{where}: {wrong}") from exc


def _alias(name: str, fields: Any) -> str:
    """The name under which pydantic takes a field."""
    return str(fields[name].validation_alias or name)
