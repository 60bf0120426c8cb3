"""The gate: quiet on noise, tripped by faults, and clear about why."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from eval.gate import Threshold, below_thresholds, read_threshold, regressions, worse_than
from eval.gate_check import check_faults, check_quiet, never_refuse, shift_markers, with_noise
from eval.metrics import Result
from index.errors import QuestionSetError
from tests.evaluation import answer, passage, result, small_settings, write_set
from tests.test_compare import run_of


def results_of(right: int, count: int = 40) -> list[Result]:
    return [result(str(number), correct=number < right) for number in range(count)]


def test_threshold_reads_metric_and_value() -> None:
    assert read_threshold("correct=0.7") == Threshold("correct", 0.7)


@pytest.mark.parametrize(("text", "complaint"), [("corect=1", "names no metric"), ("correct=high", "metric=number")])
def test_threshold_that_cannot_be_used_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(QuestionSetError, match=complaint):
        read_threshold(text)


def test_figure_below_its_threshold_is_told_with_its_interval() -> None:
    assert below_thresholds(results_of(30), [Threshold("correct", 0.75)]) == []
    failures = below_thresholds(results_of(30), [Threshold("correct", 0.8)])
    assert len(failures) == 1
    assert failures[0].startswith("Correct (correct) is 0.750 [")
    assert failures[0].endswith("at least 0.8 is asked for.")


def test_figure_that_should_be_small_fails_above_its_threshold() -> None:
    results = [result("a", scores={"wrong_source": (1.0, 4.0)})]
    assert below_thresholds(results, [Threshold("wrong_source", 0.25)]) == []
    assert "at most 0.2 is asked for" in below_thresholds(results, [Threshold("wrong_source", 0.2)])[0]


def test_figure_that_was_not_measured_does_not_pass() -> None:
    assert below_thresholds(results_of(1), [Threshold("judged_correct", 0.1)]) == [
        "Judged correct (judged_correct) was not measured in this run."
    ]


def test_run_of_which_little_could_be_scored_does_not_pass() -> None:
    results = [*results_of(10, 10), replace(result("x"), scores={}, error="timed out")]
    assert below_thresholds(results, []) == ["1 of 11 questions could not be scored."]


def test_regression_is_told_and_an_improvement_is_not() -> None:
    failures = regressions(results_of(36), results_of(12))
    assert any(failure.startswith("Correct (correct) went from 0.900 to 0.300") for failure in failures)
    assert regressions(results_of(12), results_of(36)) == []


def test_small_change_is_noise() -> None:
    assert regressions(results_of(36), results_of(34)) == []


def test_runs_of_different_sets_are_not_held_to_each_other() -> None:
    with pytest.raises(QuestionSetError, match="different questions"):
        worse_than(run_of("one", "a", ids="ab"), run_of("two", "a", ids="abc"))
    assert worse_than(run_of("one", "ab"), run_of("two", "ab")) == []


@pytest.mark.parametrize("noise", [0.1, 0.4])
def test_gate_is_quiet_on_two_runs_alike_but_for_chance(noise: float) -> None:
    results = [
        result(str(number), correct=number % 3 > 0, category="even" if number % 2 else "odd") for number in range(120)
    ]
    assert check_quiet(results, noise=noise, repeats=100).quiet >= 95


def test_noise_changes_results() -> None:
    """The check above would be worth nothing if both runs were the same."""
    results = results_of(10, 20)
    noisy = with_noise(results, 0.4, random.Random(1))
    assert 0 < sum(one.correct != other.correct for one, other in zip(results, noisy, strict=True)) < 20


FIRST, SECOND = passage("p1", "flood", 0, 20), passage("p2", "flood", 20, 60)


def test_shifted_markers_name_the_next_passage_and_the_last_none() -> None:
    given = answer("Six people drowned [1].", (1, FIRST, "supported"), (2, SECOND, "supported"))
    shifted = shift_markers(given)
    assert shifted.text == "Six people drowned [2]."
    assert [citation.passage.id for citation in shifted.citations] == ["p2"]
    assert shifted.citations[0].support == "unsupported"
    beyond = shift_markers(replace(given, text="Soldiers came [2]."))
    assert (beyond.unresolved_markers, beyond.citations) == ((3,), ())


def test_refusal_turned_off_quotes_the_best_passage() -> None:
    refused = replace(answer("", (1, FIRST, "supported"), refused=True), citations=())
    given = never_refuse(refused)
    assert (given.refused, given.text) == (False, "Six people drowned. [1]")
    assert [citation.passage.id for citation in given.citations] == ["p1"]


def test_faults_are_put_in_one_after_the_other_and_cleared_away(tmp_path: Path) -> None:
    questions, articles = write_set(tmp_path)
    told: list[tuple[int, int]] = []
    sound, faults = check_faults(
        small_settings(tmp_path / "home"),
        questions,
        articles,
        folder=tmp_path / "index",
        on_progress=lambda done, total: told.append((done, total)),
    )
    assert [one.id for one in sound] == ["soldiers", "rise", "start", "goalkeeper"]
    assert [fault.name for fault in faults][-1] == "half of the index missing"
    assert told == [(number, 5) for number in range(1, 6)]
    # Four questions are too few for any test to say that it was not chance.
    assert all(fault.failures == () for fault in faults)
    assert not (tmp_path / "index").exists()
