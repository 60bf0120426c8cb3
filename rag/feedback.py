"""Feedback: what readers said of answers, kept as JSON lines.

BYLINE_HOME/feedback.jsonl holds an object a line:

    {"time": "2026-01-31T09:30:00+00:00", "question": "...", "standalone_question": "...", "answer": {Answer JSON},
     "verdict": "up" | "down" | "wrong source", "comment": "...", "settings": {...}}

`settings` are those that decided the answer, without secrets (`index.settings.public_settings`).
"""

import json
import os
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, get_args

from index.errors import ArticleError, BylineError, QuestionSetError, StoreError
from index.settings import Settings, public_settings
from rag.answers import Answer, from_json, to_json

Verdict = Literal["up", "down", "wrong source"]
FILE: Final = "feedback.jsonl"
MAX_COMMENT_CHARACTERS: Final = 4000
MAX_RECENT: Final = 500
"""Answers that can still be rated."""

MAX_FILE_BYTES: Final = 64 * 1024 * 1024
"""Largest file written: a page that strangers can reach must not fill the disk."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """What one reader said of one answer.

    Attributes:
        answer: the answer, as its JSON reads back.
        verdict: thumbs up or down, or that a citation does not carry its sentence.
        comment: in the reader's words; may be empty.
        time: ISO 8601, UTC.
        settings: what decided the answer, without secrets.
    """

    answer: Answer
    verdict: Verdict
    comment: str = ""
    time: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)


class RecentAnswers:
    """The latest answers of this process under names nobody can guess: only what was answered can be rated."""

    def __init__(self, most: int = MAX_RECENT) -> None:
        """Keep the last `most` answers."""
        self._most = most
        self._answers: OrderedDict[str, Answer] = OrderedDict()

    def keep(self, answer: Answer) -> str:
        """Keep an answer; returns the id under which it can be rated."""
        answer_id = secrets.token_urlsafe(12)
        self._answers[answer_id] = answer
        while len(self._answers) > self._most:
            self._answers.popitem(last=False)
        return answer_id

    def find(self, answer_id: str) -> Answer | None:
        """The answer of an id, or None where it was never given or is too long ago."""
        return self._answers.get(answer_id)

    def get(self, answer_id: str) -> Answer:
        """The answer of an id.

        Raises:
            ArticleError: it was never given, or is too long ago.
        """
        answer = self.find(answer_id)
        if answer is None:
            raise ArticleError("This answer is no longer known here; ask again to rate it.")
        return answer


def add_feedback(answer: Answer, verdict: Verdict, *, comment: str = "", settings: Settings) -> Feedback:
    """Write down what a reader said; returns what was written.

    Raises:
        StoreError: the file cannot be written, or has become too large.
    """
    feedback = Feedback(
        answer=answer,
        verdict=verdict,
        comment=comment.strip()[:MAX_COMMENT_CHARACTERS],
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        settings=public_settings(settings),
    )
    row = {
        "time": feedback.time,
        "question": answer.question,
        "standalone_question": answer.standalone_question,
        "answer": to_json(answer),
        "verdict": feedback.verdict,
        "comment": feedback.comment,
        "settings": dict(feedback.settings),
    }
    _append(settings.home / FILE, json.dumps(row, ensure_ascii=False))
    return feedback


def _append(path: Path, line: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # One write of a whole line to a file opened for appending: two readers' feedback never mixes.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "ab", buffering=0) as file:
            if file.tell() > MAX_FILE_BYTES:
                raise StoreError(f"{path} is full; move it elsewhere to collect more feedback.")
            file.write(f"{line}\n".encode(errors="replace"))
    except OSError as exc:
        raise StoreError(f"Feedback cannot be written to {path}: {exc.strerror or exc}.") from exc


def read_feedback(path: Path) -> list[Feedback]:
    """Read feedback, oldest first.

    Raises:
        QuestionSetError: the file cannot be read, or the first line that is no feedback, as `file:line: what`.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError as exc:
        raise QuestionSetError(
            f"No feedback in {path}: {exc.strerror or exc}. The page writes it when readers rate answers."
        ) from exc
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if row["verdict"] not in get_args(Verdict):
                raise ValueError(f"the verdict {row['verdict']!r} is none of {', '.join(get_args(Verdict))}")
            found.append(
                Feedback(from_json(row["answer"]), row["verdict"], row["comment"], row["time"], row["settings"])
            )
        except (KeyError, TypeError, ValueError, BylineError) as exc:
            raise QuestionSetError(f"{path}:{number}: no feedback: {exc}") from exc
    return found
