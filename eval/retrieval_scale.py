"""Retrieval at size: how long a search takes and what the index weighs with ever more passages.

Articles are made up: words drawn by Zipf's law from a fixed vocabulary, vectors drawn at random, seeded. They cost what
real ones cost to store and to search, and say nothing of quality. Questions are embedded by the real model. A search is
compared with the least it could be, in the same run and turn about: the question's embedding and one Chroma query for
`top_k` passages.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from eval.runner import own_index
from eval.statistics import percentile
from index.articles import make_article
from index.embeddings import load_embedding
from index.opening import open_store
from index.passages import cut_passages
from index.records import Embedded
from index.settings import Settings
from index.store import PassageStore
from rag.retrieval import NewsRetriever

SIZES = (1_000, 10_000, 100_000)
_QUESTIONS = 100
_VOCABULARY = 50_000
_ARTICLE_WORDS = 600
_ARTICLES_A_WRITE = 200


@dataclass(frozen=True, slots=True)
class ScaleFigures:
    """What one size costs; times in milliseconds are medians unless they say otherwise.

    Attributes:
        passages: how many there are.
        articles: how many they were cut from.
        add_ms: storing one more article of usual length, without embedding it.
        open_ms: opening the index.
        bare_ms: embedding a question and asking Chroma.
        search_ms: the retriever.
        search_p95_ms: 95th percentile of it.
        ratio: `search_ms / bare_ms`.
        disk_mb: the index on disk.
        memory_mb: the most memory this process has held so far.
    """

    passages: int
    articles: int
    add_ms: float
    open_ms: float
    bare_ms: float
    search_ms: float
    search_p95_ms: float
    ratio: float
    disk_mb: float
    memory_mb: float


def measure_scale(
    settings: Settings, *, sizes: tuple[int, ...] = SIZES, on_progress: Callable[[int, int], None] | None = None
) -> list[ScaleFigures]:
    """Fill one index up to each size in turn and measure searches there.

    Args:
        settings: `home` is replaced by a temporary folder.
        sizes: numbers of passages, rising.
        on_progress: told how many passages there are, of how many.
    """
    figures = []
    with tempfile.TemporaryDirectory(prefix="byline-scale-") as folder:
        own = own_index(settings, Path(folder)).model_copy(update={"chroma": None})
        embedding = load_embedding(own)
        dimensions = len(embedding.get_query_embedding("warm"))
        articles = _articles(own, dimensions)
        for size in sizes:
            with open_store(own, embedding, owner="a scale benchmark") as store:
                while store.count() < size:
                    missing = 1 + (size - store.count()) // 20  # no article is cut into more
                    store.put_all([next(articles) for _ in range(min(_ARTICLES_A_WRITE, missing))])
                    if on_progress:
                        on_progress(min(store.count(), sizes[-1]), sizes[-1])
                one = next(articles)
                add_ms = _milliseconds(partial(store.put_all, [one]))
            started = time.perf_counter()
            with open_store(own, embedding, owner="a scale benchmark") as store:
                open_ms = (time.perf_counter() - started) * 1000
                bare, search = _time_searches(store, own)
                figures.append(
                    ScaleFigures(
                        passages=store.count(),
                        articles=len(store.articles()),
                        add_ms=add_ms,
                        open_ms=open_ms,
                        bare_ms=percentile(bare, 50),
                        search_ms=percentile(search, 50),
                        search_p95_ms=percentile(search, 95),
                        ratio=percentile(search, 50) / percentile(bare, 50),
                        disk_mb=sum(path.stat().st_size for path in own.home.rglob("*") if path.is_file()) / 1e6,
                        memory_mb=_peak_memory_mb(),
                    )
                )
    return figures


def scale_json(figures: list[ScaleFigures]) -> dict[str, Any]:
    """The figures as a JSON object."""
    return {"sizes": [{name: round(value, 2) for name, value in asdict(one).items()} for one in figures]}


def scale_lines(figures: list[ScaleFigures]) -> list[str]:
    """The figures as a table in Markdown."""
    return [
        "| passages | articles | add an article, ms | open, ms | embed + Chroma, ms | search, ms (p95) | ratio "
        "| disk, MB | memory, MB |",
        f"|{'---:|' * 9}",
        *(
            f"| {one.passages} | {one.articles} | {one.add_ms:.0f} | {one.open_ms:.0f} | {one.bare_ms:.1f} "
            f"| {one.search_ms:.1f} ({one.search_p95_ms:.1f}) | {one.ratio:.2f} | {one.disk_mb:.0f} "
            f"| {one.memory_mb:.0f} |"
            for one in figures
        ),
    ]


def _articles(settings: Settings, dimensions: int) -> Iterator[Embedded]:
    """Made-up articles without end, always the same ones."""
    random = np.random.default_rng(20_251_215)
    letters = np.array(list("abcdefghijklmnoprstuvw"))
    words = ["".join(random.choice(letters, size=random.integers(3, 11))) for _ in range(_VOCABULARY)]
    number = 0
    while True:
        ranks = np.minimum(random.zipf(1.3, size=_ARTICLE_WORDS), _VOCABULARY) - 1
        said = [words[rank] for rank in ranks]
        sentences = [" ".join(said[start : start + 20]).capitalize() for start in range(0, _ARTICLE_WORDS, 20)]
        article = make_article(f"article-{number:06}", "\n".join((" ".join(said[:8]), ". ".join(sentences) + ".")))
        passages = cut_passages(article, max_tokens=settings.passage_tokens)
        vectors = random.standard_normal((len(passages), dimensions)).astype(np.float32)
        yield Embedded(article, passages, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
        number += 1


def _time_searches(store: PassageStore, settings: Settings) -> tuple[list[float], list[float]]:
    """Milliseconds of the bare query and of the retriever, each question by both, one after the other."""
    retriever = NewsRetriever(store, top_k=settings.top_k)
    texts = [article.title for article in store.articles()[:: max(1, len(store.articles()) // _QUESTIONS)]]
    bare, search = [], []
    for text in texts[:_QUESTIONS]:
        bare.append(_milliseconds(partial(_search_barely, store, text, settings.top_k)))
        search.append(_milliseconds(partial(retriever.search, text)))
    return bare, search


def _search_barely(store: PassageStore, question: str, limit: int) -> None:
    store.nearest(store.embedding.get_query_embedding(question), limit)


def _milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def _peak_memory_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)
