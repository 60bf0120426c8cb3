"""Feedback: what readers said of answers (`rag.feedback`) drafted into questions, for a person to finish."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from eval.dataset import Evidence, Question
from eval.matching import normalise
from rag.feedback import Feedback


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
