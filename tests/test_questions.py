"""The question set that ships with Byline: exact, varied, and telling right answers from wrong ones."""

import json
from collections import Counter
from pathlib import Path

import pytest

import eval as package
from eval.answer_metrics import forbidden_phrases, missing_phrases
from eval.dataset import Question, check_questions, read_questions
from eval.matching import mentions
from index.reading.places import read_articles
from tests.conftest import SEEDS

PATH = Path(package.__file__).parent / "questions.jsonl"
QUESTIONS = {question.id: question for question in read_questions(PATH)}
VARIANTS = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "answer_variants.jsonl").read_text(encoding="utf-8").splitlines()
]
CATEGORIES = {
    "single-fact", "number-date", "who-said", "paraphrase", "multi-source", "differ", "unanswerable", "false-premise",
    "off-topic", "follow-up", "misspelt", "other-language", "injection",
}  # fmt: skip


def passes(question: Question, text: str) -> bool:
    missing = missing_phrases(text, question.must_include, mentions=mentions)
    return not missing and not forbidden_phrases(text, question.must_not_include, mentions=mentions)


def test_the_set_has_no_mistakes() -> None:
    assert check_questions(PATH, read_articles(SEEDS).articles) == []


def test_every_category_is_there_in_numbers() -> None:
    counts = Counter(question.category for question in QUESTIONS.values())
    assert set(counts) == CATEGORIES
    assert min(counts.values()) >= 10
    assert counts.total() >= 140


def test_questions_to_refuse_and_questions_to_answer_are_both_many() -> None:
    refused = [question for question in QUESTIONS.values() if not question.answerable]
    assert len(refused) >= 50
    assert len(QUESTIONS) - len(refused) >= 90
    assert {question.category for question in refused} >= {"unanswerable", "false-premise", "off-topic", "injection"}


def test_follow_ups_have_a_history() -> None:
    assert all(question.history for question in QUESTIONS.values() if question.category == "follow-up")


def test_every_article_carries_answers() -> None:
    carried = Counter(article for question in QUESTIONS.values() for article in {e.article for e in question.evidence})
    assert set(carried) == {path.stem for path in SEEDS.glob("*.txt")}
    assert min(carried.values()) >= 20


@pytest.mark.parametrize("question", [q for q in QUESTIONS.values() if q.answerable], ids=lambda q: q.id)
def test_quoting_all_evidence_passes(question: Question) -> None:
    """What the articles themselves say must never count as wrong."""
    assert passes(question, "\n".join(evidence.quote for evidence in question.evidence))


@pytest.mark.parametrize("question", [q for q in QUESTIONS.values() if q.must_include], ids=lambda q: q.id)
def test_a_refusal_and_another_article_do_not_pass(question: Question) -> None:
    assert not passes(question, "Sorry, I am unable to help with that.")
    assert not passes(question, "The museum opened its doors in Lisbon in 1974 and closed them last spring.")


def test_answers_in_other_words_cover_the_set() -> None:
    assert len(VARIANTS) >= 25
    assert all(len(variant["right"]) == len(variant["wrong"]) == 3 for variant in VARIANTS)
    covered = {QUESTIONS[variant["id"]].category for variant in VARIANTS}
    assert CATEGORIES - covered == {"off-topic"}  # there only a refusal is right, whatever its words


@pytest.mark.parametrize(("name", "text"), [(variant["id"], text) for variant in VARIANTS for text in variant["right"]])
def test_a_right_answer_in_other_words_passes(name: str, text: str) -> None:
    assert passes(QUESTIONS[name], text)


@pytest.mark.parametrize(("name", "text"), [(variant["id"], text) for variant in VARIANTS for text in variant["wrong"]])
def test_a_wrong_answer_fails(name: str, text: str) -> None:
    assert not passes(QUESTIONS[name], text)
