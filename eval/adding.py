"""How fast articles are added, beside the embedding model alone: the share of the time that is not spent on the model.

The articles are those of a folder, or made by rule: paragraphs of the articles that are there, drawn and put together
anew, always the same ones. Bare is the model's own run over the same texts, already tokenised, on as many threads as
adding uses; of a large part, over some of them. Both are measured in parts, turn about, so that a machine that is busy
with other work slows both alike. A part is an adding of its own: it begins with nothing cut and ends when all is
stored. With a folder for the index, what a run before has added is not added again.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np

from eval.runner import own_index
from index.articles import Article, make_article
from index.bulk import LOOPED_FROM, BulkEmbedding
from index.embeddings import BUNDLED_FOLDER, BundledEmbedding, load_model, usable_cores
from index.errors import ArticleError
from index.opening import open_store
from index.reading.places import read_articles
from index.settings import Settings
from index.store import PassageStore
from index.writing import ArticleWriter, embedded_text

_ARTICLES_A_PART = 500
_BARE_PASSAGES = 1000
_PARAGRAPHS = (4, 12)


@dataclass(frozen=True, slots=True)
class AddingFigures:
    """What adding costs.

    Attributes:
        articles: how many were added.
        passages: how many they were cut into.
        there_before: how many articles a run before had added.
        threads: how many the model ran on.
        seconds: what adding took.
        adding_rate: passages a second, cut, embedded and stored.
        bare_rate: passages a second through the model alone.
        ratio: `adding_rate / bare_rate`.
        memory_mb: the most memory this process has held.
        grown_mb: how much of it came after the first fifth.
    """

    articles: int
    passages: int
    there_before: int
    threads: int
    seconds: float
    adding_rate: float
    bare_rate: float
    ratio: float
    memory_mb: float
    grown_mb: float


def measure_adding(
    settings: Settings,
    folder: Path,
    *,
    articles: int,
    home: Path | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> AddingFigures:
    """Add articles made of a folder's paragraphs to an index of their own, with the bundled model.

    Args:
        settings: the length of passages; its own index is left alone.
        folder: where the paragraphs come from.
        articles: how many to make.
        home: where their index is kept; in a temporary folder where left out.
        on_progress: told how many articles have been taken.

    Raises:
        ArticleError: there are no paragraphs in the folder, or all the articles were added before.
    """
    if home is None:
        with tempfile.TemporaryDirectory(prefix="byline-adding-") as temporary:
            return measure_adding(settings, folder, articles=articles, home=Path(temporary), on_progress=on_progress)
    embedding = BundledEmbedding()
    embedding.get_text_embedding("warm")
    BulkEmbedding(embedding).get_text_embedding_batch(["warm"] * LOOPED_FROM)
    own = own_index(settings, home)
    with open_store(own, embedding, owner="a benchmark of adding") as store:
        there = frozenset(one.id for one in store.articles())
        made = (one for one in make_articles(read_articles(folder).articles, articles) if one.id not in there)
        parts = list(_measure_parts(store, own, made, len(there), articles, on_progress))
    if not parts:
        raise ArticleError(f"{home}: all {articles} articles are there already; ask for more, or for another folder.")
    passages, adding = sum(one.passages for one in parts), sum(one.adding for one in parts)
    adding_rate = passages / adding
    bare_rate = sum(one.bare_passages for one in parts) / sum(one.bare for one in parts)
    memory = [peak for one in parts for peak in one.memory_mb]
    return AddingFigures(
        articles=sum(one.articles for one in parts),
        passages=passages,
        there_before=len(there),
        threads=usable_cores(),
        seconds=adding,
        adding_rate=adding_rate,
        bare_rate=bare_rate,
        ratio=adding_rate / bare_rate,
        memory_mb=memory[-1],
        grown_mb=memory[-1] - memory[len(memory) // 5],
    )


class _Part(NamedTuple):
    """The seconds of `passages` added and of `bare_passages` through the model alone; the peak after each article."""

    articles: int
    passages: int
    adding: float
    bare_passages: int
    bare: float
    memory_mb: list[float]


def _measure_parts(
    store: PassageStore,
    settings: Settings,
    made: Iterator[Article],
    done: int,
    total: int,
    on_progress: Callable[[int, int], None] | None,
) -> Iterator[_Part]:
    while several := list(islice(made, _ARTICLES_A_PART)):
        cut, memory_mb = [], []
        started = time.perf_counter()
        with ArticleWriter(store, settings.passage_tokens) as writer:
            for article in several:
                cut += writer.add(article, "")
                memory_mb.append(peak_memory_mb())
                done += 1
                if on_progress:
                    on_progress(done, total)
        adding = time.perf_counter() - started
        some = cut[:: -(-len(cut) // _BARE_PASSAGES)]
        bare = _run_barely([embedded_text(passage) for passage in some])
        yield _Part(len(several), len(cut), adding, len(some), bare, [*memory_mb, peak_memory_mb()])


def make_articles(articles: Sequence[Article], count: int) -> Iterator[Article]:
    """Articles of usual length, made of the paragraphs of others; the same ones every time."""
    dice = Random(20_251_215)  # noqa: S311 no secret
    paragraphs = [line for article in articles for line in article.text.split("\n") if len(line) > 100]
    titles = [article.title for article in articles]
    for number in range(count):
        text = "\n\n".join(dice.sample(paragraphs, min(len(paragraphs), dice.randint(*_PARAGRAPHS))))
        yield make_article(f"made/{number:06}", f"{dice.choice(titles)} ({number})\n\n{text}")


def adding_json(figures: AddingFigures) -> dict[str, Any]:
    """The figures as a JSON object."""
    return {name: round(value, 3) for name, value in asdict(figures).items()}


def adding_lines(figures: AddingFigures) -> list[str]:
    """The figures in words."""
    before = f", beside {figures.there_before} added before" if figures.there_before else ""
    return [
        f"{figures.articles} articles{before}, {figures.passages} passages, {figures.seconds:.0f} s, "
        f"{figures.threads} threads",
        f"{figures.adding_rate:.1f} passages/s added, {figures.bare_rate:.1f} by the model alone: {figures.ratio:.2f}",
        f"memory {figures.memory_mb:.0f} MB, {figures.grown_mb:.0f} of them since a fifth was added",
    ]


def _run_barely(texts: Sequence[str]) -> float:
    """Seconds that the model takes for texts that are tokenised already."""
    model = load_model(BUNDLED_FOLDER)
    inputs = []
    for text in texts:
        ids = np.array([model.tokenizer.encode(text).ids], dtype=np.int64)
        inputs.append({"input_ids": ids, "attention_mask": np.ones_like(ids)})
    with ThreadPoolExecutor(usable_cores()) as pool:
        started = time.perf_counter()
        for _ in pool.map(lambda one: model.session.run(["embedding"], one), inputs):
            pass
        return time.perf_counter() - started


def peak_memory_mb() -> float:
    """The most memory this process has held, in megabytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)
