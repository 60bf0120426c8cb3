"""What programs get, described for the OpenAPI page; the JSON itself is written where its data is.

A test holds these shapes to what is really sent.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Reply(BaseModel):
    """A part of a reply; it has these keys and no others."""

    model_config = ConfigDict(extra="forbid")


class ErrorReply(Reply):
    """What failed and what to do."""

    error: str


class CitationReply(Reply):
    """One marker of one sentence, and the words it rests on; places are in characters, ends exclusive."""

    marker: int
    article_id: str
    title: str
    source: str | None = Field(description="the outlet")
    published: str | None = Field(description="an ISO date")
    url: str | None
    passage_id: str
    start: int = Field(description="place of the quoted words in the article's text")
    end: int
    quote: str
    answer_start: int = Field(description="place in the answer's text of the sentence that carries the marker")
    answer_end: int
    support: Literal["supported", "partial", "unsupported"] = Field(description="whether the quote carries it")


class DifferingValueReply(Reply):
    """What one article says of something that articles tell differently."""

    value: str
    article_id: str
    title: str
    source: str | None
    passage_id: str
    start: int
    end: int
    quote: str


class DifferenceReply(Reply):
    """Something that articles tell differently."""

    subject: str
    values: list[DifferingValueReply]


class CoverageReply(Reply):
    """Who reports it: copies of a report count once."""

    origins: int
    also_reported_by: list[str] = Field(description="ids of articles that report it and are not cited")
    differences: list[DifferenceReply]


class RetrievedReply(Reply):
    """Where a passage that was found lies; larger scores are better, ranks start at 1."""

    passage_id: str
    article_id: str
    start: int
    end: int
    score: float
    rank: int


class CostReply(Reply):
    """In the currency of the prices that are set."""

    answer: float
    conversation: float


class AnswerReply(Reply):
    """An answer; marker `[n]` in its text is passage n of `passages`."""

    id: str
    question: str
    standalone_question: str = Field(description="as it was searched for")
    text: str
    refused: bool = Field(description="the articles do not answer it")
    mode: Literal["llm", "extractive"]
    model: str
    citations: list[CitationReply]
    coverage: CoverageReply
    passages: list[RetrievedReply]
    unresolved_markers: list[int] = Field(description="numbers a model wrote that name no source")
    timings_ms: dict[str, int]
    usage: dict[str, int] = Field(description="tokens, follow-ups and failed calls included")
    conversation_usage: dict[str, int] = Field(description="tokens of the conversation up to and with this answer")
    cost: CostReply | None = Field(description="where prices are set")
    notice: str = Field(description="what must be known of how it came to be, or empty")


class PassageReply(Reply):
    """A passage: its place in its article and its words."""

    passage_id: str
    article_id: str
    start: int
    end: int
    text: str


class FoundReply(PassageReply):
    """A passage and where it was published."""

    title: str
    source: str | None
    url: str | None
    published: str | None


_REPLACED = "since when the article says something else, an ISO time; null where what was cited stands"


class CitedReply(FoundReply):
    """A passage as it was when it was cited."""

    replaced: str | None = Field(description=_REPLACED)


class PassagesReply(Reply):
    """Passages, in the order asked for."""

    passages: list[CitedReply]


class ScoredReply(FoundReply):
    """A passage that a search found."""

    score: float
    rank: int


class SearchReply(Reply):
    """Passages, best first."""

    passages: list[ScoredReply]
    notice: str = Field(description="what must be known of the filter, or empty")


class ArticleReply(Reply):
    """An article, whole."""

    article_id: str
    title: str
    source: str | None
    url: str | None
    published: str | None
    text: str


class PassageInArticleReply(PassageReply):
    """A passage in its article, as both were when it was cited."""

    article: ArticleReply
    replaced: str | None = Field(description=_REPLACED)


class ListedReply(Reply):
    """An article as it is listed."""

    article_id: str
    title: str
    source: str | None
    url: str | None
    published: str | None
    passages: int = Field(description="how many it is cut into")
    copy_of: str | None = Field(description="the id of the article that it is a near copy of")


class ArticlesReply(Reply):
    """A part of the list; `total` counts all that pass."""

    articles: list[ListedReply]
    total: int


class RatedReply(Reply):
    """What was kept."""

    verdict: str
    time: str


class SearchingEvent(Reply):
    """Data of the event `searching`."""

    standalone_question: str


class PassagesEvent(Reply):
    """Data of the event `passages`."""

    passages: list[ScoredReply]


class TextEvent(Reply):
    """Data of the event `text`, which comes again and again."""

    text: str = Field(description="the whole text up to now")
    citations: list[CitationReply]


EVENTS: dict[str, type[Reply]] = {
    "searching": SearchingEvent,
    "passages": PassagesEvent,
    "text": TextEvent,
    "answer": AnswerReply,
    "error": ErrorReply,
}
"""What a stream sends, by the name of the event."""


def _event_schema(name: str, data: type[Reply]) -> dict[str, Any]:
    content = {"$ref": f"#/components/schemas/{data.__name__}"}
    told = {"type": "string", "contentMediaType": "application/json", "contentSchema": content}
    return {"type": "object", "properties": {"event": {"const": name}, "data": told}, "required": ["event", "data"]}


EVENTS_SCHEMA: dict[str, Any] = {
    "type": "string",
    "description": "Server-sent events; the last is `answer` or `error`.",
    "contentMediaType": "text/event-stream",
    "contentSchema": {"type": "array", "items": {"oneOf": [_event_schema(*one) for one in EVENTS.items()]}},
}
"""A stream of them, as OpenAPI writes it."""


def documented(model: type[Reply], *, status: int = 200) -> dict[str, Any]:
    """The arguments of a route that sends `model`, which is only described, since the JSON is made elsewhere."""
    return {"response_model": None, "status_code": status, "responses": {status: {"model": model}}}
