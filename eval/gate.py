"""Gate: what a run must reach or hold for a change to pass, each failure in a sentence.

Two kinds of condition. A threshold holds one figure against a number. "No worse than" holds the gated metrics of
`eval.metrics` against another run's, question by question, and fails only where a paired permutation test, adjusted by
Holm for how many metrics are watched, says that chance alone would hardly do it: so the noise of a model's wording does
not stop a change, and a fault does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from eval.compare import compare_results, paired_scores
from eval.metrics import METRIC, METRICS, Result, summarise
from eval.runs import Run
from eval.statistics import Interval, holm, permutation_test
from index.errors import QuestionSetError

# The chance that a run as good as the one before is failed. One in a hundred, so that a quiet gate is believed.
SIGNIFICANCE = 0.01
GATED = tuple(metric for metric in METRICS if metric.gated)
# So many swaps that the smallest p-value, multiplied by the number of metrics, can still be significant.
_RESAMPLES = 5000
# A gate that passes because little could be scored is no gate.
MOST_UNSCORED = 0.05


@dataclass(frozen=True, slots=True)
class Threshold:
    """A figure to reach: at least `value` where larger is better, at most where smaller is."""

    metric: str
    value: float


def read_threshold(text: str) -> Threshold:
    """Read `metric=value`.

    Raises:
        QuestionSetError: it has another form, or names no metric.
    """
    name, _, value = text.partition("=")
    if name not in METRIC:
        raise QuestionSetError(f"{text!r} names no metric; one of: {', '.join(METRIC)}.")
    try:
        return Threshold(name, float(value))
    except ValueError as exc:
        raise QuestionSetError(f"{text!r}: expected metric=number, such as correct=0.7.") from exc


def below_thresholds(results: Sequence[Result], thresholds: Sequence[Threshold]) -> list[str]:
    """A sentence for each threshold the results do not meet, and one if too many could not be scored."""
    figures = summarise(results)
    failures = []
    if figures.unscored > MOST_UNSCORED * figures.questions:
        failures.append(f"{figures.unscored} of {figures.questions} questions could not be scored.")
    for threshold in thresholds:
        metric, figure = METRIC[threshold.metric], figures.metrics.get(threshold.metric)
        if figure is None:
            failures.append(f"{metric.title} ({metric.name}) was not measured in this run.")
        elif not _meets(figure, threshold):
            limit = "at least" if metric.larger_is_better else "at most"
            failures.append(
                f"{metric.title} ({metric.name}) is {figure.value:.3f} "
                f"[{figure.low:.3f}, {figure.high:.3f}]; {limit} {threshold.value:g} is asked for."
            )
    return failures


def worse_than(run: Run, baseline: Run) -> list[str]:
    """A sentence for each gated metric in which `run` is worse than `baseline` by more than chance.

    Raises:
        QuestionSetError: the two were not asked the same questions.
    """
    if {question.id: question for question in run.questions} != {
        question.id: question for question in baseline.questions
    }:
        raise QuestionSetError(
            f"{run.name} and {baseline.name} were asked different questions; run both on the same set."
        )
    scored = {result.id: result for result in baseline.results if not result.error}
    pairs = [(scored[result.id], result) for result in run.results if not result.error and result.id in scored]
    return regressions([before for before, _ in pairs], [after for _, after in pairs])


def regressions(before: Sequence[Result], after: Sequence[Result], *, seed: int = 0) -> list[str]:
    """A sentence for each gated metric that is worse afterwards by more than chance; same questions, same order."""
    scores = {metric.name: paired_scores(metric.name, before, after) for metric in GATED}
    tests = {name: permutation_test(*pair, seed=seed, resamples=_RESAMPLES) for name, pair in scores.items() if pair[0]}
    adjusted = holm([p_value for _, p_value in tests.values()])
    failures = []
    for (name, (difference, _)), p_value in zip(tests.items(), adjusted, strict=True):
        metric = METRIC[name]
        worse = difference < 0 if metric.larger_is_better else difference > 0
        if worse and p_value < SIGNIFICANCE:
            row = compare_results(before, after, metrics=[metric], seed=seed)[0]
            failures.append(
                f"{metric.title} ({metric.name}) went from {row.first:.3f} to {row.second:.3f} "
                f"(difference {difference:+.3f} [{row.test.low:+.3f}, {row.test.high:+.3f}], "
                f"p {p_value:.4f} adjusted for {len(tests)} metrics)."
            )
    return failures


def _meets(figure: Interval, threshold: Threshold) -> bool:
    if METRIC[threshold.metric].larger_is_better:
        return figure.value >= threshold.value
    return figure.value <= threshold.value
