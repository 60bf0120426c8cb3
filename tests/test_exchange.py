"""Two halves of a sentence that have each other's things."""

import pytest

from rag.exchange import exchanged_halves
from rag.facts import find_facts

SOURCE = find_facts(
    "The older pupils of the school will plant apple trees by the canal, while the youngest children paint the benches "
    "in the station hall."
)


@pytest.mark.parametrize(
    ("sentence", "exchanged"),
    [
        ("The youngest children plant apple trees by the canal, while the older pupils paint benches.", True),
        ("The older pupils plant apple trees by the canal, while the youngest children paint benches.", False),
        ("While the youngest children paint benches, the older pupils plant apple trees by the canal.", False),
        ("The youngest children and a teacher plant trees by the canal, while the older pupils paint.", False),
        ("The youngest children plant apple trees by the canal.", False),
    ],
)
def test_only_halves_that_changed_places_are_faulted(sentence: str, exchanged: bool) -> None:
    assert bool(exchanged_halves(find_facts(sentence), SOURCE)) == exchanged
