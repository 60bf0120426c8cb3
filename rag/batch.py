"""Questions from a JSON-lines file, answers to another, in order; a stopped run goes on where it stopped."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.errors import QuestionSetError
from rag.conversation import Turn


@dataclass(frozen=True, slots=True)
class SetQuestion:
    """One question of a file."""

    id: str
    question: str
    history: tuple[Turn, ...] = ()


def read_questions(path: Path) -> list[SetQuestion]:
    """Read `id`, `question` and optional `history` from each line; other keys are left alone.

    Raises:
        QuestionSetError: the file or a line cannot be used; the message has the line's number.
    """
    questions: list[SetQuestion] = []
    ids: dict[str, int] = {}
    for number, entry in _json_lines(path):
        place = f"{path}, line {number}"
        id_, question = entry.get("id"), entry.get("question")
        if not isinstance(id_, str | int) or isinstance(id_, bool) or id_ == "":
            raise QuestionSetError(f"{place}: a question needs an `id`.")
        if not isinstance(question, str) or not question.strip():
            raise QuestionSetError(f"{place}: `question` is missing or empty.")
        if str(id_) in ids:
            raise QuestionSetError(f"{place}: the id {id_!r} stands on line {ids[str(id_)]} already.")
        ids[str(id_)] = number
        questions.append(SetQuestion(str(id_), question, read_turns(entry.get("history") or [], place=place)))
    if not questions:
        raise QuestionSetError(f"{path} holds no question.")
    return questions


def read_history(path: Path) -> tuple[Turn, ...]:
    """Read the turns before a question: a JSON list of `{"role": "user" | "assistant", "content": "..."}`.

    An assistant's turn may have its answer's `usage`, which then counts towards the conversation's.

    Raises:
        QuestionSetError: the file cannot be read as such a list.
    """
    try:
        turns = json.loads(_read(path))
    except json.JSONDecodeError as exc:
        raise QuestionSetError(f"{path}, line {exc.lineno}: not JSON ({exc.msg}).") from exc
    return read_turns(turns, place=str(path))


def read_turns(turns: object, *, place: str) -> tuple[Turn, ...]:
    """Check turns that came from outside; `place` begins the message of what is wrong with them."""
    if not isinstance(turns, list):
        raise QuestionSetError(f"{place}: `history` must be a list of turns.")
    read: list[Turn] = []
    for number, turn in enumerate(turns, start=1):
        role, content = (turn.get("role"), turn.get("content")) if isinstance(turn, dict) else (None, None)
        if role not in {"user", "assistant"} or not isinstance(content, str):
            raise QuestionSetError(
                f"{place}: turn {number} must have a `role` (user or assistant) and a text as `content`."
            )
        read.append(Turn(role, content, _read_usage(turn.get("usage") or {}, place=f"{place}: turn {number}")))
    return tuple(read)


def _read_usage(usage: object, *, place: str) -> dict[str, int]:
    """The tokens that an earlier answer took, as its JSON has them."""
    counts: dict[str, Any] = dict(usage) if isinstance(usage, dict) else {"usage": None}
    if not all(isinstance(tokens, int) and tokens >= 0 for tokens in counts.values()):
        raise QuestionSetError(f"{place}: `usage` must be an object of whole numbers, as an answer's is.")
    return counts


def read_answered(path: Path, questions: list[SetQuestion]) -> set[str]:
    """The ids that `path` answers already; a last line that a stopped run left unfinished is cut off.

    Raises:
        QuestionSetError: a line is no answer, or answers another question than the set asks under that id.
    """
    if not path.exists():
        return set()
    _cut_unfinished_line(path)
    asked = {question.id: question.question for question in questions}
    answered: set[str] = set()
    for number, entry in _json_lines(path):
        id_ = entry.get("id")
        if id_ not in asked or entry.get("question") != asked[id_].strip():
            raise QuestionSetError(
                f"{path}, line {number}: this answers another question set; give another file to --out."
            )
        answered.add(id_)
    return answered


def write_answer(path: Path, answer: Mapping[str, Any]) -> None:
    """Add one line and see it through to the file."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(answer, ensure_ascii=False) + "\n")
    except OSError as exc:
        raise QuestionSetError(f"{path} cannot be written: {exc.strerror or exc}.") from exc


def _cut_unfinished_line(path: Path) -> None:
    try:
        with path.open("r+b") as file:
            data = file.read()
            whole = data.rfind(b"\n") + 1
            if whole < len(data):
                file.truncate(whole)
    except OSError as exc:
        raise QuestionSetError(f"{path} cannot be read and written: {exc.strerror or exc}.") from exc


def _json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line numbers from 1 and the objects on them; blank lines are passed over."""
    for number, line in enumerate(_read(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except json.JSONDecodeError as exc:
            raise QuestionSetError(f"{path}, line {number}: not JSON ({exc.msg}).") from exc
        if not isinstance(entry, dict):
            raise QuestionSetError(f"{path}, line {number}: not a JSON object.")
        yield number, entry


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as exc:
        raise QuestionSetError(f"{path} cannot be read: {exc.strerror or exc}.") from exc
    except UnicodeDecodeError as exc:
        raise QuestionSetError(f"{path} is not UTF-8 text (byte {exc.start}).") from exc
