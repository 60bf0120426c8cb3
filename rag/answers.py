"""Answer: what one question came to, and its JSON (written and read here, nowhere else)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from index.errors import QuestionSetError
from index.passages import Passage
from index.sentences import Span
from rag.citations import Citation
from rag.coverage import Coverage, Difference, DifferingValue
from rag.retrieval import ScoredPassage
from rag.support import SentenceSupport

Mode = Literal["llm", "extractive"]
TIMINGS = ("condense", "retrieve", "first_token", "total")
USAGE = ("prompt_tokens", "completion_tokens")


@dataclass(frozen=True, slots=True)
class Cost:
    """What an answer cost, and its conversation up to and with it, in the currency of the prices that are set."""

    answer: float
    conversation: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What one question came to.

    Attributes:
        question: as it was asked.
        standalone_question: as it was searched for.
        text: the answer; markers `[1]`, `[2]` stand at the end of the sentence they belong to.
        refused: the articles do not answer it; then there are no citations.
        mode: `llm` when a language model wrote it, `extractive` when Byline quoted.
        model: `provider/model`, or `none`.
        citations: one for each marker of each sentence, in the order of the text.
        sentences: every sentence of the text with its verdict.
        coverage: who else reports it and who differs.
        passages: what was retrieved, best first; marker n is rank n.
        unresolved_markers: numbers the model wrote that name no source, in order, with repeats.
        timings_ms: `condense`, `retrieve`, `first_token` and `total`, in milliseconds.
        usage: `prompt_tokens` and `completion_tokens` of every call that it took; zero without a model.
        conversation_usage: the same of the conversation up to and with this answer, as far as its turns tell.
        cost: what the tokens cost; None where no prices are set.
        confidence: how likely it is, from 0 to 1, that the articles answer, where Byline weighed it itself; else None.
        notice: what the reader must know of how the answer came to be (the model failed, the stream broke), or "".
        highlights: characters of the text that answer, in a text of quotations; shown in bold, not in the JSON.
    """

    question: str
    standalone_question: str
    text: str
    refused: bool
    mode: Mode
    model: str
    citations: tuple[Citation, ...] = ()
    sentences: tuple[SentenceSupport, ...] = ()
    coverage: Coverage = field(default_factory=lambda: Coverage(0, (), ()))
    passages: tuple[ScoredPassage, ...] = ()
    unresolved_markers: tuple[int, ...] = ()
    timings_ms: dict[str, int] = field(default_factory=dict)
    usage: dict[str, int] = field(default_factory=dict)
    conversation_usage: dict[str, int] = field(default_factory=dict)
    cost: Cost | None = None
    confidence: float | None = None
    notice: str = ""
    highlights: tuple[Span, ...] = ()


def to_json(answer: Answer, *, id: str = "") -> dict[str, Any]:  # noqa: A002 - the key's name
    """Make the JSON object that command line, HTTP and evaluation share.

    Args:
        answer: the answer.
        id: the question's id in a set; an answer to a lone question has an empty one.
    """
    return {
        "id": id,
        "question": answer.question,
        "standalone_question": answer.standalone_question,
        "text": answer.text,
        "refused": answer.refused,
        "mode": answer.mode,
        "model": answer.model,
        "citations": [citation_json(citation) for citation in answer.citations],
        "coverage": {
            "origins": answer.coverage.origins,
            "also_reported_by": list(answer.coverage.also_reported_by),
            "differences": [
                {"subject": difference.subject, "values": [asdict(value) for value in difference.values]}
                for difference in answer.coverage.differences
            ],
        },
        "passages": [_passage_json(found) for found in answer.passages],
        "unresolved_markers": list(answer.unresolved_markers),
        "timings_ms": {name: answer.timings_ms.get(name, 0) for name in TIMINGS},
        "usage": {name: answer.usage.get(name, 0) for name in USAGE},
        "conversation_usage": {name: answer.conversation_usage.get(name, 0) for name in USAGE},
        "cost": asdict(answer.cost) if answer.cost else None,
        "notice": answer.notice,
    }


def citation_json(citation: Citation) -> dict[str, Any]:
    """A citation as it stands in an answer's JSON."""
    passage = citation.passage
    return {
        "marker": citation.marker,
        "article_id": passage.article_id,
        "title": passage.title,
        "source": passage.source,
        "published": passage.published,
        "url": passage.url,
        "passage_id": passage.id,
        "start": citation.start,
        "end": citation.end,
        "quote": citation.quote,
        "answer_start": citation.answer_start,
        "answer_end": citation.answer_end,
        "support": citation.support,
    }


def _passage_json(found: ScoredPassage) -> dict[str, Any]:
    return {
        "passage_id": found.passage.id,
        "article_id": found.passage.article_id,
        "start": found.passage.start,
        "end": found.passage.end,
        "score": round(found.score, 6),
        "rank": found.rank,
    }


def from_json(data: Mapping[str, Any]) -> Answer:
    """Read an answer back.

    The JSON holds no text but the quotes, so a cited passage is cut down to its quoted words and one that was only
    retrieved has its place and no text. Verdicts on single sentences, the confidence, the highlights and the words of
    articles that report the same are not in it either. What Byline once did not write (conversation, cost, notice)
    may be missing.

    Raises:
        QuestionSetError: it is no answer; the message names what is missing or wrong.
    """
    try:
        coverage = data["coverage"]
        return Answer(
            question=str(data["question"]),
            standalone_question=str(data["standalone_question"]),
            text=str(data["text"]),
            refused=bool(data["refused"]),
            mode=_one_of(data["mode"], ("llm", "extractive")),
            model=str(data["model"]),
            citations=tuple(_read_citation(entry) for entry in data["citations"]),
            coverage=Coverage(
                origins=int(coverage["origins"]),
                also_reported_by=tuple(map(str, coverage["also_reported_by"])),
                differences=tuple(_read_difference(entry) for entry in coverage["differences"]),
            ),
            passages=tuple(_read_passage(entry) for entry in data["passages"]),
            unresolved_markers=tuple(map(int, data["unresolved_markers"])),
            timings_ms={name: int(data["timings_ms"][name]) for name in TIMINGS},
            usage={name: int(data["usage"][name]) for name in USAGE},
            conversation_usage={name: int(data.get("conversation_usage", {}).get(name, 0)) for name in USAGE},
            cost=_read_cost(data.get("cost")),
            notice=str(data.get("notice", "")),
        )
    except KeyError as exc:
        raise QuestionSetError(f"Not an answer of Byline: the key {exc.args[0]!r} is missing.") from exc
    except (TypeError, ValueError) as exc:
        raise QuestionSetError(f"Not an answer of Byline: {exc}.") from exc


def _one_of(value: object, allowed: tuple[str, ...]) -> Any:
    if value not in allowed:
        raise ValueError(f"{value!r} is none of {', '.join(allowed)}")
    return value


def _read_cost(entry: Mapping[str, Any] | None) -> Cost | None:
    return None if entry is None else Cost(float(entry["answer"]), float(entry["conversation"]))


def _read_citation(entry: Mapping[str, Any]) -> Citation:
    start, end, quote = int(entry["start"]), int(entry["end"]), str(entry["quote"])
    return Citation(
        marker=int(entry["marker"]),
        passage=Passage(
            id=str(entry["passage_id"]),
            article_id=str(entry["article_id"]),
            start=start,
            end=end,
            text=quote,
            title=str(entry["title"]),
            source=entry["source"],
            url=entry["url"],
            published=entry["published"],
        ),
        start=start,
        end=end,
        quote=quote,
        answer_start=int(entry["answer_start"]),
        answer_end=int(entry["answer_end"]),
        support=_one_of(entry["support"], ("supported", "partial", "unsupported")),
    )


def _read_difference(entry: Mapping[str, Any]) -> Difference:
    values = tuple(DifferingValue(**value) for value in entry["values"])
    return Difference(subject=str(entry["subject"]), values=values)


def _read_passage(entry: Mapping[str, Any]) -> ScoredPassage:
    passage = Passage(
        id=str(entry["passage_id"]),
        article_id=str(entry["article_id"]),
        start=int(entry["start"]),
        end=int(entry["end"]),
        text="",
        title="",
        source=None,
        url=None,
        published=None,
    )
    return ScoredPassage(passage=passage, score=float(entry["score"]), rank=int(entry["rank"]))
