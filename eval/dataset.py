"""Question sets: questions with known answers over articles; reading, writing and checking Byline's own format.

One JSON object a line:

    {"id": "talks-length", "category": "single-fact", "question": "How long did they talk on Sunday?", "history": [],
     "answer": "Five hours.", "answerable": true,
     "evidence": [{"article": "002_38252a82f9210cae", "quote": "after five hours of talks on Sunday"}],
     "must_include": [["five hours"]], "must_not_include": [], "must_cite": [["002_38252a82f9210cae"]]}

`history`, `must_not_include` and `must_cite` may be left out. Matching is `eval.matching.mentions`, so "5-hour" passes.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from eval.matching import mentions, normalise
from index.articles import Article
from index.errors import QuestionSetError
from rag.conversation import Turn


@dataclass(frozen=True, slots=True)
class Evidence:
    """Words that carry the answer, or a part of it: `quote` is an exact piece of the article's text."""

    article: str
    quote: str


@dataclass(frozen=True, slots=True)
class Question:
    """One question with what a good answer is.

    Attributes:
        id: its name in the set, used in reports and comparisons.
        category: what it tests, in a word or two with hyphens.
        question: as a reader asks it.
        history: the turns before it, oldest first.
        answer: a reference answer; for a question without an answer, what the articles do not say (may be empty).
        answerable: whether the articles hold the answer; where they do not, a good system refuses.
        evidence: every place in the articles known to carry the answer or a part of it; empty if not answerable.
        must_include: groups of phrases; a right answer mentions one phrase of every group. Where `answerable` is
            false these are for an answer that corrects the question instead of refusing it.
        must_not_include: phrases of which a right answer mentions none.
        must_cite: groups of article ids; a right answer cites one article of every group.
    """

    id: str
    category: str
    question: str
    history: tuple[Turn, ...]
    answer: str
    answerable: bool
    evidence: tuple[Evidence, ...]
    must_include: tuple[tuple[str, ...], ...]
    must_not_include: tuple[str, ...]
    must_cite: tuple[tuple[str, ...], ...]


_REQUIRED = ("id", "category", "question", "answer", "answerable", "evidence", "must_include")
_OPTIONAL = ("history", "must_not_include", "must_cite")


class _LineError(Exception):
    """What is wrong with one line; the caller adds where it is."""


def read_questions(path: Path) -> list[Question]:
    """Read a question set.

    Raises:
        QuestionSetError: the file cannot be read, or the first line that is not a question, as `file:line: what`.
    """
    questions: list[Question] = []
    seen: dict[str, int] = {}
    for number, line in _lines(path):
        try:
            question = _parse(line)
        except _LineError as exc:
            raise QuestionSetError(f"{path}:{number}: {exc}") from exc
        if question.id in seen:
            raise QuestionSetError(f"{path}:{number}: the id {question.id!r} is taken by line {seen[question.id]}")
        seen[question.id] = number
        questions.append(question)
    if not questions:
        raise QuestionSetError(f"{path} holds no questions; write one JSON object a line.")
    return questions


def write_questions(path: Path, questions: Iterable[Question]) -> None:
    """Write a question set that `read_questions` reads back the same."""
    path.write_text("".join(f"{_line(question)}\n" for question in questions), encoding="utf-8")


def _line(question: Question) -> str:
    # A turn of a question set has words alone; what an answer took is a conversation's.
    turns = [{"role": turn.role, "content": turn.content} for turn in question.history]
    return json.dumps(asdict(question) | {"history": turns}, ensure_ascii=False)


def check_questions(path: Path, articles: Iterable[Article]) -> list[str]:
    """Look for mistakes in a question set over `articles`.

    Returns:
        One message a mistake, `file:line: [id:] what`, in the order of the lines; empty for a set without mistakes.

    Raises:
        QuestionSetError: the file itself cannot be read.
    """
    texts = {article.id: article.text for article in articles}
    problems: list[str] = []
    ids: dict[str, int] = {}
    asked: dict[tuple[str, tuple[Turn, ...]], int] = {}
    for number, line in _lines(path):
        try:
            question = _parse(line)
        except _LineError as exc:
            problems.append(f"{path}:{number}: {exc}")
            continue
        found = list(_mistakes(question, texts))
        if question.id in ids:
            found.append(f"the id is taken by line {ids[question.id]}")
        key = (normalise(question.question), question.history)
        if key in asked:
            found.append(f"the same question is on line {asked[key]}")
        problems += [f"{path}:{number}: {question.id}: {what}" for what in found]
        ids.setdefault(question.id, number)
        asked.setdefault(key, number)
    if not ids and not problems:
        problems.append(f"{path}:1: no questions")
    return problems


def _mistakes(question: Question, texts: dict[str, str]) -> Iterator[str]:
    if question.answerable and not question.evidence:
        yield "answerable, but no evidence"
    if question.answerable and not question.answer.strip():
        yield "answerable, but the answer is empty"
    if question.answerable and not question.must_include:
        yield "answerable, but must_include is empty: any answer would pass"
    if not question.answerable and (question.evidence or question.must_cite):
        yield "not answerable, but it has evidence or must_cite"
    for evidence in question.evidence:
        yield from _evidence_mistakes(evidence, texts)
    yield from _citation_mistakes(question, texts)
    yield from _phrase_mistakes(question)
    roles = [turn.role for turn in question.history]
    if any(role != ("user", "assistant")[place % 2] for place, role in enumerate(roles)):
        yield "history must go user, assistant, user, ..."
    elif len(roles) % 2:
        yield "history must end with the assistant's turn; the question is the next user's turn"


def _evidence_mistakes(evidence: Evidence, texts: dict[str, str]) -> Iterator[str]:
    if evidence.article not in texts:
        yield f"evidence from an unknown article {evidence.article!r}"
    elif evidence.quote not in texts[evidence.article]:
        yield f"the quote is not in the text of {evidence.article}: {_short(evidence.quote)}"
    elif texts[evidence.article].count(evidence.quote) > 1:
        yield f"the quote is more than once in {evidence.article}: {_short(evidence.quote)}"
    if "\n" in evidence.quote:
        yield f"the quote spans paragraphs; make it two: {_short(evidence.quote)}"


def _citation_mistakes(question: Question, texts: dict[str, str]) -> Iterator[str]:
    carriers = {evidence.article for evidence in question.evidence}
    for group in question.must_cite:
        if not group:
            yield "must_cite has an empty group"
        for article in group:
            if article not in texts:
                yield f"must_cite names an unknown article {article!r}"
            elif question.answerable and article not in carriers:
                yield f"must_cite names {article}, of which there is no evidence"


def _phrase_mistakes(question: Question) -> Iterator[str]:
    for group in question.must_include:
        if not group:
            yield "must_include has an empty group"
        elif question.answer and not any(mentions(question.answer, phrase) for phrase in group):
            yield f"the answer mentions none of the must_include group {list(group)}"
    for phrase in question.must_not_include:
        if mentions(question.answer, phrase):
            yield f"the answer mentions {phrase!r} of must_not_include"
    for phrase in (*(phrase for group in question.must_include for phrase in group), *question.must_not_include):
        if not normalise(phrase):
            yield f"the phrase {phrase!r} has no words to look for"


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that hold something, numbered from 1."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as exc:
        raise QuestionSetError(f"Cannot read the question set {path}: {exc.strerror or exc}.") from exc
    except UnicodeDecodeError as exc:
        raise QuestionSetError(f"Cannot read the question set {path}: it is not UTF-8 text.") from exc
    # Not splitlines: JSON may hold U+2028 and its like inside a string.
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, line


def _parse(line: str) -> Question:
    try:
        row: object = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as exc:
        where = f" at column {exc.colno}" if isinstance(exc, json.JSONDecodeError) else ""
        raise _LineError(f"not JSON{where}") from exc
    if not isinstance(row, dict):
        raise _LineError("not a JSON object")
    missing = [name for name in _REQUIRED if name not in row]
    unknown = sorted(set(row) - set(_REQUIRED) - set(_OPTIONAL))
    if missing or unknown:
        parts = [f"{kind} {', '.join(names)}" for kind, names in (("missing", missing), ("unknown", unknown)) if names]
        raise _LineError(f"fields: {'; '.join(parts)}")
    if not isinstance(row["answerable"], bool):
        raise _LineError("answerable must be true or false")
    name = _string(row["id"], "id", empty=False)
    return Question(
        id=name,
        category=_string(row["category"], "category", empty=False),
        question=_string(row["question"], "question", empty=False),
        history=tuple(_turn(turn) for turn in _list(row.get("history", []), "history")),
        answer=_string(row["answer"], "answer"),
        answerable=row["answerable"],
        evidence=tuple(_evidence(item) for item in _list(row["evidence"], "evidence")),
        must_include=_groups(row["must_include"], "must_include"),
        must_not_include=_strings(row.get("must_not_include", []), "must_not_include"),
        must_cite=_groups(row.get("must_cite", []), "must_cite"),
    )


def _string(value: object, name: str, *, empty: bool = True) -> str:
    if not isinstance(value, str):
        raise _LineError(f"{name} must be a string, not {_short(value)}")
    if not empty and not value.strip():
        raise _LineError(f"{name} is empty")
    return value


def _list(value: object, name: str) -> Sequence[object]:
    if not isinstance(value, list):
        raise _LineError(f"{name} must be a list, not {_short(value)}")
    return value


def _strings(value: object, name: str) -> tuple[str, ...]:
    return tuple(_string(item, f"what {name} holds") for item in _list(value, name))


def _groups(value: object, name: str) -> tuple[tuple[str, ...], ...]:
    return tuple(_strings(group, f"a group of {name}") for group in _list(value, name))


def _fields(value: object, names: tuple[str, str], what: str) -> tuple[str, str]:
    if not isinstance(value, dict) or set(value) != set(names):
        raise _LineError(f'{what} must be {{"{names[0]}": ..., "{names[1]}": ...}}, not {_short(value)}')
    first, second = (_string(value[name], f"{name} of {what}", empty=False) for name in names)
    return first, second


def _turn(value: object) -> Turn:
    role, content = _fields(value, ("role", "content"), "a turn of history")
    if role == "user":
        return Turn("user", content)
    if role == "assistant":
        return Turn("assistant", content)
    raise _LineError(f"role must be user or assistant, not {_short(role)}")


def _evidence(value: object) -> Evidence:
    return Evidence(*_fields(value, ("article", "quote"), "evidence"))


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."
