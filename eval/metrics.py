"""Metric: what each figure of a run means; Result: one question's figures; their summary with intervals.

A question's score in a metric is a part and a whole; a run's figure is `sum(parts) / sum(wholes)`. A metric that does
not apply to a question (evidence of a question without an answer) is absent from its scores. A question that could not
be scored (the model failed) has an error and no scores: it is counted apart, never as right or wrong.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from eval.answer_metrics import aurc, risk_coverage
from eval.statistics import Interval, bootstrap_percentile, bootstrap_ratio, bootstrap_statistic

Group = Literal["outcome", "retrieval", "answer", "citations", "refusal", "coverage", "cost"]
Unit = Literal["share", "milliseconds", "tokens"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure.

    Attributes:
        name: its key in files and on the command line.
        title: its name in reports.
        group: what it is about.
        about: what is counted, over what, and whose definition it is.
        larger_is_better: the direction.
        unit: shares lie between 0 and 1.
        gated: `--no-worse-than` watches it.
    """

    name: str
    title: str
    group: Group
    about: str
    larger_is_better: bool = True
    unit: Unit = "share"
    gated: bool = False


METRICS: tuple[Metric, ...] = (
    Metric(
        "correct", "Correct", "outcome",
        "answerable: not refused, says every must_include group and no must_not_include phrase; not answerable: "
        "refuses, or corrects the question by saying every must_include group", gated=True,
    ),
    Metric(
        "correct_and_cited", "Correct and rightly cited", "outcome",
        "correct, cites an article of every must_cite group, and no article without evidence", gated=True,
    ),
    Metric("ndcg@10", "nDCG@10", "retrieval",
           "gold passages ranked high: DCG / ideal DCG (Järvelin and Kekäläinen 2002)", gated=True),
    Metric("mrr@10", "MRR@10", "retrieval", "1 / rank of the first gold passage (Voorhees 1999)"),
    Metric("recall@1", "Recall@1", "retrieval", "share of the gold passages at rank 1"),
    Metric("recall@5", "Recall@5", "retrieval", "share of the gold passages among the first 5"),
    Metric("recall@10", "Recall@10", "retrieval", "share of the gold passages among the first 10"),
    Metric("all_evidence@5", "All evidence@5", "retrieval", "everything the answer needs is among the first 5"),
    Metric("all_evidence@10", "All evidence@10", "retrieval",
           "everything the answer needs is among the first 10", gated=True),
    Metric("evidence_density", "Evidence density", "retrieval",
           "characters of evidence / characters retrieved", gated=True),
    Metric("must_include", "Says what it must", "answer", "share of the must_include groups the answer says"),
    Metric("must_not_include", "Says nothing forbidden", "answer", "the answer says no must_not_include phrase"),
    Metric("token_f1", "Token F1", "answer", "words shared with the reference answer, F1 (SQuAD 2016)"),
    Metric("exact_match", "Exact match", "answer", "the same words as the reference answer (SQuAD 2016)"),
    Metric("rouge_l", "ROUGE-L", "answer", "longest common subsequence with the reference, F1 (Lin 2004)"),
    Metric("support_recall", "Citation recall, by support", "citations",
           "sentences that what they cite supports / sentences (ALCE, Gao et al. 2023)", gated=True),
    Metric("support_precision", "Citation precision, by support", "citations",
           "citations their sentence needs / citations (ALCE, Gao et al. 2023)", gated=True),
    Metric("evidence_recall", "Citation recall, by evidence", "citations",
           "needed pieces of evidence a citation opens on / needed pieces", gated=True),
    Metric("evidence_precision", "Citation precision, by evidence", "citations",
           "citations that open on evidence / citations", gated=True),
    Metric("must_cite", "Cites what it must", "citations", "an article of every must_cite group is cited"),
    Metric("wrong_source", "Wrong source", "citations",
           "citations of an article without evidence / citations", larger_is_better=False, gated=True),
    Metric("unresolved_markers", "Markers of no source", "citations",
           "markers that name no source / markers written", larger_is_better=False, gated=True),
    Metric("refusal_precision", "Refusal precision", "refusal", "rightly refused / refused"),
    Metric("refusal_recall", "Refusal recall", "refusal", "rightly refused / not answerable"),
    Metric("refusal_f1", "Refusal F1", "refusal", "harmonic mean of refusal precision and recall", gated=True),
    Metric("aurc", "Area under risk-coverage", "refusal",
           "mean share of wrong answers as ever less confident ones are accepted (Geifman et al. 2019); the confidence "
           "is the answer's own where it quotes, else the score of the best passage", larger_is_better=False),
    Metric("origins", "Origins right", "coverage", "the number of independent reports is the expected one"),
    Metric("coverage_precision", "Coverage precision", "coverage",
           "articles rightly named as reporting the same / articles named"),
    Metric("coverage_recall", "Coverage recall", "coverage",
           "articles rightly named as reporting the same / articles that do"),
    Metric("difference_precision", "Difference precision", "coverage",
           "differences shown that exist / differences shown"),
    Metric("difference_recall", "Difference recall", "coverage",
           "differences shown that exist / differences that exist"),
    Metric("judged_correct", "Judged correct", "answer", "graded correct by the judge model"),
    Metric("judged_faithful", "Judged faithful", "citations", "graded faithful to its sources by the judge model"),
    Metric("latency_p50", "Latency, median", "cost", "time to the whole answer, median",
           larger_is_better=False, unit="milliseconds"),
    Metric("latency_p95", "Latency, 95th percentile", "cost", "time to the whole answer, 95th percentile",
           larger_is_better=False, unit="milliseconds"),
    Metric("prompt_tokens", "Prompt tokens", "cost", "tokens read by the model, a question",
           larger_is_better=False, unit="tokens"),
    Metric("completion_tokens", "Answer tokens", "cost", "tokens written by the model, a question",
           larger_is_better=False, unit="tokens"),
)  # fmt: skip
METRIC = {metric.name: metric for metric in METRICS}
# Not a ratio of sums over questions: each is computed from all results at once.
WHOLE_RUN = frozenset({"aurc", "latency_p50", "latency_p95"})

Score = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Result:
    """One question's figures.

    Attributes:
        id: the question's.
        category: the question's.
        answerable: the question's.
        refused: what the answer did.
        scores: metric name -> (part, whole); metrics that do not apply are absent.
        faults: what failed and why, a sentence each; empty where the answer is correct and rightly cited.
        remarks: what is worth a look though it failed nothing.
        confidence: the answer's own, else the score of the best passage; None where refused or nothing was found.
        latency_ms: time to the whole answer.
        error: why it could not be scored; then there are no scores.
    """

    id: str
    category: str
    answerable: bool
    refused: bool = False
    scores: Mapping[str, Score] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    confidence: float | None = None
    latency_ms: int = 0
    error: str = ""

    @property
    def correct(self) -> bool | None:
        """Whether the answer is correct; None where nobody can say (no must_include) or it could not be scored."""
        score = self.scores.get("correct")
        return None if score is None else score[0] > 0


def result_json(result: Result) -> dict[str, Any]:
    """One line of results.jsonl."""
    return asdict(result) | {"scores": {name: list(score) for name, score in result.scores.items()}}


def read_result(data: Mapping[str, Any]) -> Result:
    """Read a line of results.jsonl back."""
    scores = {name: (float(part), float(whole)) for name, (part, whole) in data["scores"].items()}
    texts = {name: tuple(data[name]) for name in ("faults", "remarks")}
    return Result(**(dict(data) | {"scores": scores} | texts))


@dataclass(frozen=True, slots=True)
class Figures:
    """Every metric that applies to some questions, and how many could not be scored."""

    questions: int
    unscored: int
    metrics: Mapping[str, Interval]


def summarise(results: Sequence[Result], *, seed: int = 0) -> Figures:
    """The figures of some questions, each with its 95 % interval, in the order of `METRICS`."""
    scored = [result for result in results if not result.error]
    metrics: dict[str, Interval] = {}
    for metric in METRICS:
        interval = (
            _whole_run(metric.name, scored, seed=seed)
            if metric.name in WHOLE_RUN
            else _ratio(metric.name, scored, seed=seed)
        )
        if interval.count:
            metrics[metric.name] = interval
    return Figures(len(results), len(results) - len(scored), metrics)


def by_category(results: Sequence[Result], *, seed: int = 0) -> dict[str, Figures]:
    """The figures of each category, categories in the order in which they first come."""
    categories = dict.fromkeys(result.category for result in results)
    return {
        category: summarise([result for result in results if result.category == category], seed=seed)
        for category in categories
    }


def given_answers(results: Sequence[Result]) -> list[tuple[float, bool]]:
    """(confidence, wrong) of each answer that was given and can be called right or wrong."""
    return [
        (result.confidence if result.confidence is not None else 0.0, not result.correct)
        for result in results
        if not result.error and not result.refused and result.correct is not None
    ]


def risk_curve(results: Sequence[Result]) -> list[tuple[float, float]]:
    """The risk-coverage curve of a run: (share accepted, share of those wrong)."""
    asked = sum(result.correct is not None for result in results)
    points = risk_coverage(given_answers(results), questions=asked) if asked else []
    return [(point.coverage, point.risk) for point in points]


def _ratio(name: str, results: Sequence[Result], *, seed: int) -> Interval:
    scores = [result.scores[name] for result in results if name in result.scores]
    return bootstrap_ratio([part for part, _ in scores], [whole for _, whole in scores], seed=seed)


def _whole_run(name: str, results: Sequence[Result], *, seed: int) -> Interval:
    if name == "aurc":
        answers = given_answers(results)
        return bootstrap_statistic(len(answers), lambda drawn: aurc([answers[i] for i in drawn]), seed=seed)
    times = [result.latency_ms for result in results]
    return bootstrap_percentile(times, 50 if name == "latency_p50" else 95, seed=seed)
