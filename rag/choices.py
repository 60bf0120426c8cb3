"""Choices: which articles a person wants searched, and which model is to answer, as the page sends them."""

from typing import Annotated, Final

from pydantic import BaseModel, Field, ValidationError

from index.errors import UserError
from rag.filters import Filter
from rag.interface import phrase

_MOST_NAMED: Final = 2

Name = Annotated[str, Field(max_length=1000)]


class Choices(BaseModel):
    """What stands beside the question box; empty: every article, the model of the settings."""

    outlets: Annotated[tuple[Name, ...], Field(max_length=200)] = ()
    since: Annotated[str, Field(max_length=10)] = ""
    until: Annotated[str, Field(max_length=10)] = ""
    model: Annotated[str, Field(max_length=300)] = ""

    @property
    def among(self) -> Filter | None:
        """The filter, or None where every article is searched.

        Raises:
            UserError: a day is none, or the first is after the last.
        """
        return Filter(outlets=self.outlets, since=self.since or None, until=self.until or None) or None


def read_choices(text: str) -> Choices:
    """Choices as the page sends them; nothing is no choice.

    Raises:
        UserError: they cannot be read.
    """
    if not text.strip():
        return Choices()
    try:
        return Choices.model_validate_json(text)
    except ValidationError as exc:
        raise UserError(
            "The choice of articles cannot be read; open it beside the question box and choose again."
        ) from exc


def filter_in_words(among: Filter | None) -> str:
    """A filter as a reader would say it; empty where there is none."""
    if among is None:
        return ""
    named = ", ".join(among.outlets)
    parts = [named if len(among.outlets) <= _MOST_NAMED else phrase("chosen outlets", count=len(among.outlets))]
    parts.append(phrase("from day", day=among.since) if among.since else "")
    parts.append(phrase("until day", day=among.until) if among.until else "")
    return ", ".join(part for part in parts if part)
