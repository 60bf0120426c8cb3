"""Retrieval metrics: how well a ranking of passages finds the gold ones, computed by ir-measures.

Rankings are lists of ids, best first; ranks start at 1; every figure lies between 0 and 1 and larger is better. With
`rel(r)` the grade (usually 0 or 1) of what stands at rank r:

* `ndcg@10`   `DCG / ideal DCG`, `DCG = sum over r <= 10 of rel(r) / log2(r + 1)`
              (Järvelin and Kekäläinen, TOIS 2002; trec_eval's linear gain)
* `mrr@10`    `1 / rank` of the first gold one among the first ten, else 0 (Voorhees, TREC-8 1999)
* `recall@k`  share of the gold ones among the first k
* `all_evidence@k`  1 when everything needed is among the first k, else 0: of each group of ids that carry the same
              needed thing at least one. For questions that can only be answered from several passages together
              (the need of MultiHop-RAG, Tang and Yang 2024; the metric is ours)
* `evidence_density`  share of the retrieved characters that are evidence: what the reader, or the model's context, pays
              for recall (ours; falls when passages are needlessly large or many)
"""

from collections.abc import Collection, Mapping, Sequence

import ir_measures
from ir_measures import RR, R, nDCG

from eval.places import Place

RECALL_AT = (1, 5, 10)
ALL_EVIDENCE_AT = (5, 10)

Gold = Mapping[str, int] | Collection[str]

_MEASURES = {"nDCG@10": "ndcg@10", "RR@10": "mrr@10"} | {f"R@{k}": f"recall@{k}" for k in RECALL_AT}
RETRIEVAL_METRICS = (*_MEASURES.values(), *(f"all_evidence@{k}" for k in ALL_EVIDENCE_AT))


def score_rankings(
    rankings: Mapping[str, Sequence[str]],
    gold: Mapping[str, Gold],
    *,
    needs: Mapping[str, Sequence[Collection[str]]] | None = None,
) -> dict[str, dict[str, float]]:
    """Score each question's ranking by every metric of `RETRIEVAL_METRICS`.

    Args:
        rankings: question id -> ids, best first, without repeats; a question that is missing found nothing.
        gold: question id -> the gold ids, or their grades (0 is not gold). A question with no gold id is not scored.
        needs: question id -> groups of ids, for `all_evidence@k`; a question that is missing needs every gold id.

    Returns:
        Question id -> metric name -> value, questions in the order of `gold`.
    """
    graded = {question: grades for question, ids in gold.items() if (grades := _grades(ids))}
    # trec_eval orders by score and breaks ties by id; the negated rank keeps the order it was given.
    run = {
        question: {identity: -float(rank) for rank, identity in enumerate(rankings.get(question, ()), 1)}
        for question in graded
    }
    scores: dict[str, dict[str, float]] = {question: {} for question in graded}
    measures = [nDCG @ 10, RR @ 10, *(R @ k for k in RECALL_AT)]
    for result in ir_measures.iter_calc(measures, graded, run) if graded else ():
        scores[result.query_id][_MEASURES[str(result.measure)]] = float(result.value)
    for question, grades in graded.items():
        groups = needs[question] if needs and question in needs else [[identity] for identity in grades]
        ranking = rankings.get(question, ())
        scores[question].update({f"all_evidence@{k}": all_evidence(ranking[:k], groups) for k in ALL_EVIDENCE_AT})
    return scores


def all_evidence(found: Sequence[str], groups: Sequence[Collection[str]]) -> float:
    """1.0 when of every group at least one id is among those found, else 0.0."""
    return float(all(any(identity in group for identity in found) for group in groups))


def evidence_density(retrieved: Sequence[Place], evidence: Sequence[Place]) -> tuple[float, float]:
    """Characters of evidence among those retrieved, and characters retrieved: the metric's part and whole.

    Passages of one index do not overlap; places of evidence may, and shared characters count once.
    """
    found = 0
    for passage in retrieved:
        held = [
            (max(place.start, passage.start), min(place.end, passage.end))
            for place in evidence
            if place.article_id == passage.article_id
        ]
        reached = passage.start
        for start, end in sorted(held):
            found += max(0, end - max(start, reached))
            reached = max(reached, end)
    return float(found), float(sum(passage.length for passage in retrieved))


def _grades(gold: Gold) -> dict[str, int]:
    graded = dict(gold) if isinstance(gold, Mapping) else dict.fromkeys(gold, 1)
    return {identity: grade for identity, grade in graded.items() if grade > 0}
