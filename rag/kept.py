"""Kept conversations: how the browser keeps a person's own, written and read here, and how they come back.

An answer is kept as its JSON (`rag/answers.py`) with what that leaves out and the page shows: the verdicts on single
sentences and the words of articles that report the same. What the browser sends is untrusted: it is checked
and drawn anew from its parts, never taken as markup.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field, ValidationError

from index.errors import QuestionSetError, UserError
from rag.answers import Answer, from_json, to_json
from rag.coverage import DifferingValue, Report
from rag.support import SentenceSupport

MAX_KEPT_TURNS: Final = 20
MAX_KEPT_CHARACTERS: Final = 800_000
_MAX_TEXT_CHARACTERS: Final = 20_000
_MAX_PARTS: Final = 200
_PASSAGE_ID: Final = re.compile(r"[0-9a-f]{32}")


class KeptTurn(BaseModel):
    """A question and what came of it: an answer, or the text that was there when it was stopped or failed."""

    question: Annotated[str, Field(min_length=1, max_length=2000)]
    answer: dict[str, Any] | None = None
    answer_id: Annotated[str, Field(pattern=r"^[\w-]{0,64}$")] = ""
    text: Annotated[str, Field(max_length=_MAX_TEXT_CHARACTERS)] = ""


class KeptConversation(BaseModel):
    """A conversation as the browser keeps it."""

    title: Annotated[str, Field(max_length=200)] = ""
    turns: Annotated[list[KeptTurn], Field(max_length=MAX_KEPT_TURNS)]


def read_conversation(text: str) -> KeptConversation:
    """A conversation as the browser sends it.

    Raises:
        UserError: it is none, or too long.
    """
    if len(text) > MAX_KEPT_CHARACTERS:
        raise UserError("This conversation is too long to be opened again.")
    try:
        return KeptConversation.model_validate_json(text)
    except ValidationError as exc:
        raise UserError("This conversation cannot be read; it was kept by another version or changed since.") from exc


def to_kept(answer: Answer) -> dict[str, Any]:
    """An answer as the browser keeps it."""
    return to_json(answer) | {
        "sentences": [asdict(sentence) for sentence in answer.sentences],
        "reports": [asdict(report) for report in answer.coverage.reports],
    }


def from_kept(data: Mapping[str, Any]) -> Answer:
    """An answer as the browser sends it, its parts checked.

    Raises:
        QuestionSetError: it is none.
    """
    if len(json.dumps(data)) > MAX_KEPT_CHARACTERS:
        raise QuestionSetError("Not an answer of Byline: it is too long.")
    answer = from_json(data)
    try:
        sentences = tuple(
            SentenceSupport(**{**entry, "markers": tuple(map(int, entry["markers"]))})
            for entry in data.get("sentences", [])
        )
        reports = tuple(Report(**entry) for entry in data.get("reports", []))
    except (KeyError, TypeError, ValueError) as exc:
        raise QuestionSetError(f"Not an answer of Byline: {exc}.") from exc
    answer = replace(
        answer,
        sentences=sentences,
        coverage=replace(answer.coverage, reports=reports),
    )
    if wrong := next(_faults(answer), ""):
        raise QuestionSetError(f"Not an answer of Byline: {wrong}.")
    return answer


def _faults(answer: Answer) -> Iterator[str]:
    """What no answer of Byline has: ids that are none, places outside of the text, things that are not text."""
    values = [value for difference in answer.coverage.differences for value in difference.values]
    words: list[DifferingValue | Report] = [*values, *answer.coverage.reports]
    parts = (answer.citations, answer.sentences, answer.passages, words)
    if len(answer.text) > _MAX_TEXT_CHARACTERS or any(len(part) > _MAX_PARTS for part in parts):
        yield "it is too long"
    passages = [one.passage for one in answer.citations] + [one.passage for one in answer.passages]
    ids = [passage.id for passage in passages] + [one.passage_id for one in words if one.passage_id]
    if not all(isinstance(one, str) and _PASSAGE_ID.fullmatch(one) for one in ids):
        yield "a passage has another id"
    texts: list[object] = [text for one in passages for text in (one.source, one.url, one.published)]
    texts += [text for one in words for text in (one.article_id, one.title, one.quote, one.source)]
    texts += [value.value for value in values] + [sentence.reason for sentence in answer.sentences]
    if not all(text is None or isinstance(text, str) for text in texts):
        yield "a text is none"
    places: list[object] = [place for one in words for place in (one.start, one.end)]
    places += [place for sentence in answer.sentences for place in (sentence.start, sentence.end)]
    if not all(isinstance(place, int) and 0 <= place < 10**9 for place in places):
        yield "a place is none"
    if not all(sentence.support in {"supported", "partial", "unsupported"} for sentence in answer.sentences):
        yield "a verdict is none"
