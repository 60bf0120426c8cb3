"""Opening: the index that the settings name, held by one process where it is embedded, of the model that is set."""

from collections.abc import Iterator
from contextlib import contextmanager

from chromadb.api import ClientAPI
from chromadb.api.models.Collection import Collection
from llama_index.core.embeddings import BaseEmbedding

from index.chroma import (
    EMBEDDING_KEY,
    chroma_errors,
    collection_name,
    connect,
    create_collection,
    our_collections,
    place_of,
    recover_replaced,
)
from index.errors import EmbeddingMismatchError
from index.ownership import Ownership, own_index
from index.settings import Settings
from index.store import PassageStore


@contextmanager
def open_store(settings: Settings, embedding: BaseEmbedding, *, owner: str) -> Iterator[PassageStore]:
    """Open the index for the embedding model, empty where there is none yet, and mend what a crash left.

    Args:
        settings: where it is.
        embedding: the model of its vectors.
        owner: who holds it, in words for other users: `the page`, `python -m index add`.

    Raises:
        IndexBusyError: another process holds it.
        EmbeddingMismatchError: it was made with another embedding model.
        StoreError: it is damaged; nothing is deleted.
        SettingsError: its folder cannot be written, or its server does not answer.
    """
    with hold(settings, owner) as ownership, connect(settings) as client:
        with chroma_errors(settings):
            recover_replaced(client, embedding.model_name)
            collection = _find_collection(client, settings, embedding.model_name)
            if settings.chroma and collection is None:  # others may fill it while this process runs
                name = embedding.model_name
                collection = create_collection(client, collection_name(name), model_name=name)
        store = PassageStore(client, collection, embedding=embedding, settings=settings, ownership=ownership)
        store.refresh()
        yield store


@contextmanager
def hold(settings: Settings, owner: str) -> Iterator[Ownership | None]:
    """The lock of an embedded index; a server's has none, since the server takes care of its clients."""
    if settings.chroma:
        yield None
        return
    with own_index(settings.home, owner=owner, wait_seconds=settings.lock_seconds) as ownership:
        yield ownership


def _find_collection(client: ClientAPI, settings: Settings, model_name: str) -> Collection | None:
    collections = our_collections(client)
    own = collections.get(collection_name(model_name))
    others = [collection for collection in collections.values() if collection is not own]
    if (own is None or not own.count()) and (others := [other for other in others if other.count()]):
        made_with = " and ".join(sorted({str(other.metadata[EMBEDDING_KEY]) for other in others}))
        raise EmbeddingMismatchError(
            f"The index {place_of(settings)} was made with the embedding model {made_with}, and {model_name} is set. "
            f"Run `python -m index rebuild` to embed its articles with {model_name}, or set BYLINE_EMBEDDING back."
        )
    return own
