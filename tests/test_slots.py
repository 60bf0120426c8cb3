"""Which day a number belongs to, and which place a deed: each true sentence beside its false twin."""

import pytest

from rag.facts import find_facts
from rag.slots import dated_otherwise, placed_otherwise

TALKS = "The envoys talked for two hours on Monday, after six hours of talks on Sunday."
TRIP = (
    "Brek has travelled to Lunsund for talks with the union several times, but Sunday's meeting in Eastport was the "
    "first time she met the owners."
)


@pytest.mark.parametrize(
    ("true", "false"),
    [
        ("The envoys talked for two hours on Monday.", "The envoys talked for six hours on Monday."),
        ("The talks on Sunday lasted six hours.", "The talks on Sunday lasted two hours."),
    ],
)
def test_a_number_stays_with_its_day(true: str, false: str) -> None:
    source = find_facts(TALKS)
    assert dated_otherwise(find_facts(true), source) == ""
    assert dated_otherwise(find_facts(false), source)


def test_a_deed_stays_in_its_place() -> None:
    source = find_facts(TRIP)
    assert placed_otherwise(find_facts("Brek first met the owners in Eastport on Sunday."), source) == ""
    assert placed_otherwise(find_facts("Brek first met the owners in Lunsund on Sunday."), source)
