from dataclasses import replace
from typing import Any

import pytest

from index.settings import Settings
from rag.answers import Answer, Cost
from rag.spending import add_usage, cost_of, spent_in_words, took_in_words

PRICED = Settings(llm="none", llm_price_read=0.15, llm_price_written=0.6)
READ, WRITTEN = "prompt_tokens", "completion_tokens"
ONE = {READ: 412, WRITTEN: 96}


def an_answer(**fields: Any) -> Answer:
    return replace(Answer("q", "q", "Five.", False, "llm", "openai/gpt-4o-mini"), **fields)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, ""),
        ({"timings_ms": {"total": 84}}, "0.1 s"),
        ({"usage": ONE}, "412 tokens read, 96 written"),
        (
            {
                "timings_ms": {"total": 2431},
                "usage": ONE,
                "conversation_usage": ONE,
                "cost": Cost(0.0001194, 0.0001194),
            },
            "2.4 s; 412 tokens read, 96 written, cost 0.000119",
        ),
        (
            {"usage": ONE, "conversation_usage": {READ: 1240, WRITTEN: 96}, "cost": Cost(0.0001194, 4.0)},
            "412 tokens read, 96 written, cost 0.000119; this conversation: 1,240 tokens read, 96 written, cost 4",
        ),
        # A refusal that asked no model, after an answer that did.
        (
            {"timings_ms": {"total": 84}, "usage": {READ: 0, WRITTEN: 0}, "conversation_usage": ONE},
            "0.1 s; this conversation: 412 tokens read, 96 written",
        ),
        ({"usage": ONE, "conversation_usage": ONE, "cost": Cost(0.0, 0.0)}, "412 tokens read, 96 written, cost 0"),
        ({"usage": ONE, "cost": Cost(4e-7, 4e-7)}, "412 tokens read, 96 written, cost under 0.000001"),
        ({"usage": ONE, "cost": Cost(1234.5, 1234.5)}, "412 tokens read, 96 written, cost 1,234.5"),
    ],
)
def test_what_an_answer_took_is_one_line(fields: dict[str, Any], words: str) -> None:
    assert took_in_words(an_answer(**fields)) == words


def test_a_cost_is_of_the_prices_that_are_set_and_of_nothing_else() -> None:
    answer = an_answer(usage=ONE, conversation_usage={READ: 1000, WRITTEN: 1000})
    cost = cost_of(answer, PRICED)
    assert cost is not None
    assert cost.answer == pytest.approx((412 * 0.15 + 96 * 0.6) / 1e6)
    assert cost.conversation == pytest.approx(0.00075)
    assert cost_of(answer, Settings(llm="none", llm_price_read=0.15)) is None
    assert cost_of(replace(answer, model="none"), PRICED) is None


def test_the_answers_of_a_file_are_added_up() -> None:
    answers = [an_answer(usage=ONE, cost=Cost(0.0001194, 1.0))] * 2
    assert spent_in_words(answers) == "2 answers: 824 tokens read, 192 written, cost 0.000239"
    assert spent_in_words([an_answer(usage=ONE)]) == "1 answer: 412 tokens read, 96 written"
    assert spent_in_words([an_answer()]) == ""
    assert add_usage([]) == {}
