"""Bringing the index in line with files: what is new, changed, unchanged or gone.

An article is unchanged where its content hash is; it is then neither cut nor embedded again. A changed one is replaced
whole. Adding a folder again drops the articles that came from it and whose files are gone; a file that is there and
cannot be read is reported, and what was indexed of it before stays. Two folders may hold files of the same name: the
second one's id then begins with its folder's name.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import numpy as np
from llama_index.core.embeddings import BaseEmbedding

from index.articles import READABLE_ENDINGS, Article, ArticleFile, Skipped, find_files, read_article
from index.errors import ArticleError
from index.passages import Passage, cut_passages
from index.records import Embedded, IndexedArticle, Vectors
from index.settings import Settings
from index.store import PassageStore

OnProgress = Callable[[int, int], None]
"""`on_progress(done, total)`, counted in articles."""

SEEDS = Path(__file__).parent.parent / "seeds"
# Passages embedded and stored at a time: enough for the threads of the embedding model, little to lose in a crash.
_PASSAGES_A_WRITE = 256


@dataclass(slots=True)
class BuildReport:
    """What a run did: ids of articles, in the order they were met, and the files it skipped."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


def add_articles(
    store: PassageStore, paths: Iterable[Path], *, settings: Settings, on_progress: OnProgress | None = None
) -> BuildReport:
    """Index files and folders.

    Args:
        store: the open index.
        paths: text files, and folders of them.
        settings: the length of passages.
        on_progress: told how many articles are done.

    Raises:
        ArticleError: a path does not exist or holds nothing that can be read; then nothing is changed.
    """
    sources = [(path, _origin(path), find_files(path)) for path in paths]
    total = sum(len(files) for _, _, files in sources)
    report = BuildReport()
    writer = ArticleWriter(store, settings.passage_tokens)
    for path, origin, files in sources:
        seen: set[str] = set()
        for file in files:
            seen |= _add_file(store, file, origin=origin, report=report, writer=writer)
            if on_progress:
                on_progress(_done(report), total)
        writer.flush()
        if path.is_dir():
            _drop_vanished(store, origin, seen, report=report)
    return report


def remove_articles(store: PassageStore, article_ids: Sequence[str]) -> BuildReport:
    """Take articles out of the index.

    Raises:
        ArticleError: one of them is not there; then nothing is removed.
    """
    store.remove(article_ids)
    return BuildReport(removed=list(dict.fromkeys(article_ids)))


def ensure_seeds(store: PassageStore, settings: Settings, *, seeds: Path = SEEDS) -> BuildReport:
    """Index the articles that ship with Byline where nothing is indexed yet."""
    if store.count():
        return BuildReport()
    return add_articles(store, [seeds], settings=settings)


def embedded_text(passage: Passage) -> str:
    """What is embedded of a passage: its words behind the title, which says what they are about."""
    return f"{passage.title}\n{passage.text}"


def embed_passages(passages: Sequence[Passage], embedding: BaseEmbedding) -> Vectors:
    """The vectors of passages, a row each."""
    vectors = embedding.get_text_embedding_batch([embedded_text(passage) for passage in passages])
    return np.asarray(vectors, dtype=np.float32)


class ArticleWriter:
    """Cuts and embeds articles and stores them, many at a time."""

    def __init__(self, store: PassageStore, max_tokens: int) -> None:
        self._store = store
        self._max_tokens = max_tokens
        self._waiting: list[tuple[Article, list[Passage], str]] = []

    def add(self, article: Article, origin: str) -> None:
        """Take an article; it is stored when enough have come together."""
        self._waiting.append((article, cut_passages(article, max_tokens=self._max_tokens), origin))
        if sum(len(passages) for _, passages, _ in self._waiting) >= _PASSAGES_A_WRITE:
            self.flush()

    def flush(self) -> None:
        """Store what has been taken."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        vectors = embed_passages([one for _, passages, _ in waiting for one in passages], self._store.embedding)
        articles = []
        for article, passages, origin in waiting:
            articles.append(Embedded(article, passages, vectors[: len(passages)], origin))
            vectors = vectors[len(passages) :]
        self._store.put_all(articles)


def _origin(path: Path) -> str:
    """The folder that articles of `path` come from."""
    return str(path.resolve() if path.is_dir() else path.resolve().parent)


def _done(report: BuildReport) -> int:
    return len(report.added) + len(report.changed) + len(report.unchanged) + len(report.skipped)


def _add_file(
    store: PassageStore, file: ArticleFile, *, origin: str, report: BuildReport, writer: ArticleWriter
) -> set[str]:
    """Index one file if need be; returns the ids that its article has, or may have had."""
    own_id, other_id = file.article_id, f"{Path(origin).name}/{file.article_id}"
    try:
        article = read_article(file.path, own_id)
        known = store.find_article(own_id)
        if known and known.content_hash != article.content_hash and _is_anothers(known, origin):
            article, known = replace(article, id=other_id), store.find_article(other_id)
            if known and _is_anothers(known, origin):
                raise ArticleError(f"its id {other_id} is taken by an article of {known.origin}; rename the file")
    except ArticleError as exc:
        report.skipped.append(Skipped(file.path, str(exc)))
        return {own_id, other_id}
    if known is None:
        report.added.append(article.id)
        writer.add(article, origin)
    elif known.content_hash != article.content_hash:
        report.changed.append(article.id)
        writer.add(article, origin)
    else:
        report.unchanged.append(article.id)
        if known.origin != origin and not _is_anothers(known, origin):
            store.set_origin([article.id], origin)
    return {article.id}


def _is_anothers(known: IndexedArticle, origin: str) -> bool:
    """Whether an article belongs to a file of another folder, which is still there."""
    folder, path = Path(known.origin), PurePosixPath(known.id)
    if known.origin in {"", origin}:
        return False
    places = (
        [folder / path, folder / path.relative_to(folder.name)] if path.parts[0] == folder.name else [folder / path]
    )
    return any(Path(f"{place}{ending}").exists() for place in places for ending in ("", *READABLE_ENDINGS))


def _drop_vanished(store: PassageStore, origin: str, seen: set[str], *, report: BuildReport) -> None:
    gone = [listed.id for listed in store.articles() if listed.origin == origin and listed.id not in seen]
    store.remove(gone)
    report.removed += gone
