"""Answer, refusal and citation metrics: small cases worked by hand."""

from collections.abc import Sequence

import pytest

from eval.answer_metrics import (
    RiskPoint,
    aurc,
    exact_match,
    forbidden_phrases,
    missing_phrases,
    refusal_parts,
    risk_coverage,
    rouge_l,
    squad_words,
    token_f1,
    without_markers,
)
from eval.citation_metrics import (
    CitedSentence,
    evidence_precision,
    evidence_recall,
    support_precision,
    support_recall,
    uncited_groups,
    unresolved_rate,
    wrong_sources,
)
from eval.matching import mentions
from eval.places import Place


def test_markers_are_not_words_of_the_answer() -> None:
    assert without_markers("Five hours [1][12]. Then [2], more.") == "Five hours. Then, more."


def test_every_group_needs_one_of_its_alternatives() -> None:
    groups = [["five hours", "5 h"], ["Sunday"]]
    assert missing_phrases("They talked for 5 hours on Sunday [1].", groups, mentions=mentions) == []
    assert missing_phrases("They talked for 5 hours [1].", groups, mentions=mentions) == [["Sunday"]]
    assert missing_phrases("They talked for 15 hours on Sunday.", groups, mentions=mentions) == [groups[0]]


def test_a_marker_is_not_a_number_the_answer_says() -> None:
    assert missing_phrases("Several hours [5].", [["5"]], mentions=mentions) == [["5"]]


def test_forbidden_phrase_is_found() -> None:
    assert forbidden_phrases("It was ten hours.", ["10 hours", "2 hours"], mentions=mentions) == ["10 hours"]


def test_squad_words_drop_case_punctuation_and_articles() -> None:
    assert squad_words("The “U.S.” envoy’s a plan!") == ["us", "envoys", "plan"]


@pytest.mark.parametrize(
    ("answer", "reference", "f1"),
    [
        ("five hours", "five hours", 1.0),
        ("five long hours", "five hours", 4 / 5),  # P 2/3, R 1
        ("hours hours", "five hours", 1 / 2),  # a repeat counts once: P 1/2, R 1/2
        ("two days", "five hours", 0.0),
        ("the", "five", 0.0),
        ("the", "a", 1.0),
    ],
)
def test_token_f1(answer: str, reference: str, f1: float) -> None:
    assert token_f1(answer, reference) == pytest.approx(f1)


def test_exact_match_ignores_what_squad_ignores_and_nothing_else() -> None:
    assert exact_match("The five hours [1].", "five hours") == 1.0
    assert exact_match("hours five", "five hours") == 0.0


def test_rouge_l_is_f1_over_the_longest_common_subsequence() -> None:
    # Longest common subsequence of "a b c d" and "a c e": a c. P 2/4, R 2/3, F 2 * (1/2 * 2/3) / (7/6) = 4/7.
    assert rouge_l("a b c d [1]", "a c e") == pytest.approx(4 / 7)


def test_rouge_l_reads_other_scripts() -> None:
    assert rouge_l("Пять часов", "пять часов") == 1.0


def test_refusal_metrics_over_four_questions() -> None:
    # One of each: rightly refused, wrongly refused, missed, rightly answered.
    parts = [
        refusal_parts(refused=refused, answerable=answerable)
        for refused in (True, False)
        for answerable in (True, False)
    ]
    sums = {name: tuple(map(sum, zip(*(part[name] for part in parts), strict=True))) for name in parts[0]}
    assert sums == {"refusal_precision": (1, 2), "refusal_recall": (1, 2), "refusal_f1": (2, 4)}


def test_risk_coverage_curve_of_three_answers_of_four_questions() -> None:
    curve = risk_coverage([(0.2, True), (0.9, False), (0.5, True)], questions=4)
    assert curve == [RiskPoint(1 / 4, 0.0), RiskPoint(2 / 4, 1 / 2), RiskPoint(3 / 4, 2 / 3)]


def test_aurc_is_the_mean_risk_of_the_curve() -> None:
    assert aurc([(0.2, True), (0.9, False), (0.5, True)]) == pytest.approx((0 + 1 / 2 + 2 / 3) / 3)
    assert aurc([]) == 0.0


def test_equal_confidence_gives_the_error_rate_whatever_the_order() -> None:
    assert aurc([(1.0, True), (1.0, False)]) == aurc([(1.0, False), (1.0, True)]) == pytest.approx(1 / 2)


def words_support(sentence: str, quotes: Sequence[str]) -> bool:
    """A quote supports a sentence of the letters it holds."""
    return set(sentence) <= set("".join(quotes))


def test_support_recall_counts_sentences_supported_by_all_they_cite() -> None:
    sentences = [
        CitedSentence("ab", ("a", "b")),  # only together
        CitedSentence("c", ("d",)),  # not at all
        CitedSentence("e", ()),  # no citation
    ]
    assert support_recall(sentences, words_support) == pytest.approx(1 / 3)
    assert support_recall([], words_support) == 0.0


@pytest.mark.parametrize(
    ("sentence", "precision"),
    [
        (CitedSentence("ab", ("a", "b")), 1.0),  # each needed
        (CitedSentence("ab", ("ab", "z")), 1 / 2),  # z supports nothing, and the rest does without it
        (CitedSentence("ab", ("ab", "ab")), 1.0),  # each supports alone: more than one source is no fault
        (CitedSentence("ab", ("a", "b", "z")), 2 / 3),
        (CitedSentence("ab", ("a",)), 0.0),  # not supported: none of its citations counts
        (CitedSentence("ab", ()), 0.0),
    ],
)
def test_support_precision(sentence: CitedSentence, precision: float) -> None:
    assert support_precision([sentence], words_support) == pytest.approx(precision)


def test_support_precision_is_over_all_citations_of_the_answer() -> None:
    sentences = [CitedSentence("ab", ("ab", "z")), CitedSentence("c", ("c",))]
    assert support_precision(sentences, words_support) == pytest.approx(2 / 3)


EVIDENCE = [[Place("x", 0, 20), Place("y", 100, 120)], [Place("z", 50, 60)]]


def test_evidence_recall_counts_pieces_met_at_any_of_their_places() -> None:
    assert evidence_recall([Place("y", 100, 140)], EVIDENCE) == 1 / 2
    assert evidence_recall([Place("y", 100, 140), Place("z", 40, 60)], EVIDENCE) == 1.0
    assert evidence_recall([], EVIDENCE) == 0.0
    assert evidence_recall([Place("y", 100, 140)], []) == 0.0


def test_evidence_precision_counts_citations_that_open_on_evidence() -> None:
    citations = [Place("x", 0, 15), Place("x", 300, 320), Place("w", 0, 20)]
    assert evidence_precision(citations, EVIDENCE) == (1.0, 3.0)


def test_must_cite_needs_one_article_of_every_group() -> None:
    assert uncited_groups(["x", "z"], [["x", "y"], ["z"]]) == []
    assert uncited_groups(["x"], [["x", "y"], ["z"]]) == [["z"]]


def test_wrong_sources_are_citations_of_other_articles() -> None:
    assert wrong_sources(["x", "x", "w"], {"x", "y"}) == (1.0, 3.0)
    assert wrong_sources(["x"], set()) == (1.0, 1.0)


def test_unresolved_rate_is_over_all_markers_written() -> None:
    assert unresolved_rate(1, 3) == (1.0, 4.0)
