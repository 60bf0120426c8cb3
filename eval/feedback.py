"""Feedback: what readers said of answers, kept as JSON lines, and drafts of questions made from it.

BYLINE_HOME/feedback.jsonl holds an object a line:

    {"time": "2026-01-31T09:30:00+00:00", "question": "...", "standalone_question": "...", "answer": {Answer JSON},
     "verdict": "up" | "down" | "wrong source", "comment": "...", "settings": {...}}

`settings` are those that decided the answer, without secrets (`eval.provenance.public_settings`).
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from eval.dataset import Evidence, Question
from eval.matching import normalise
from eval.provenance import public_settings
from index.errors import BylineError, QuestionSetError
from index.settings import Settings
from rag.answers import Answer, from_json, to_json

Verdict = Literal["up", "down", "wrong source"]
FILE = "feedback.jsonl"
_LONGEST_COMMENT = 4000


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


def add_feedback(answer: Answer, verdict: Verdict, *, comment: str = "", settings: Settings) -> Feedback:
    """Write down what a reader said; returns what was written.

    Raises:
        QuestionSetError: the file cannot be written.
    """
    feedback = Feedback(
        answer=answer,
        verdict=verdict,
        comment=comment.strip()[:_LONGEST_COMMENT],
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
    path = settings.home / FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # One write of whole lines to a file opened for appending: two readers' feedback never mixes.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "ab", buffering=0) as file:
            file.write(f"{json.dumps(row, ensure_ascii=False)}\n".encode())
    except OSError as exc:
        raise QuestionSetError(f"Feedback cannot be written to {path}: {exc.strerror or exc}.") from exc
    return feedback


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


def draft_questions(feedback: Sequence[Feedback]) -> list[tuple[Question, str]]:
    """Draft a question from each that readers rated, for a person to finish.

    A praised answer gives its text as the reference and its citations as evidence. A rejected one gives the question
    alone: what is right only a person can say. Of one question rated often the last verdict counts. Phrases that must
    be included are never guessed, so that `python -m eval check` names every draft that is not finished.

    Returns:
        (question, note) in the order in which the questions were first rated; the note says what readers said.
    """
    latest: dict[str, list[Feedback]] = {}
    for given in feedback:
        latest.setdefault(normalise(given.answer.standalone_question), []).append(given)
    drafts = []
    for number, rated in enumerate(sorted(latest.values(), key=lambda rated: rated[0].time), 1):
        drafts.append((_draft(f"feedback-{number:03}", rated[-1]), _note(rated)))
    return drafts


def draft_json(question: Question, note: str) -> dict[str, Any]:
    """A draft as a line for review: a question with a note, which must be deleted before the set is used."""
    return asdict(question) | {"review": note}


def _draft(name: str, feedback: Feedback) -> Question:
    answer, praised = feedback.answer, feedback.verdict == "up"
    quotes = {(citation.passage.article_id, citation.quote): None for citation in answer.citations} if praised else {}
    sources = dict.fromkeys(article for article, _ in quotes)
    return Question(
        id=name,
        category="feedback",
        question=answer.standalone_question,
        history=(),
        answer=answer.text if praised and not answer.refused else "",
        answerable=not answer.refused if praised else True,
        evidence=tuple(Evidence(article, quote) for article, quote in quotes),
        must_include=(),
        must_not_include=(),
        must_cite=tuple((article,) for article in sources),
    )


def _note(given: Sequence[Feedback]) -> str:
    last = given[-1]
    said = [f"Rated “{last.verdict}” on {last.time}" + (f", {len(given)} times in all" if len(given) > 1 else "") + "."]
    said += [f"Comment: {feedback.comment}" for feedback in given if feedback.comment]
    if last.verdict != "up":
        said.append(f"It was answered: {last.answer.text}")
        said.append("Write the right answer and its evidence, or set answerable to false.")
    else:
        said.append("Shorten the answer, check the evidence, say what a right answer must include.")
    return " ".join(said)
