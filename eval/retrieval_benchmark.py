"""Retrieval benchmark: Byline's retriever beside its parts on BEIR folders, in one table with intervals and tests.

Always the same four, over the same passages and vectors: BM25 alone, dense vectors alone, the two by plain reciprocal
rank fusion (k 60, equal weights; Cormack, Clarke and Büttcher, SIGIR 2009), and Byline's retriever. A document counts
at the rank of its best passage. A follow-up is asked in the words of its turns by all four; Byline's retriever is told
the turns as well. The index is made in a temporary folder.
"""

import hashlib
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.beir import BeirQuery, BeirSet
from eval.retrieval_metrics import score_rankings
from eval.runner import own_index
from eval.statistics import Interval, PairedTest, bootstrap_ratio, paired_test, percentile
from index.embeddings import load_embedding
from index.opening import open_store
from index.passages import Passage, cut_passages
from index.records import Embedded
from index.settings import Settings
from index.store import PassageStore
from index.writing import embed_passages
from rag.conversation import spoken_of, words_of_turns
from rag.retrieval import NewsRetriever

METRICS = ("ndcg@10", "mrr@10", "recall@10", "all_evidence@10")
OURS = "byline"
BASELINES = ("bm25", "dense", "plain fusion")

_PASSAGES = 50  # taken from each list, so that ten documents remain of passages that share them
_FUSION_OFFSET = 60
_ARTICLES_A_WRITE = 64

# The question as it stands alone, and what was spoken of before it.
Search = Callable[[str, str], list[Passage]]


@dataclass(frozen=True, slots=True)
class SystemFigures:
    """One retriever on one set.

    Attributes:
        system: its name.
        metrics: metric -> mean with its interval.
        against: metric -> Byline's difference to it, paired; empty for Byline itself.
        by_category: category -> metric -> mean, where the set has categories.
        milliseconds: median time of a search.
    """

    system: str
    metrics: Mapping[str, Interval]
    against: Mapping[str, PairedTest]
    by_category: Mapping[str, Mapping[str, float]]
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Benchmark:
    """All retrievers on one set.

    Attributes:
        name: the set.
        documents: how many it has.
        passages: into how many they were cut.
        queries: how many were asked.
        askable: how many have a relevant document; more than `queries` where only a part of them was asked.
        left_out: how many have none.
        follow_ups: how many of those asked have turns before them.
        systems: the figures of each retriever.
    """

    name: str
    documents: int
    passages: int
    queries: int
    askable: int
    left_out: int
    follow_ups: int
    systems: tuple[SystemFigures, ...]


def benchmark(
    beir: BeirSet,
    settings: Settings,
    *,
    limit: int | None = None,
    sample: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Benchmark:
    """Measure the four retrievers on a set.

    Args:
        beir: the set.
        settings: embedding and passage length; `home` is replaced by a temporary folder.
        limit: only the first so many queries that have a relevant document.
        sample: only so many of them, always the same ones: those whose ids have the smallest SHA-256.
        on_progress: told how much of indexing and searching is done.
    """
    askable = [query for query in beir.queries if query.id in beir.qrels]
    queries = _sample(askable, sample)[:limit]
    steps = len(beir.articles) + len(queries)
    with tempfile.TemporaryDirectory(prefix="byline-retrieval-") as folder:
        own = own_index(settings, Path(folder))
        with open_store(own, load_embedding(own), owner="a retrieval benchmark") as store:
            _index(store, beir, own, lambda done: on_progress(done, steps) if on_progress else None)
            searches = _searches(store)
            rankings: dict[str, dict[str, list[str]]] = {name: {} for name in searches}
            times: dict[str, list[float]] = {name: [] for name in searches}
            for done, query in enumerate(queries, 1):
                asked, about = words_of_turns(query.question, query.history), spoken_of(query.history)
                for name, search in searches.items():
                    started = time.perf_counter()
                    found = search(asked, about)
                    times[name].append((time.perf_counter() - started) * 1000)
                    rankings[name][query.id] = list(dict.fromkeys(passage.article_id for passage in found))
                if on_progress:
                    on_progress(len(beir.articles) + done, steps)
            passages = store.count()
    gold = {query.id: beir.qrels[query.id] for query in queries}
    scores = {name: score_rankings(ranking, gold) for name, ranking in rankings.items()}
    systems = tuple(_figures(name, scores, queries, percentile(times[name], 50)) for name in searches)
    return Benchmark(
        name=beir.name,
        documents=len(beir.articles),
        passages=passages,
        queries=len(queries),
        askable=len(askable),
        left_out=len(beir.queries) - len(askable),
        follow_ups=sum(bool(query.history) for query in queries),
        systems=systems,
    )


def benchmark_json(result: Benchmark) -> dict[str, Any]:
    """The benchmark as a JSON object."""
    return {
        "set": result.name,
        "documents": result.documents,
        "passages": result.passages,
        "queries": result.queries,
        "askable": result.askable,
        "left_out": result.left_out,
        "follow_ups": result.follow_ups,
        "systems": {
            system.system: {
                "metrics": {
                    name: {"value": i.value, "low": i.low, "high": i.high} for name, i in system.metrics.items()
                },
                "byline_difference": {
                    name: {"value": test.difference, "low": test.low, "high": test.high, "p": test.p_value}
                    for name, test in system.against.items()
                },
                "by_category": {category: dict(means) for category, means in system.by_category.items()},
                "milliseconds_p50": round(system.milliseconds, 2),
            }
            for system in result.systems
        },
    }


def benchmark_lines(result: Benchmark) -> list[str]:
    """The benchmark as lines of Markdown; below each baseline's figures what Byline gains, with p."""
    lines = [
        f"## {result.name}",
        "",
        _extent(result),
        "",
        f"| | {' | '.join(METRICS)} | ms |",
        f"|---|{'---:|' * (len(METRICS) + 1)}",
    ]
    for system in result.systems:
        cells = [f"{i.value:.3f} [{i.low:.3f}, {i.high:.3f}]" for i in (system.metrics[name] for name in METRICS)]
        lines.append(f"| {system.system} | {' | '.join(cells)} | {system.milliseconds:.1f} |")
        if system.against:
            gains = [f"{t.difference:+.3f}, p {t.p_value:.4f}" for t in (system.against[name] for name in METRICS)]
            lines.append(f"| *byline less {system.system}* | {' | '.join(gains)} | |")
    ours = next(system for system in result.systems if system.system == OURS)
    if len(ours.by_category) > 1:
        lines += ["", f"| nDCG@10 by category | {' | '.join(system.system for system in result.systems)} |"]
        lines.append(f"|---|{'---:|' * len(result.systems)}")
        for category in ours.by_category:
            means = [f"{system.by_category[category]['ndcg@10']:.3f}" for system in result.systems]
            lines.append(f"| {category or 'none'} | {' | '.join(means)} |")
    return [*lines, ""]


def _extent(result: Benchmark) -> str:
    part = "" if result.queries == result.askable else f" of {result.askable}, a fixed part,"
    turns = f", {result.follow_ups} of them after earlier turns" if result.follow_ups else ""
    return (
        f"{result.documents} documents, {result.passages} passages, {result.queries}{part} queries{turns}"
        f" ({result.left_out} without a relevant document left out)"
    )


def _sample(queries: Sequence[BeirQuery], size: int | None) -> list[BeirQuery]:
    """So many of the queries, in their order; the choice depends on their ids alone."""
    if size is None:
        return list(queries)
    chosen = sorted(queries, key=lambda query: hashlib.sha256(query.id.encode()).hexdigest())[:size]
    ids = {query.id for query in chosen}
    return [query for query in queries if query.id in ids]


def fuse_plainly(lists: Sequence[Sequence[Passage]]) -> list[Passage]:
    """Reciprocal rank fusion with equal weights: `sum of 1 / (60 + rank)`; ties stand in order of id."""
    scores: dict[str, float] = {}
    passages: dict[str, Passage] = {}
    for ranked in lists:
        for rank, passage in enumerate(ranked, 1):
            passages[passage.id] = passage
            scores[passage.id] = scores.get(passage.id, 0.0) + 1 / (_FUSION_OFFSET + rank)
    return [passages[name] for name in sorted(scores, key=lambda name: (-scores[name], name))]


def _index(store: PassageStore, beir: BeirSet, settings: Settings, tell: Callable[[int], None]) -> None:
    for start in range(0, len(beir.articles), _ARTICLES_A_WRITE):
        batch = beir.articles[start : start + _ARTICLES_A_WRITE]
        cut = [(article, cut_passages(article, max_tokens=settings.passage_tokens)) for article in batch]
        vectors = embed_passages([passage for _, passages in cut for passage in passages], store.embedding)
        rows, at = [], 0
        for article, passages in cut:
            if passages:  # a document without words has none
                rows.append(Embedded(article, passages, vectors[at : at + len(passages)]))
            at += len(passages)
        store.put_all(rows)
        tell(start + len(batch))


def _searches(store: PassageStore) -> dict[str, Search]:
    retriever = NewsRetriever(store, top_k=_PASSAGES)

    def words(question: str) -> list[Passage]:
        return [passage for passage, _ in store.find_words(question, _PASSAGES)]

    def dense(question: str) -> list[Passage]:
        vector = store.embedding.get_query_embedding(question)
        return [passage for passage, _ in store.nearest(vector, _PASSAGES)]

    return {
        "bm25": lambda question, _: words(question),
        "dense": lambda question, _: dense(question),
        "plain fusion": lambda question, _: fuse_plainly([words(question), dense(question)]),
        OURS: lambda question, about: [found.passage for found in retriever.search(question, about=about)],
    }


def _figures(
    name: str,
    scores: Mapping[str, Mapping[str, Mapping[str, float]]],
    queries: Sequence[BeirQuery],
    milliseconds: float,
) -> SystemFigures:
    of_system, ours = scores[name], scores[OURS]
    ids = [query.id for query in queries]
    categories: dict[str, list[str]] = {}
    for query in queries:
        categories.setdefault(query.category, []).append(query.id)
    return SystemFigures(
        system=name,
        metrics={metric: bootstrap_ratio([of_system[id_][metric] for id_ in ids]) for metric in METRICS},
        against={}
        if name == OURS
        else {
            metric: paired_test(
                [(of_system[id_][metric], 1.0) for id_ in ids], [(ours[id_][metric], 1.0) for id_ in ids]
            )
            for metric in METRICS
        },
        by_category={
            category: {metric: sum(of_system[id_][metric] for id_ in members) / len(members) for metric in METRICS}
            for category, members in categories.items()
        },
        milliseconds=milliseconds,
    )
