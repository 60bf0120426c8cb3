"""Uncertainty: values worked by hand, and what the methods promise over many repeats."""

import numpy as np
import pytest

from eval.statistics import (
    bootstrap_percentile,
    bootstrap_ratio,
    bootstrap_statistic,
    cohen_kappa,
    holm,
    paired_statistic_test,
    paired_test,
    percentile,
    ratio,
)


def test_ratio_is_the_sum_of_parts_over_the_sum_of_wholes() -> None:
    # 1 of 2 citations and 1 of 4: two of six, not the mean of 1/2 and 1/4.
    assert ratio([1, 1], [2, 4]) == pytest.approx(2 / 6)


def test_ratio_of_nothing_is_zero() -> None:
    assert ratio([], []) == 0.0
    assert ratio([0.0], [0.0]) == 0.0


def test_interval_of_equal_values_has_no_width() -> None:
    interval = bootstrap_ratio([0.5, 0.5, 0.5])
    assert (interval.value, interval.low, interval.high, interval.count) == (0.5, 0.5, 0.5, 3)


def test_interval_counts_only_questions_with_something_to_count() -> None:
    interval = bootstrap_ratio([1, 0, 0], [1, 1, 0])
    assert interval.value == 0.5
    assert interval.count == 2


def test_interval_of_no_question_is_zero_with_no_count() -> None:
    assert bootstrap_ratio([]).count == 0


def test_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    values = [float(value) for value in np.random.default_rng(3).random(40)]
    assert bootstrap_ratio(values, seed=1) == bootstrap_ratio(values, seed=1)
    assert bootstrap_ratio(values, seed=1).low != bootstrap_ratio(values, seed=2).low


def test_interval_is_near_the_textbook_one_for_many_coin_tosses() -> None:
    # 400 tosses, half heads: mean +- 1.96 * sqrt(0.25 / 400) = 0.451 .. 0.549.
    interval = bootstrap_ratio([1.0, 0.0] * 200, resamples=4000)
    assert interval.low == pytest.approx(0.451, abs=0.006)
    assert interval.high == pytest.approx(0.549, abs=0.006)


def test_interval_holds_the_truth_in_about_ninety_five_of_a_hundred_samples() -> None:
    generator = np.random.default_rng(11)
    held = 0
    for _ in range(200):
        interval = bootstrap_ratio(list(generator.normal(0.4, 1.0, size=60)), resamples=500)
        held += interval.low <= 0.4 <= interval.high
    assert 0.90 <= held / 200 <= 0.99


def test_bootstrap_of_any_statistic_returns_its_value_on_all_questions() -> None:
    values = np.array([3.0, 1.0, 2.0])
    interval = bootstrap_statistic(3, lambda drawn: float(np.median(values[drawn])))
    assert interval.value == 2.0
    assert interval.low == 1.0
    assert interval.high == 3.0


def test_percentile_has_an_interval_between_its_values() -> None:
    interval = bootstrap_percentile([1.0, 2.0, 3.0, 4.0, 5.0], 50)
    assert (interval.value, interval.count) == (3.0, 5)
    assert 1.0 <= interval.low < 3.0 < interval.high <= 5.0
    assert bootstrap_percentile([], 50).count == 0


def test_permutation_of_three_equal_gains_is_a_quarter() -> None:
    # Eight sign patterns; only +++ and --- reach the difference seen: 2 / 8.
    result = paired_test([(0, 1), (0, 1), (0, 1)], [(1, 1), (1, 1), (1, 1)])
    assert result.difference == 1.0
    assert result.p_value == pytest.approx(2 / 8)


def test_permutation_of_gains_one_two_three_worked_by_hand() -> None:
    # Sums of +-1 +-2 +-3: 6, 4, 2, 0, 0, -2, -4, -6; the gains 3, 2, -1 sum to 4, and four patterns reach |4|: 4 / 8.
    result = paired_test([(0, 1), (0, 1), (1, 1)], [(3, 1), (2, 1), (0, 1)])
    assert result.difference == pytest.approx(4 / 3)
    assert result.p_value == pytest.approx(4 / 8)


def test_equal_runs_are_never_significant() -> None:
    pairs = [(1.0, 1.0), (0.0, 1.0), (0.5, 1.0)]
    result = paired_test(pairs, pairs)
    assert (result.difference, result.low, result.high, result.p_value) == (0.0, 0.0, 0.0, 1.0)


def test_sampled_permutation_agrees_with_the_sign_test() -> None:
    # 14 differing questions, all better: 2 / 2**14, which 2,000 samples can only bound by 1 / 2,001.
    result = paired_test([(0, 1)] * 14, [(1, 1)] * 14)
    assert 1 / 2001 <= result.p_value <= 3 / 2001


def test_paired_ratio_swaps_part_and_whole_together() -> None:
    # A: 1 of 1 and 0 of 3 -> 1/4. B: 1 of 1 and 3 of 3 -> 1. One question differs: both swaps give |3/4|.
    result = paired_test([(1, 1), (0, 3)], [(1, 1), (3, 3)])
    assert result.difference == pytest.approx(3 / 4)
    assert result.p_value == 1.0


def test_a_ratio_one_run_has_no_whole_for_is_compared_as_zero() -> None:
    assert paired_test([(0, 0)], [(1, 1)]).difference == 1.0


def test_unpaired_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="2 results cannot be paired with 1"):
        paired_test([(1, 1), (1, 1)], [(1, 1)])


def test_null_p_values_are_below_five_percent_about_five_times_in_a_hundred() -> None:
    generator = np.random.default_rng(5)
    below = 0
    for _ in range(300):
        a = [(float(value), 1.0) for value in generator.random(40)]
        b = [(float(value), 1.0) for value in generator.random(40)]
        below += paired_test(a, b, resamples=400).p_value < 0.05
    assert 0.02 <= below / 300 <= 0.09


@pytest.mark.parametrize(
    ("given", "adjusted"),
    [
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),  # 3 * .01; then 2 * .03; then max(.06, 1 * .04)
        ([0.5, 0.9], [1.0, 1.0]),
        ([], []),
    ],
)
def test_holm_worked_by_hand(given: list[float], adjusted: list[float]) -> None:
    assert holm(given) == pytest.approx(adjusted)


def test_percentile_is_linear_between_neighbours() -> None:
    assert percentile([10, 20], 50) == 15
    assert percentile([], 95) == 0.0


def test_kappa_worked_by_hand() -> None:
    # Agree on 3 of 4; yes shares 2/4 and 3/4: expected 3/8 + 1/8 = 1/2; (3/4 - 1/2) / (1/2) = 1/2.
    assert cohen_kappa([True, True, False, False], [True, True, True, False]) == pytest.approx(1 / 2)


def test_kappa_of_two_raters_who_only_say_yes_is_one() -> None:
    assert cohen_kappa([True, True], [True, True]) == 1.0


def test_kappa_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        cohen_kappa([], [])


def test_paired_test_of_a_median_sees_a_shift_and_no_shift() -> None:
    first = [float(value) for value in range(30)]
    shifted = [value + 40 for value in first]
    result = paired_statistic_test(first, shifted, lambda rows: float(np.median(rows)), resamples=200)
    assert (result.difference, result.count) == (40.0, 30)
    assert result.p_value <= 0.05
    assert paired_statistic_test(first, first, lambda rows: float(np.median(rows)), resamples=50).p_value == 1.0


def test_paired_test_of_a_statistic_needs_pairs() -> None:
    with pytest.raises(ValueError, match="cannot be paired"):
        paired_statistic_test([1.0], [], lambda rows: float(len(rows)))
    assert paired_statistic_test([], [], lambda rows: float(len(rows))).count == 0
