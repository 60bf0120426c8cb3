"""What programs send: the bodies of requests and how long each part may be."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool

from rag.conversation import Turn
from rag.feedback import MAX_COMMENT_CHARACTERS, Verdict
from rag.filters import Filter, is_day

MAX_QUESTION_CHARACTERS: Final = 2000
MAX_TURN_CHARACTERS: Final = 20_000
MAX_TURNS: Final = 40
MAX_NAMES: Final = 1_000
"""Most outlets or articles that a question may be held to."""

Name = Annotated[str, Field(max_length=1_000)]


def _day(text: str) -> str:
    if not is_day(text):
        raise ValueError(f"{text!r} is not a day; write it as 2025-12-15")
    return text


_ISO_DATE: Final = {"format": "date", "pattern": r"^\d{4}-\d\d-\d\d$"}
Day = Annotated[str, AfterValidator(_day), Field(json_schema_extra=_ISO_DATE)]
"""A day that there is, as an ISO date."""


class AskedTurn(BaseModel):
    """One earlier message of the conversation."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["user", "assistant"]
    content: str = Field(max_length=MAX_TURN_CHARACTERS)
    usage: dict[str, Annotated[int, Field(ge=0, le=10**12)]] = Field(default={}, max_length=10)


class AskedFilter(BaseModel):
    """Which articles to search: see `rag.filters.Filter`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    outlets: tuple[Name, ...] = Field(default=(), max_length=MAX_NAMES)
    articles: tuple[Name, ...] = Field(default=(), max_length=MAX_NAMES)
    since: Day | None = None
    until: Day | None = None


class Ask(BaseModel):
    """The body of a question."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(max_length=MAX_QUESTION_CHARACTERS, pattern=r"\S")
    history: list[AskedTurn] = Field(default=[], max_length=MAX_TURNS)
    among: AskedFilter = AskedFilter()
    stream: StrictBool = False

    def turns(self) -> list[Turn]:
        """The turns before the question."""
        return [Turn(turn.role, turn.content, turn.usage) for turn in self.history]

    def filter(self) -> Filter | None:
        """Which articles to search; None for all.

        Raises:
            UserError: the first day is after the last.
        """
        return Filter(**self.among.model_dump()) or None


class Rating(BaseModel):
    """The body of what a reader says of an answer."""

    model_config = ConfigDict(extra="forbid")

    answer_id: str = Field(max_length=64)
    verdict: Verdict
    comment: str = Field(default="", max_length=MAX_COMMENT_CHARACTERS)
