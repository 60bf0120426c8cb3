"""One stem for a word's forms; which words may mean the same and which the opposite."""

import pytest

from rag.thesaurus import family, opposites, stem


@pytest.mark.parametrize(
    ("one", "other"),
    [("met", "meet"), ("held", "holds"), ("bought", "buying"), ("organised", "organize"), ("men", "man")],
)
def test_forms_of_a_word_have_one_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("refuse", "reject"), ("begin", "start"), ("decide", "decision"), ("agree", "agreement"), ("refuse", "rejection")],
)
def test_synonyms_and_what_is_derived_from_them_are_a_family(one: str, other: str) -> None:
    assert stem(other) in family(stem(one))


@pytest.mark.parametrize(("one", "other"), [("accept", "reject"), ("rise", "fall"), ("open", "close")])
def test_opposites_are_no_family(one: str, other: str) -> None:
    assert stem(other) not in family(stem(one))


def test_a_word_has_its_opposite_and_an_unknown_one_has_none() -> None:
    assert stem("refuse") in opposites(stem("accept"))
    assert not opposites("zzz")
    assert family("zzz") == {"zzz"}
