"""A sentence laid on a passage: which of its parts has no counterpart there."""

from rag.alignment import Alignment, align
from rag.facts import find_facts

PASSAGE = find_facts(
    "Officers searched the warehouse on Tuesday and found forty stolen bicycles. The owner, who lives next door, "
    "said that he had heard nothing."
)


def lay(sentence: str) -> Alignment:
    return align(find_facts(sentence), PASSAGE)


def test_a_sentence_in_the_passages_words_is_kept_whole() -> None:
    found = lay("Officers searched the warehouse on Tuesday and found forty stolen bicycles.")
    assert found.kept == 1.0
    assert found.contrast < 0.01
    assert found.nearness > 0.9


def test_the_part_that_was_made_up_is_named() -> None:
    found = lay("Officers searched the warehouse on Tuesday, while a crowd of neighbours cheered outside.")
    assert found.part == "while a crowd of neighbours cheered outside"
    assert found.contrast > 0.2


def test_what_is_told_in_other_words_is_nearer_than_what_is_not_told() -> None:
    assert lay("Police looked through the depot.").nearness > lay("The harvest of apples failed.").nearness + 0.2


def test_other_words_all_along_make_less_contrast_than_one_part_made_up() -> None:
    far = lay("The man next to the depot had not noticed a sound.")
    assert far.contrast < lay("Officers searched the warehouse with a borrowed thermal camera.").contrast


def test_a_sentence_without_a_word_of_content_can_be_laid() -> None:
    assert lay("It is so.").part == "It is so"
