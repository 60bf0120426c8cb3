"""Comparing runs: what changed, by how much, and whether by more than chance."""

from dataclasses import replace
from pathlib import Path

import pytest

from eval.compare import compare_results, compare_runs, differing_settings
from eval.runs import Run
from index.errors import QuestionSetError
from tests.evaluation import question, result


def run_of(name: str, right: str, *, ids: str = "abcdefgh", top_k: int = 8) -> Run:
    """A run in which the questions named in `right` are correct."""
    info = {"model": "none", "settings": {"top_k": top_k}, "sha256": {"code": "x"}, "versions": {}, "git": None}
    results = tuple(result(one, correct=one in right, faults=() if one in right else ("Wrong.",)) for one in ids)
    return Run(Path(name), info, tuple(question(one) for one in ids), {}, {}, results, {})


def test_difference_is_the_second_less_the_first() -> None:
    compared = compare_runs(run_of("one", "ab"), run_of("two", "abcd"))
    row = next(row for row in compared.metrics if row.name == "correct")
    assert (row.first, row.second, row.test.difference) == (2 / 8, 4 / 8, 2 / 8)
    assert row.adjusted_p >= row.test.p_value


def test_flipped_questions_are_named_with_the_faults_of_the_wrong_run() -> None:
    compared = compare_runs(run_of("one", "ab"), run_of("two", "bc"))
    assert [(flip.id, flip.gained, flip.faults) for flip in compared.flips] == [
        ("a", False, ("Wrong.",)),
        ("c", True, ("Wrong.",)),
    ]


def test_only_questions_asked_alike_and_scored_in_both_are_compared() -> None:
    one, two = run_of("one", "ab"), run_of("two", "ab", ids="abcx")
    broken = replace(two.results[1], error="timed out", scores={})
    otherwise = question("c", question="Something else?")
    two = replace(
        two,
        results=(two.results[0], broken, *two.results[2:]),
        questions=(*two.questions[:2], otherwise, two.questions[3]),
    )
    compared = compare_runs(one, two)
    assert compared.questions == 1
    assert compared.left_out == 8


def test_runs_without_a_common_question_cannot_be_compared() -> None:
    with pytest.raises(QuestionSetError, match="no scored question in common"):
        compare_runs(run_of("one", "a", ids="a"), run_of("two", "b", ids="b"))


def test_settings_that_differ_are_listed() -> None:
    compared = compare_runs(run_of("one", "ab"), run_of("two", "ab", top_k=3))
    assert compared.settings == {"settings.top_k": (8, 3)}
    assert differing_settings({"model": "none"}, {"model": "openai/x"}) == {"model": ("none", "openai/x")}


def test_metric_neither_run_has_is_left_out() -> None:
    rows = compare_results([result("a")], [result("a")])
    assert {row.name for row in rows} == {
        "correct", "correct_and_cited", "ndcg@10", "evidence_recall", "support_recall", "aurc", "latency_p50",
        "latency_p95",
    }  # fmt: skip


def test_ratio_counts_parts_and_wholes_of_each_run() -> None:
    # Wrong sources 1 of 2, then 1 of 4; a refused answer cites nothing.
    one = [result("a", scores={"wrong_source": (1.0, 2.0)}), result("b", scores={})]
    two = [result("a", scores={"wrong_source": (0.0, 1.0)}), result("b", scores={"wrong_source": (1.0, 3.0)})]
    row = compare_results(one, two)[0]
    assert (row.name, row.first, row.second) == ("wrong_source", 1 / 2, 1 / 4)


def test_latency_is_compared_by_its_median() -> None:
    one = [result(str(number), latency_ms=100 + number) for number in range(20)]
    two = [result(str(number), latency_ms=300 + number) for number in range(20)]
    row = next(row for row in compare_results(one, two) if row.name == "latency_p50")
    assert row.test.difference == 200
    assert row.test.p_value < 0.05
