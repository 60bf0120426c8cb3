"""Compare: what differs between runs on the same questions, and whether by more than chance."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from eval.answer_metrics import aurc
from eval.metrics import METRICS, WHOLE_RUN, Metric, Result, Score, given_answers
from eval.runs import Run
from eval.statistics import PairedTest, holm, paired_statistic_test, paired_test, percentile, ratio
from index.errors import QuestionSetError


@dataclass(frozen=True, slots=True)
class MetricComparison:
    """One metric in two runs.

    Attributes:
        name: the metric's.
        first: the first run's figure on the questions both could be scored on.
        second: the second run's.
        test: their difference, its interval and p-value.
        adjusted_p: the p-value, adjusted by Holm for all metrics compared.
    """

    name: str
    first: float
    second: float
    test: PairedTest
    adjusted_p: float


@dataclass(frozen=True, slots=True)
class Flip:
    """A question that one run answered correctly and the other did not."""

    id: str
    category: str
    question: str
    gained: bool
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs side by side.

    Attributes:
        first: the first run's name.
        second: the second run's name.
        questions: how many both were scored on.
        left_out: how many only one of them asked, asked otherwise, or could score.
        metrics: a row a metric that applies to both.
        flips: what became correct (`gained`) or ceased to be, with the faults of the run that is wrong.
        settings: what differs of settings, hashes, versions: `name -> (first, second)`.
    """

    first: str
    second: str
    questions: int
    left_out: int
    metrics: tuple[MetricComparison, ...]
    flips: tuple[Flip, ...]
    settings: Mapping[str, tuple[Any, Any]]


def compare_runs(first: Run, second: Run) -> Comparison:
    """Compare two runs, question by question.

    Raises:
        QuestionSetError: they have no question in common that both could be scored on.
    """
    asked = {question.id: question for question in first.questions}
    same = [question for question in second.questions if asked.get(question.id) == question]
    one, other = ({result.id: result for result in run.results} for run in (first, second))
    pairs = [(one[question.id], other[question.id]) for question in same]
    pairs = [(a, b) for a, b in pairs if not a.error and not b.error]
    if not pairs:
        raise QuestionSetError(f"{first.name} and {second.name} have no scored question in common.")
    texts = {question.id: question.question for question in same}
    return Comparison(
        first=first.name,
        second=second.name,
        questions=len(pairs),
        left_out=len({*asked, *(question.id for question in second.questions)}) - len(pairs),
        metrics=compare_results([a for a, _ in pairs], [b for _, b in pairs]),
        flips=tuple(
            Flip(a.id, a.category, texts[a.id], bool(b.correct), a.faults if b.correct else b.faults)
            for a, b in pairs
            if a.correct != b.correct and a.correct is not None and b.correct is not None
        ),
        settings=differing_settings(first.info, second.info),
    )


def compare_results(
    first: Sequence[Result],
    second: Sequence[Result],
    *,
    metrics: Sequence[Metric] = METRICS,
    seed: int = 0,
) -> tuple[MetricComparison, ...]:
    """Compare two lists of results of the same questions in the same order, by every metric both have."""
    rows = []
    for metric in metrics:
        row = _whole_run(metric.name, first, second, seed=seed) if metric.name in WHOLE_RUN else None
        if metric.name not in WHOLE_RUN:
            row = _ratio(metric.name, first, second, seed=seed)
        if row:
            rows.append((metric.name, *row))
    adjusted = holm([test.p_value for _, _, _, test in rows])
    return tuple(
        MetricComparison(name, before, after, test, p)
        for (name, before, after, test), p in zip(rows, adjusted, strict=True)
    )


def differing_settings(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What differs between two run.json of what decides their figures."""
    one, other = _flat(first), _flat(second)
    return {
        name: (one.get(name), other.get(name))
        for name in dict.fromkeys([*one, *other])
        if one.get(name) != other.get(name)
    }


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """The comparison as one JSON object."""
    return asdict(comparison)


def paired_scores(name: str, first: Sequence[Result], second: Sequence[Result]) -> tuple[list[Score], list[Score]]:
    """A metric's (part, whole) in two lists of results of the same questions; both empty where neither has it.

    Where it does not apply to an answer (one that was refused) it adds nothing to part or whole.
    """
    pairs = [
        (a.scores.get(name, (0.0, 0.0)), b.scores.get(name, (0.0, 0.0)))
        for a, b in zip(first, second, strict=True)
        if name in a.scores or name in b.scores
    ]
    one, other = [a for a, _ in pairs], [b for _, b in pairs]
    return (one, other) if any(whole for _, whole in one + other) else ([], [])


def _ratio(
    name: str, first: Sequence[Result], second: Sequence[Result], *, seed: int
) -> tuple[float, float, PairedTest] | None:
    one, other = paired_scores(name, first, second)
    if not one:
        return None
    before, after = (ratio([part for part, _ in side], [whole for _, whole in side]) for side in (one, other))
    return before, after, paired_test(one, other, seed=seed)


def _whole_run(
    name: str, first: Sequence[Result], second: Sequence[Result], *, seed: int
) -> tuple[float, float, PairedTest] | None:
    if name == "aurc":
        if not given_answers(first) or not given_answers(second):
            return None
        statistic = _aurc
    else:
        statistic = _median_latency if name == "latency_p50" else _slow_latency
    test = paired_statistic_test(first, second, statistic, seed=seed)
    return statistic(first), statistic(second), test


def _aurc(results: Sequence[Result]) -> float:
    return aurc(given_answers(results))


def _median_latency(results: Sequence[Result]) -> float:
    return percentile([result.latency_ms for result in results], 50)


def _slow_latency(results: Sequence[Result]) -> float:
    return percentile([result.latency_ms for result in results], 95)


def _flat(info: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {name: info.get(name) for name in ("model", "concurrency")}
    for group in ("settings", "versions", "sha256"):
        flat.update({f"{group}.{name}": value for name, value in info.get(group, {}).items()})
    return flat | {"git.revision": (info.get("git") or {}).get("revision")}
