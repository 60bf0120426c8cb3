"""Feedback from the page: kept whole, without secrets, and drafted into questions a person must finish."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from eval.feedback import draft_questions
from index.errors import QuestionSetError
from index.settings import Settings
from rag.feedback import FILE, add_feedback, read_feedback
from tests.evaluation import answer, passage

CITED = (1, passage("p2", "flood", 20, 60), "supported")
GIVEN = answer("It sent 250 soldiers [1].", CITED)


def test_feedback_reads_back_as_it_was_written(settings: Settings) -> None:
    written = add_feedback(GIVEN, "wrong source", comment=" It says another thing.\n", settings=settings)
    (read,) = read_feedback(settings.home / FILE)
    assert (read.verdict, read.comment, read.time) == ("wrong source", "It says another thing.", written.time)
    assert read.answer.text == GIVEN.text
    assert read.settings["top_k"] == settings.top_k


def test_line_has_the_agreed_keys_and_no_secret(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, llm_api_key="s3cret")  # type: ignore[arg-type]  # pydantic makes it a SecretStr
    add_feedback(GIVEN, "up", settings=settings)
    line = (tmp_path / FILE).read_text(encoding="utf-8")
    assert list(json.loads(line)) == [
        "time", "question", "standalone_question", "answer", "verdict", "comment", "settings"
    ]  # fmt: skip
    assert "s3cret" not in line


def test_praised_answer_becomes_a_draft_with_its_evidence(settings: Settings) -> None:
    ((draft, note),) = draft_questions([add_feedback(GIVEN, "up", settings=settings)])
    assert (draft.id, draft.question, draft.answerable) == ("feedback-001", "Asked?", True)
    assert draft.answer == GIVEN.text
    assert [(piece.article, piece.quote) for piece in draft.evidence] == [("flood", CITED[1].text)]
    assert draft.must_include == ()
    assert "Rated “up”" in note


def test_rejected_answer_gives_the_question_alone(settings: Settings) -> None:
    given = add_feedback(GIVEN, "down", comment="It was 300.", settings=settings)
    ((draft, note),) = draft_questions([given])
    assert (draft.answer, draft.evidence) == ("", ())
    assert "It was 300." in note
    assert GIVEN.text in note


def test_praised_refusal_is_a_question_without_an_answer(settings: Settings) -> None:
    refused = answer("The articles do not say.", refused=True)
    ((draft, _),) = draft_questions([add_feedback(refused, "up", settings=settings)])
    assert draft.answerable is False


def test_of_one_question_the_last_verdict_counts(settings: Settings) -> None:
    first = add_feedback(GIVEN, "up", settings=settings)
    again = add_feedback(replace(GIVEN, standalone_question="asked"), "down", settings=settings)
    other = add_feedback(replace(GIVEN, standalone_question="Other?"), "up", settings=settings)
    drafts = draft_questions([first, again, other])
    assert [(draft.question, draft.answer == "") for draft, _ in drafts] == [("asked", True), ("Other?", False)]
    assert "2 times in all" in drafts[0][1]


def test_line_that_is_no_feedback_is_named(settings: Settings) -> None:
    add_feedback(GIVEN, "up", settings=settings)
    path = settings.home / FILE
    with path.open("a", encoding="utf-8") as file:
        file.write('{"verdict": "sideways"}\n')
    with pytest.raises(QuestionSetError, match=r"feedback\.jsonl:2: no feedback"):
        read_feedback(path)
