import pytest
from llama_index.core.base.llms.types import ChatMessage, MessageRole

from index.settings import Settings
from rag.asking import REFUSAL, answer_messages
from rag.echoes import EchoGuard
from rag.retrieval import ScoredPassage
from tests.test_rendering import a_passage

RULES = "Use only what the sources say. Add nothing you know from elsewhere, and do not guess. Copy numbers exactly."


def a_guard(*known: str) -> EchoGuard:
    return EchoGuard([ChatMessage(role=MessageRole.SYSTEM, content="\n".join([RULES, *known]))], known=known)


@pytest.mark.parametrize("said", [RULES, RULES.upper(), f"1. {RULES}", RULES.replace(" ", "-"), f"Sure!\n> {RULES}"])
def test_rules_are_heard_however_they_are_dressed(said: str) -> None:
    assert a_guard().hears(said)


def test_eleven_words_in_a_row_are_no_echo_and_twelve_are() -> None:
    said = RULES.split()
    assert not a_guard().hears(" ".join(said[:11]))
    assert a_guard().hears(" ".join(said[:12]))


def test_what_an_article_says_may_be_said_again() -> None:
    article = "The ferry to Norden sailed again on Thursday after nine days, the operator said on Friday."
    assert not a_guard(article).hears(article)


def test_the_mark_around_data_is_heard() -> None:
    assert a_guard().hears("It begins with <<DATA-0123456789ab")


@pytest.mark.parametrize("said", [REFUSAL, "The articles do not say what the repairs cost.", "Five hours [1][2]."])
def test_an_honest_answer_is_not_an_echo_of_our_prompt(said: str) -> None:
    found = [ScoredPassage(a_passage(), 1.0, 1)]
    messages = answer_messages("How long?", found, settings=Settings(llm="openai-like/x")).messages
    assert not EchoGuard(messages, known=["How long?"]).hears(said)
