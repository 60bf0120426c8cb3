"""Words that turn a sentence round."""

import pytest

from rag.contrasts import wrong_contrast
from rag.facts import find_facts

PASSAGE = (
    "Most of the miners joined the union before the vote, and all but two of the pits closed. The owners will pay "
    "unless the state helps. The last shift ended without an accident."
)


def fault(sentence: str, passage: str = PASSAGE) -> str:
    source = find_facts(passage)
    return wrong_contrast(find_facts(sentence), source, (0, source.words[-1].sentence))


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("Most of the miners joined the union after the vote.", "“before” here, not “after”"),
        ("Few of the miners joined the union.", "“most” here, not “few”"),
        ("Only two of the pits closed.", "“all but” here, not “only”"),
        ("The owners will pay even if the state helps.", "“unless” here, not “even if”"),
        ("The last shift ended with an accident.", "“without” here, not “with”"),
    ],
)
def test_a_word_that_turns_the_sentence_round_is_told(sentence: str, said: str) -> None:
    assert said in fault(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Most of the miners joined the union before the vote.",
        "After the vote most miners stayed in the union.",
        "Two of the pits did not close.",
        "If the state helps, the owners need not pay.",
        "Before the vote, few owners paid.",
        "The last shift ended with no accident.",
    ],
)
def test_other_words_before_other_words_are_no_fault(sentence: str) -> None:
    assert not fault(sentence)


def test_what_the_passage_says_as_well_is_no_fault() -> None:
    passage = "He drank tea before the match and coffee after the match."
    assert not fault("He drank coffee after the match.", passage)
    assert not fault("He drank tea before the match.", passage)
