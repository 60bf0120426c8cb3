"""Uncertainty: bootstrap intervals and paired tests over questions.

A metric over a set of questions is a ratio `sum(parts) / sum(wholes)`. A plain mean is the ratio whose wholes are all
1; refusal precision, F1 and the rates over citations or markers are ratios whose wholes differ from question to
question. Resampling whole questions keeps the parts and wholes of one question together, so one code path serves them
all.

Everything is seeded: the same values give the same interval. Nothing here knows what a question is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
LEVEL = 0.95
_EXACT_UP_TO = 12  # differing pairs whose 2 ** n sign patterns are all counted instead of sampled

Floats = NDArray[np.float64]
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its bootstrap interval; `count` is how many questions stand behind it."""

    value: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class PairedTest:
    """How two runs differ on the same questions.

    Attributes:
        difference: the second minus the first.
        low: lower end of its 95 % paired-bootstrap interval.
        high: upper end.
        p_value: two-sided, of the paired permutation test.
        count: pairs compared.
    """

    difference: float
    low: float
    high: float
    p_value: float
    count: int


def ratio(parts: Sequence[float], wholes: Sequence[float]) -> float:
    """`sum(parts) / sum(wholes)`; 0.0 where the wholes are nothing."""
    whole = float(np.sum(wholes))
    return float(np.sum(parts)) / whole if whole else 0.0


def bootstrap_ratio(
    parts: Sequence[float], wholes: Sequence[float] | None = None, *, seed: int = 0, resamples: int = RESAMPLES
) -> Interval:
    """The percentile bootstrap interval of a ratio (Efron and Tibshirani 1993, chapter 13).

    Questions are drawn with replacement, the ratio is taken of each draw, and the 2.5th and 97.5th percentiles are the
    interval's ends. A draw whose wholes are nothing is left out.

    Args:
        parts: one number a question.
        wholes: one number a question; None means 1 each, which makes the ratio a mean.
        seed: of the draws.
        resamples: how many draws.

    Returns:
        The ratio with its interval; for no question at all zeros and a count of 0.
    """
    part = np.asarray(parts, dtype=np.float64)
    whole = np.ones_like(part) if wholes is None else np.asarray(wholes, dtype=np.float64)
    count = int(np.count_nonzero(whole))
    if not count:
        return Interval(0.0, 0.0, 0.0, 0)
    weights = _draws(len(part), seed=seed, resamples=resamples)
    low, high = _percentiles(_divide(weights @ part, weights @ whole))
    return Interval(ratio(parts, list(whole)), low, high, count)


def bootstrap_statistic(
    count: int, statistic: Callable[[NDArray[np.intp]], float], *, seed: int = 0, resamples: int = 500
) -> Interval:
    """The percentile bootstrap interval of any statistic of `count` questions.

    Args:
        count: how many questions there are.
        statistic: takes the positions drawn (with repeats) and returns the figure; called with all of them once for
            the value itself.
        seed: of the draws.
        resamples: how many draws.
    """
    if not count:
        return Interval(0.0, 0.0, 0.0, 0)
    generator = np.random.default_rng(seed)
    draws = np.array([statistic(generator.integers(0, count, size=count)) for _ in range(resamples)])
    low, high = _percentiles(draws)
    return Interval(statistic(np.arange(count)), low, high, count)


def bootstrap_percentile(values: Sequence[float], percent: float, *, seed: int = 0, resamples: int = 1000) -> Interval:
    """A percentile of the values with its bootstrap interval."""
    if not len(values):
        return Interval(0.0, 0.0, 0.0, 0)
    array = np.asarray(values, dtype=np.float64)
    drawn = np.random.default_rng(seed).integers(0, len(array), size=(resamples, len(array)))
    low, high = _percentiles(np.percentile(array[drawn], percent, axis=1))
    return Interval(percentile(values, percent), low, high, len(array))


def paired_test(
    first: Sequence[tuple[float, float]],
    second: Sequence[tuple[float, float]],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> PairedTest:
    """Compare two runs on the same questions, each given as (part, whole) a question in the same order.

    The p-value is `permutation_test`'s. The interval is the paired bootstrap's: the same questions are drawn for both.

    Raises:
        ValueError: the two are not of one length.
    """
    difference, p_value = permutation_test(first, second, seed=seed, resamples=resamples)
    if not len(first):
        return PairedTest(0.0, 0.0, 0.0, 1.0, 0)
    weights = _draws(len(first), seed=seed, resamples=resamples)
    low, high = _percentiles(_ratio_of(weights @ _columns(second)) - _ratio_of(weights @ _columns(first)))
    return PairedTest(difference, low, high, p_value, len(first))


def permutation_test(
    first: Sequence[tuple[float, float]],
    second: Sequence[tuple[float, float]],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> tuple[float, float]:
    """The difference of two runs, the second less the first, and its two-sided p-value.

    The paired permutation (Fisher randomisation) test, which Smucker, Allan and Carterette (CIKM 2007) recommend for
    retrieval: if the two runs were alike, each question's two results could be swapped; p is the share of swaps whose
    difference is at least as large as the one seen. All swaps are counted where at most 12 questions differ; otherwise
    they are sampled, and the sample counts the arrangement seen as one of its own, so that p is never 0 (Phipson and
    Smyth 2010).

    Raises:
        ValueError: the two are not of one length.
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} results cannot be paired with {len(second)}")
    a, b = _columns(first), _columns(second)
    observed = _difference(a.sum(axis=0), b.sum(axis=0))
    return observed, _permutation_p(a, b, observed, seed=seed, resamples=resamples)


def paired_statistic_test(
    first: Sequence[Row],
    second: Sequence[Row],
    statistic: Callable[[Sequence[Row]], float],
    *,
    seed: int = 0,
    resamples: int = 500,
) -> PairedTest:
    """`paired_test` for a figure that is no ratio of sums, such as a percentile: by the same two methods, sampled.

    Args:
        first: a row a question.
        second: the same questions' rows.
        statistic: the figure of some rows.
        seed: of the draws.
        resamples: how many draws.

    Raises:
        ValueError: the two are not of one length.
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} results cannot be paired with {len(second)}")
    count = len(first)
    if not count:
        return PairedTest(0.0, 0.0, 0.0, 1.0, 0)
    generator = np.random.default_rng(seed)
    observed = statistic(second) - statistic(first)
    draws = np.empty(resamples)
    extreme = 0
    for number in range(resamples):
        drawn = generator.integers(0, count, size=count)
        draws[number] = statistic([second[i] for i in drawn]) - statistic([first[i] for i in drawn])
        swap = generator.integers(0, 2, size=count)
        one = [second[i] if swap[i] else first[i] for i in range(count)]
        other = [first[i] if swap[i] else second[i] for i in range(count)]
        extreme += abs(statistic(other) - statistic(one)) >= abs(observed) - 1e-12
    low, high = _percentiles(draws)
    return PairedTest(observed, low, high, (extreme + 1) / (resamples + 1), count)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for how many are looked at together (Holm 1979), in the order given.

    The smallest of m is multiplied by m, the next by m - 1 and so on, never falling below the one before: the chance
    that any true null is called significant stays at the level chosen.
    """
    adjusted = [1.0] * len(p_values)
    floor = 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        floor = max(floor, min(1.0, p_values[index] * (len(p_values) - place)))
        adjusted[index] = floor
    return adjusted


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that `percent` % of the values do not exceed, linear between neighbours; 0.0 for none."""
    return float(np.percentile(np.asarray(values, dtype=np.float64), percent)) if len(values) else 0.0


def cohen_kappa(first: Sequence[bool], second: Sequence[bool]) -> float:
    """Agreement of two yes/no raters beyond chance (Cohen 1960): `(seen - expected) / (1 - expected)`.

    1.0 is full agreement, 0.0 what chance gives. Where chance alone must agree fully (both always say the same one
    thing) there is nothing beyond it to measure, and agreement is given as 1.0.

    Raises:
        ValueError: the two are not of one length, or empty.
    """
    if len(first) != len(second) or not first:
        raise ValueError("kappa needs two ratings of each of at least one item")
    count = len(first)
    seen = sum(a == b for a, b in zip(first, second, strict=True)) / count
    yes_first, yes_second = sum(first) / count, sum(second) / count
    expected = yes_first * yes_second + (1 - yes_first) * (1 - yes_second)
    return 1.0 if expected == 1.0 else (seen - expected) / (1 - expected)


@lru_cache(maxsize=8)
def _draws(count: int, *, seed: int, resamples: int) -> Floats:
    """How often each of `count` questions is drawn: one row a resample, each row's sum `count`."""
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(count, np.full(count, 1.0 / count), size=resamples).astype(np.float64)
    drawn.setflags(write=False)  # shared by every metric over as many questions
    return drawn


def _columns(pairs: Sequence[tuple[float, float]]) -> Floats:
    return np.asarray(pairs, dtype=np.float64).reshape(-1, 2)


def _divide(parts: Floats, wholes: Floats) -> Floats:
    """Part by whole, without the entries whose whole is nothing."""
    usable = wholes > 0
    return parts[usable] / wholes[usable]


def _ratio_of(sums: Floats) -> Floats:
    """The ratio of each row (part, whole); 0.0 where the whole is nothing."""
    empty = sums[:, 1] <= 0
    divided: Floats = np.where(empty, 0.0, sums[:, 0] / np.where(empty, 1.0, sums[:, 1]))
    return divided


def _difference(a: Floats, b: Floats) -> float:
    return float(_ratio_of(b.reshape(1, 2))[0] - _ratio_of(a.reshape(1, 2))[0])


def _percentiles(values: Floats) -> tuple[float, float]:
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(values, [tail, 100 - tail])
    return float(low), float(high)


def _permutation_p(a: Floats, b: Floats, observed: float, *, seed: int, resamples: int) -> float:
    """The two-sided p-value; questions on which both agree cannot change a swap and are only added."""
    differ = np.any(a != b, axis=1)
    count = int(differ.sum())
    if not count:
        return 1.0
    exact = count <= _EXACT_UP_TO
    if exact:
        swaps = np.array(list(product((0.0, 1.0), repeat=count)))
    else:
        # Another stream than the bootstrap's, so that the two figures do not share their luck.
        swaps = np.random.default_rng([seed, 1]).integers(0, 2, size=(resamples, count)).astype(np.float64)
    same = a[~differ].sum(axis=0)
    swapped_a = same + (1 - swaps) @ a[differ] + swaps @ b[differ]
    swapped_b = same + (1 - swaps) @ b[differ] + swaps @ a[differ]
    differences = np.abs(_ratio_of(swapped_b) - _ratio_of(swapped_a))
    # Sums in another order differ in the last bits; equal differences must count as equal.
    extreme = int(np.count_nonzero(differences >= abs(observed) - 1e-12))
    return extreme / len(swaps) if exact else (extreme + 1) / (resamples + 1)
