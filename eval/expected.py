"""What is known of a set of articles: copies, corrections, differences, and what only looks like a difference.

Read from `expected.json`, whose fields are those of the types below; see `eval/conflicts/README.md`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.dataset import Evidence
from index.errors import QuestionSetError


@dataclass(frozen=True, slots=True)
class CopyGroup:
    """Articles that go back to one report: `copies` are (article id, `exact`, `near` or `rewrite`)."""

    origin: str
    copies: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class KnownValue:
    """One value of a subject and places that give it; `article` of a place is an id, `quote` an exact piece of it."""

    value: str
    places: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class KnownDifference:
    """One subject of which articles give different values; `kind` is number, date, name or attribution."""

    id: str
    kind: str
    subject: str
    values: tuple[KnownValue, ...]


@dataclass(frozen=True, slots=True)
class LookAlike:
    """Values that look like a difference and are none, and why."""

    id: str
    why: str
    values: tuple[KnownValue, ...]


@dataclass(frozen=True, slots=True)
class Expected:
    """All that is known of a set of articles; `corrections` are (article id, id of what it corrects)."""

    copies: tuple[CopyGroup, ...]
    corrections: tuple[tuple[str, str], ...]
    differences: tuple[KnownDifference, ...]
    not_differences: tuple[LookAlike, ...]

    def origin(self, article_id: str) -> str:
        """The id of the report that an article goes back to: its own, unless it is a copy."""
        for group in self.copies:
            if any(copy == article_id for copy, _ in group.copies):
                return group.origin
        return article_id


def read_expected(path: Path) -> Expected:
    """Read an `expected.json`.

    Raises:
        QuestionSetError: the file cannot be read or lacks a field.
    """
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
        return Expected(
            copies=tuple(
                CopyGroup(group["origin"], tuple((copy["article"], copy["kind"]) for copy in group["copies"]))
                for group in data["copies"]
            ),
            corrections=tuple((item["article"], item["corrects"]) for item in data["corrections"]),
            differences=tuple(
                KnownDifference(item["id"], item["kind"], item["subject"], _values(item["values"]))
                for item in data["differences"]
            ),
            not_differences=tuple(
                LookAlike(item["id"], item["why"], _values(item["values"])) for item in data["not_differences"]
            ),
        )
    except OSError as exc:
        raise QuestionSetError(f"Cannot read {path}: {exc.strerror or exc}.") from exc
    except ValueError as exc:
        raise QuestionSetError(f"{path} is not JSON: {exc}.") from exc
    except KeyError as exc:
        raise QuestionSetError(f"{path}: the field {exc} is missing.") from exc
    except TypeError as exc:
        raise QuestionSetError(f"{path} is not made like eval/conflicts/expected.json: {exc}.") from exc


def _values(values: Sequence[Mapping[str, Any]]) -> tuple[KnownValue, ...]:
    return tuple(
        KnownValue(value["value"], tuple(Evidence(place["article"], place["quote"]) for place in value["places"]))
        for value in values
    )
