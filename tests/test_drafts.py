from collections.abc import Callable

import pytest

from index.passages import Passage
from rag.citations import markers_in
from rag.drafts import Draft, check_draft
from rag.retrieval import ScoredPassage
from tests.fakes import HashingEmbedding

TEXTS = (
    "The talks in Berlin lasted five hours on Sunday. Steve Witkoff spoke of “a lot of progress”.",
    "Russia launched 138 drones at Ukraine overnight. Six places were struck by the drones.",
)
TALKS, DRONES = "The talks in Berlin lasted five hours on Sunday", "Russia launched 138 drones at Ukraine overnight"
Check = Callable[[str], Draft]


@pytest.fixture
def check(embedding: HashingEmbedding) -> Check:
    shown = [
        ScoredPassage(Passage(f"{rank:032d}", f"a{rank}", 0, len(text), text, "", None, None, None), 1 / rank, rank)
        for rank, text in enumerate(TEXTS, 1)
    ]
    return lambda text: check_draft(text, shown, embedding=embedding)


@pytest.mark.parametrize(
    ("written", "marked"),
    [
        (f"{TALKS}.", f"{TALKS} [1]."),
        (f"{DRONES}. {TALKS} [1].", f"{DRONES} [2]. {TALKS} [1]."),
        (f"- {DRONES}\n- {TALKS}!", f"- {DRONES} [2]\n- {TALKS} [1]!"),
        (f"**{DRONES}**", f"**{DRONES}** [2]"),
        ("Witkoff spoke of “a lot of progress.”", "Witkoff spoke of “a lot of progress.” [1]"),
        (f"| {DRONES} |", f"| {DRONES} [2] |"),
        ("He likes turnips.", "He likes turnips."),
        (f"{TALKS} [1]. The articles do not say why.", f"{TALKS} [1]. The articles do not say why."),
    ],
)
def test_a_sentence_without_a_marker_gets_that_of_the_passage_that_carries_it(
    check: Check, written: str, marked: str
) -> None:
    draft = check(written)
    assert draft.text == marked
    assert markers_in(draft.text) == [cited.marker for cited in draft.citations]
    for sentence in draft.sentences:
        assert tuple(markers_in(draft.text[sentence.start : sentence.end])) == sentence.markers


def test_what_was_matched_stays_known_as_matched_and_other_verdicts_stay(check: Check) -> None:
    draft = check(f"{DRONES}. The talks in Berlin lasted nine hours on Sunday [1]. He likes turnips.")
    assert [(one.support, one.matched, one.markers) for one in draft.sentences] == [
        ("supported", True, (2,)),
        ("unsupported", False, (1,)),
        ("unsupported", False, ()),
    ]
    assert [(cited.marker, cited.support) for cited in draft.citations] == [(2, "supported"), (1, "unsupported")]
    assert [draft.text[one.start : one.end] for one in draft.faulty] == [
        "The talks in Berlin lasted nine hours on Sunday [1].",
        "He likes turnips.",
    ]


def test_a_matched_sentence_in_code_gets_no_marker(check: Check) -> None:
    draft = check(f"`{DRONES}.`")
    assert draft.text == f"`{DRONES}.`"
    assert draft.citations == ()


def test_share_and_words_count_only_what_claims_something(check: Check) -> None:
    draft = check(f"{TALKS} [1]. He likes turnips. The articles do not say why.")
    assert draft.verified_share == 0.5
    assert draft.verified_words == len(f"{TALKS} [1].".split())
    assert check("The articles do not say why. They do not say who.").verified_share == 0


@pytest.mark.parametrize(
    ("new", "old", "better"),
    [
        (f"{TALKS} [1].", f"{TALKS} [1]. He likes turnips.", True),
        (f"{TALKS} [1].", f"{TALKS} [1].", False),
        (f"{TALKS} [1]. He likes turnips.", f"{TALKS} [1].", False),
        (f"{TALKS} [1].", "He likes turnips.", True),
        (f"{TALKS} [1].", f"{TALKS} [1]. {DRONES} [2]. He likes turnips.", False),
        ("The articles do not say it.", f"{TALKS} [1]. He likes turnips.", False),
    ],
    ids=["drops the false", "the same", "adds a fault", "says something true", "drops the true", "drops everything"],
)
def test_a_better_draft_is_verified_more_and_drops_nothing_that_was(
    check: Check, new: str, old: str, better: bool
) -> None:
    assert check(new).verifies_better_than(check(old)) is better


def test_a_draft_that_invents_markers_is_no_better(check: Check) -> None:
    better = check(f"{TALKS} [1].")
    inventing = Draft(better.text, better.citations, better.sentences, unresolved=(9,))
    assert not inventing.verifies_better_than(check(f"{TALKS} [1]. He likes turnips."))
