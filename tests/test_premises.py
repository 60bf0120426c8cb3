import pytest

from rag.premises import without_denied_premise

QUESTION = "Why did Zelensky and Witkoff meet in Paris for 9 hours?"


@pytest.mark.parametrize(
    ("sentence", "left"),
    [
        ("They met in Berlin, not in Paris.", "They met in Berlin ."),
        ("The talks took place in Berlin rather than in Paris.", "The talks took place in Berlin ."),
        ("The talks were held not in Paris but in Berlin.", "The talks were held in Berlin."),
        ("They did not meet in Paris; the talks took place in Berlin.", "the talks took place in Berlin."),
        ("They did not meet in Paris, but the talks took place in Berlin.", "the talks took place in Berlin."),
        ("The talks took five hours, not 9.", "The talks took five hours ."),
    ],
)
def test_what_is_denied_of_the_question_is_left_out(sentence: str, left: str) -> None:
    assert without_denied_premise(sentence, QUESTION) == left


@pytest.mark.parametrize(
    "sentence",
    [
        "They met in Berlin.",
        "They met in Berlin, not in Stuttgart.",
        "The talks took five hours, not 12.",
        "They did not meet in Paris.",
        "Zelensky met Witkoff in Paris for 9 hours.",
        "Merz would not resign; the talks took place in Berlin.",
    ],
)
def test_what_the_question_did_not_say_or_nothing_denies_stays(sentence: str) -> None:
    assert without_denied_premise(sentence, QUESTION) == sentence
