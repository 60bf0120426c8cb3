"""Making the index anew from the texts it holds: for another embedding model, another length of passages, or repair.

Articles are read back from Chroma, so their files may be gone. The new collection takes the place of the old one
only when it is complete; until then a crash leaves the old one as it was.
"""

import shutil
from collections.abc import Callable

from chromadb.api import ClientAPI
from chromadb.api.models.Collection import Collection
from llama_index.core.embeddings import BaseEmbedding

from index.articles import Skipped
from index.build import OnProgress
from index.chroma import (
    begin_replacement,
    chroma_errors,
    collection_name,
    connect,
    finish_replacement,
    our_collections,
    recover_replaced,
)
from index.errors import IndexMissingError, StoreError
from index.opening import hold
from index.records import IndexedArticle, Row, read_passage, stitch, stored_articles
from index.settings import Settings
from index.store import PassageStore, words_folder
from index.updating import BuildReport
from index.writing import ArticleWriter


def rebuild(
    settings: Settings, embedding: BaseEmbedding, *, owner: str, on_progress: OnProgress | None = None
) -> BuildReport:
    """Cut and embed every stored article again, with the embedding model and the length of passages now set.

    Collections of other models in an embedded index are deleted afterwards; a server may serve others, and keeps them.

    Args:
        settings: where the index is.
        embedding: the model to embed with.
        owner: who holds the index meanwhile, in words for other users.
        on_progress: told how many articles are done.

    Raises:
        IndexMissingError: there is nothing to rebuild.
        IndexBusyError: another process holds the index.
        StoreError: it cannot be read.
    """
    with hold(settings, owner) as ownership, connect(settings) as client, chroma_errors(settings):
        recover_replaced(client, embedding.model_name)
        old = our_collections(client)
        stored = _all_articles(old, first=collection_name(embedding.model_name))
        if not stored:
            raise IndexMissingError("Nothing is indexed yet; `python -m index add PATH` does it.")
        replacement = begin_replacement(client, embedding.model_name)
        shutil.rmtree(words_folder(settings, embedding.model_name), ignore_errors=True)
        store = PassageStore(client, replacement, embedding=embedding, settings=settings, ownership=ownership)
        with ArticleWriter(store, settings.passage_tokens) as writer:
            report = _copy(stored, store, writer, on_progress)
        finish_replacement(client, replacement)
        if not settings.chroma:
            _forget_other_models(client, settings, embedding.model_name)
        return report


_Stored = dict[str, tuple[IndexedArticle, Callable[[], list[Row]]]]


def _all_articles(collections: dict[str, Collection], *, first: str) -> _Stored:
    """Every article of every collection, by id; where several have one, that of the collection `first` counts."""
    stored: _Stored = {}
    for name in sorted(collections, key=lambda name: name != first):
        for listed, read in stored_articles(collections[name]):
            stored.setdefault(listed.id, (listed, read))
    return stored


def _copy(stored: _Stored, store: PassageStore, writer: ArticleWriter, on_progress: OnProgress | None) -> BuildReport:
    report = BuildReport()
    for done, (article_id, (listed, read)) in enumerate(stored.items(), start=1):
        try:
            rows = read()
            passages = writer.add(stitch(listed, [read_passage(row) for row in rows]), listed.origin)
            if {row.id for row in rows} != {passage.id for passage in passages}:
                store.keep_earlier(rows)  # cut otherwise now; citations know the old cut
            report.changed.append(article_id)
        except StoreError as exc:
            report.skipped.append(Skipped(article_id, str(exc)))
        if on_progress:
            on_progress(done, len(stored))
    return report


def _forget_other_models(client: ClientAPI, settings: Settings, model_name: str) -> None:
    kept = words_folder(settings, model_name)
    for name in our_collections(client):
        if name != collection_name(model_name):
            client.delete_collection(name)
    for folder in kept.parent.iterdir():
        if folder.is_dir() and folder != kept:
            shutil.rmtree(folder, ignore_errors=True)
