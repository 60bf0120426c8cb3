"""Chroma: connecting to it, naming our collections in it, and its errors made ours."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import chromadb
import httpx
from chromadb.api import ClientAPI
from chromadb.api.client import Client
from chromadb.api.models.Collection import Collection
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError

from index.errors import SettingsError, StoreError
from index.settings import Settings

# In a collection's metadata: the embedding model its vectors come from. A collection without it is not ours.
EMBEDDING_KEY = "byline_embedding"
_REPLACEMENT, _REPLACED = "-new", "-old"


def embedded_folder(settings: Settings) -> Path:
    """Where an embedded Chroma keeps its files."""
    return settings.home / "chroma"


def place_of(settings: Settings) -> str:
    """The index's place in words for messages: a folder or a server."""
    return f"on {settings.chroma}" if settings.chroma else f"in {embedded_folder(settings)}"


@contextmanager
def connect(settings: Settings) -> Iterator[ClientAPI]:
    """A client of the embedded Chroma, or of the server that is set.

    Raises:
        SettingsError: no Chroma server answers at the address.
        StoreError: the files cannot be opened.
    """
    with chroma_errors(settings):
        client = _client(settings)
    try:
        yield client
    finally:
        client.close()
        halves: tuple[Any, ...] = (client, client._admin_client)
        for half in halves:
            if session := getattr(half._server, "_session", None):  # connections to a server, which Chroma leaves open
                session.close()


def _client(settings: Settings) -> Client:
    if settings.chroma is None:
        quiet = ChromaSettings(anonymized_telemetry=False)
        return cast("Client", chromadb.PersistentClient(path=embedded_folder(settings), settings=quiet))
    address = urlsplit(settings.chroma)
    secure = address.scheme == "https"
    try:
        client = chromadb.HttpClient(
            host=address.hostname or "localhost",
            port=address.port or (443 if secure else 8000),
            ssl=secure,
            settings=ChromaSettings(anonymized_telemetry=False),
        )
    except (ValueError, httpx.HTTPError) as exc:
        raise SettingsError(
            f"BYLINE_CHROMA: no Chroma server answers at {settings.chroma}; start one with `chroma run`, or unset it."
        ) from exc
    return cast("Client", client)  # Chroma declares what both have in common, which lacks close()


@contextmanager
def chroma_errors(settings: Settings) -> Iterator[None]:
    """Turn what Chroma raises within into a `StoreError` that says what to do."""
    try:
        yield
    except httpx.HTTPError as exc:
        raise StoreError(f"The Chroma server at {settings.chroma} does not answer ({exc}); is it running?") from exc
    except ChromaError as exc:
        reason = str(exc).rstrip(".")
        if re.search(r"dimension", reason, re.IGNORECASE):
            advice = "The embedding model's vectors have another length than the index's; run `python -m index rebuild`"
        elif re.search(r"disk is full|no space left", reason, re.IGNORECASE):
            advice = "Make room on the disk and try again"
        elif re.search(r"readonly|read-only|permission denied", reason, re.IGNORECASE):
            advice = "Make the folder writable, or set BYLINE_HOME to another one"
        elif settings.chroma:
            advice = "Look at the server's own messages"
        else:
            advice = (
                "Nothing was deleted. `python -m index rebuild` keeps every text that can still be read; if that "
                f"fails, move {embedded_folder(settings)} away and add the articles again"
            )
        raise StoreError(f"The index {place_of(settings)} fails: {reason}. {advice}.") from exc


# --- collections --------------------------------------------------------------------------------------------------


def collection_name(model_name: str) -> str:
    """The collection of an embedding model: readable, and another one for every model."""
    readable = re.sub(r"[^a-z0-9]+", "-", model_name.lower()).strip("-")[:40].strip("-")
    return f"byline-{readable}-{hashlib.sha256(model_name.encode()).hexdigest()[:8]}"


def our_collections(client: ClientAPI) -> dict[str, Collection]:
    """Every collection that Byline made, by name, half-made ones left out."""
    found = {}
    for collection in client.list_collections():
        ours = EMBEDDING_KEY in (collection.metadata or {})
        if ours and not collection.name.endswith(_REPLACEMENT):
            found[collection.name] = collection
    return found


def create_collection(client: ClientAPI, name: str, *, model_name: str) -> Collection:
    """The collection `name` for vectors of a model, made where it is not there; distances are cosine."""
    return client.get_or_create_collection(
        name,
        embedding_function=None,  # otherwise Chroma brings its own, and downloads it
        metadata={EMBEDDING_KEY: model_name},
        configuration={"hnsw": {"space": "cosine", "ef_search": 200}},
    )


def begin_replacement(client: ClientAPI, model_name: str) -> Collection:
    """An empty collection that will take the place of the model's own; one left by a crash is dropped."""
    name = collection_name(model_name) + _REPLACEMENT
    if name in {collection.name for collection in client.list_collections()}:
        client.delete_collection(name)
    return create_collection(client, name, model_name=model_name)


def finish_replacement(client: ClientAPI, replacement: Collection) -> None:
    """Put a replacement in its place; whatever moment a crash picks, one of the two is found at the next start."""
    name = replacement.name.removesuffix(_REPLACEMENT)
    collections = our_collections(client)
    if name in collections:
        collections[name].modify(name=name + _REPLACED)
    replacement.modify(name=name)
    if name in collections:
        client.delete_collection(name + _REPLACED)


def recover_replaced(client: ClientAPI, model_name: str) -> None:
    """Mend what a crash within `finish_replacement` left."""
    name = collection_name(model_name)
    collections = our_collections(client)
    if name + _REPLACED not in collections:
        return
    if name in collections:
        client.delete_collection(name + _REPLACED)
    else:
        collections[name + _REPLACED].modify(name=name)
