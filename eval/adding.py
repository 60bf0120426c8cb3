"""How fast articles are added, beside the embedding model alone: the share of the time that is not spent on the model.

The articles are those of a folder, or made by rule: paragraphs of the articles that are there, drawn and put together
anew, always the same ones. Bare is the model's own run over the same texts, already tokenised, on as many threads as
adding uses. Both are measured in parts, turn about, so that a machine that is busy with other work slows both alike.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from eval.runner import own_index
from index.articles import Article, make_article
from index.embeddings import BUNDLED_FOLDER, BundledEmbedding, load_model, usable_cores
from index.passages import cut_passages
from index.reading.places import read_articles
from index.settings import Settings
from index.store import open_store
from index.writing import ArticleWriter, embedded_text

_PARTS = 5
_PARAGRAPHS = (4, 12)


@dataclass(frozen=True, slots=True)
class AddingFigures:
    """What adding costs.

    Attributes:
        articles: how many were added.
        passages: how many they were cut into.
        threads: how many the model ran on.
        adding_rate: passages a second, cut, embedded and stored.
        bare_rate: passages a second through the model alone.
        ratio: `adding_rate / bare_rate`.
        memory_mb: the most memory this process has held.
        grown_mb: how much of it came after the first part.
    """

    articles: int
    passages: int
    threads: int
    adding_rate: float
    bare_rate: float
    ratio: float
    memory_mb: float
    grown_mb: float


def measure_adding(
    settings: Settings, folder: Path, *, articles: int, on_progress: Callable[[int, int], None] | None = None
) -> AddingFigures:
    """Add articles made of a folder's paragraphs to an index of their own, with the bundled model.

    Args:
        settings: `home` is replaced by a temporary folder.
        folder: where the paragraphs come from.
        articles: how many to make.
        on_progress: told how many articles are added.
    """
    embedding = BundledEmbedding()
    made = make_articles(read_articles(folder).articles, articles)
    adding, bare = 0.0, 0.0
    passages, memory = 0, 0.0
    with tempfile.TemporaryDirectory(prefix="byline-adding-") as home:
        own = own_index(settings, Path(home)).model_copy(update={"chroma": None})
        embedding.get_text_embedding("warm")
        with open_store(own, embedding, owner="a benchmark of adding") as store:
            for part in range(_PARTS):
                several = [next(made) for _ in range(articles // _PARTS)]
                started = time.perf_counter()
                with ArticleWriter(store, own.passage_tokens) as writer:
                    for article in several:
                        writer.add(article, "")
                adding += time.perf_counter() - started
                cut = [one for article in several for one in cut_passages(article, max_tokens=own.passage_tokens)]
                bare += _run_barely([embedded_text(passage) for passage in cut])
                passages += len(cut)
                memory = memory or peak_memory_mb()
                if on_progress:
                    on_progress((part + 1) * len(several), articles)
    return AddingFigures(
        articles=articles // _PARTS * _PARTS,
        passages=passages,
        threads=usable_cores(),
        adding_rate=passages / adding,
        bare_rate=passages / bare,
        ratio=bare / adding,
        memory_mb=peak_memory_mb(),
        grown_mb=peak_memory_mb() - memory,
    )


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
    return [
        f"{figures.articles} articles, {figures.passages} passages, {figures.threads} threads",
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
