import json
from typing import Any

import pytest

from index.errors import QuestionSetError
from index.passages import Passage
from rag.answers import Answer, Cost, from_json, to_json
from rag.citations import Citation
from rag.coverage import Coverage, Difference, DifferingValue
from rag.retrieval import ScoredPassage

PASSAGE = Passage(
    id="a" * 32,
    article_id="north/talks",
    start=100,
    end=160,
    text="The talks lasted five hours. Both sides spoke of progress.",
    title="Talks",
    source="The North",
    url=None,
    published="2025-12-15",
)
ANSWER = Answer(
    question="And how long?",
    standalone_question="How long did the talks last?",
    text="Five hours [1].",
    refused=False,
    mode="llm",
    model="openai/gpt-4o-mini",
    citations=(Citation(1, PASSAGE, 100, 128, "The talks lasted five hours.", 0, 15, "supported"),),
    coverage=Coverage(
        origins=2,
        also_reported_by=("south/talks",),
        differences=(
            Difference(
                "length of the talks",
                (
                    DifferingValue("five hours", "north/talks", "Talks", "The North", "a" * 32, 100, 128, "…"),
                    DifferingValue("six hours", "south/talks", "Meeting", None, "b" * 32, 0, 12, "…"),
                ),
            ),
        ),
    ),
    passages=(ScoredPassage(PASSAGE, 0.71, 1),),
    unresolved_markers=(9,),
    timings_ms={"condense": 1, "retrieve": 2, "first_token": 3, "total": 4},
    usage={"prompt_tokens": 500, "completion_tokens": 6},
    conversation_usage={"prompt_tokens": 900, "completion_tokens": 10},
    cost=Cost(0.25, 0.5),
    notice="The model stopped sending.",
)


def test_the_keys_are_those_of_the_contract() -> None:
    data = to_json(ANSWER, id="q1")
    assert list(data) == [
        "id", "question", "standalone_question", "text", "refused", "mode", "model", "citations", "coverage",
        "passages", "unresolved_markers", "timings_ms", "usage", "conversation_usage", "cost", "notice",
    ]  # fmt: skip
    assert list(data["citations"][0]) == [
        "marker", "article_id", "title", "source", "published", "url", "passage_id", "start", "end", "quote",
        "answer_start", "answer_end", "support",
    ]  # fmt: skip
    assert data["passages"] == [
        {"passage_id": "a" * 32, "article_id": "north/talks", "start": 100, "end": 160, "score": 0.71, "rank": 1}
    ]
    assert data["coverage"]["also_reported_by"] == ["south/talks"]
    assert list(data["coverage"]) == ["origins", "also_reported_by", "differences"]


def test_what_is_written_can_be_read_and_is_the_same() -> None:
    data = json.loads(json.dumps(to_json(ANSWER)))
    assert (data["cost"], data["notice"]) == ({"answer": 0.25, "conversation": 0.5}, "The model stopped sending.")
    assert to_json(from_json(data)) == data


def test_an_answer_of_before_there_were_costs_and_notices_can_be_read() -> None:
    data = to_json(ANSWER)
    for later in ("conversation_usage", "cost", "notice"):
        del data[later]
    answer = from_json(data)
    assert (answer.usage, answer.cost, answer.notice) == (ANSWER.usage, None, "")


def test_an_answer_read_back_keeps_the_quoted_words_in_their_place() -> None:
    citation = from_json(to_json(ANSWER)).citations[0]
    assert (citation.start, citation.end, citation.quote) == (100, 128, "The talks lasted five hours.")
    assert citation.passage.source == "The North"


def test_times_and_tokens_that_were_not_taken_are_zero() -> None:
    data = to_json(Answer("q", "q", "No.", refused=True, mode="extractive", model="none"))
    assert data["timings_ms"] == {"condense": 0, "retrieve": 0, "first_token": 0, "total": 0}
    assert data["usage"] == {"prompt_tokens": 0, "completion_tokens": 0}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mode": "guess"}, "'guess' is none of llm, extractive"),
        ({"citations": [{"marker": 1}]}, "the key 'start' is missing"),
        ({"coverage": 3}, "Not an answer"),
        ({"usage": {"prompt_tokens": "many", "completion_tokens": 0}}, "many"),
        ({"cost": {"answer": 1}}, "the key 'conversation' is missing"),
        ({"cost": 3}, "Not an answer"),
    ],
)
def test_what_is_no_answer_is_refused_with_the_reason(change: dict[str, Any], message: str) -> None:
    with pytest.raises(QuestionSetError, match=message):
        from_json({**to_json(ANSWER), **change})
