"""All, most, some: a sentence may say less of it than its source, never more."""

import pytest

from rag.extent import adds_all, says_too_much
from rag.facts import find_facts


def faults(claim: str, source: str) -> tuple[str, str]:
    ours, theirs = find_facts(claim), find_facts(source)
    window = (0, theirs.words[-1].sentence)
    return says_too_much(ours, theirs, window), adds_all(ours, theirs, window)


@pytest.mark.parametrize(
    ("source", "true", "false"),
    [
        ("Most of the villages were reached by noon.", "Many villages were reached.", "All the villages were reached."),
        ("Some members of the council left early.", "Some of the members left.", "Most members of the council left."),
        ("The parties agree on 90 percent of the issues.", "They agree on many issues.", "They agree on every issue."),
        ("Several bakeries, most of which are family firms, closed.", "Most of them are family firms.",
         "Several bakeries, all of which are family firms, closed."),
        ("Two of the town's five ploughs broke down.", "Some of the ploughs broke down.",
         "All of the town's ploughs broke down."),
        ("Few of the pupils passed the test.", "Few pupils passed.", "None of the pupils passed the test."),
    ],
)  # fmt: skip
def test_a_larger_share_than_the_sources_is_a_fault(source: str, true: str, false: str) -> None:
    assert faults(true, source) == ("", "")
    assert any(faults(false, source))


def test_all_of_what_the_source_gives_no_share_of_is_a_doubt() -> None:
    assert faults("The army left the whole valley.", "The army left positions in the valley.")[1]
    assert not faults("The army left the whole valley.", "The army left the entire valley.")[1]


@pytest.mark.parametrize("claim", ["In all, five boats sank.", "All five boats sank.", "After all, boats sank."])
def test_all_that_is_no_share_is_none(claim: str) -> None:
    assert faults(claim, "Five boats sank.") == ("", "")
