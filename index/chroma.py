"""Chroma: connecting to it, naming our collections in it, and its errors made ours."""

import hashlib
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, urlsplit

import chromadb
import httpx
from chromadb.api import ClientAPI
from chromadb.api.client import Client
from chromadb.api.models.Collection import Collection
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError, NotFoundError

from index.errors import SettingsError, StoreError
from index.settings import Settings

# In a collection's metadata: the embedding model its vectors come from. A collection without it is not ours.
EMBEDDING_KEY = "byline_embedding"
_REPLACEMENT, _REPLACED = "-new", "-old"
# Of any model: the texts of articles before they changed.
_EARLIER = "byline-earlier"
# With less left on the disk, Chroma's writing may fail for that alone.
_FEW_MEGABYTES = 20
# What a write may take for a moment, in bytes: for each byte of text and vector (Chroma's files grow by some four, and
# by sixteen at most where they are put in order), and beside.
_WRITTEN_A_BYTE = 16
_SPARE = 5_000_000


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
        SettingsError: no Chroma server answers at the address, or it does not let us in.
        StoreError: the files cannot be opened.
    """
    with chroma_errors(settings):
        client = _client(settings)
    try:
        yield client
    finally:
        client.close()
        for session in _sessions(client):  # which Chroma leaves open
            session.close()


def _client(settings: Settings) -> Client:
    if settings.chroma is None:
        quiet = ChromaSettings(anonymized_telemetry=False)
        return cast("Client", chromadb.PersistentClient(path=embedded_folder(settings), settings=quiet))
    address = urlsplit(settings.chroma)
    secure = address.scheme == "https"
    headers = _headers(settings)
    _knock(settings, headers)
    try:
        client = chromadb.HttpClient(
            host=address.hostname or "localhost",
            port=address.port or (443 if secure else 8000),
            ssl=secure,
            headers=headers,
            tenant=settings.chroma_tenant,
            database=settings.chroma_database,
            settings=ChromaSettings(anonymized_telemetry=False),
        )
    except ValueError as exc:
        raise SettingsError(f"BYLINE_CHROMA: {settings.chroma} cannot be used ({str(exc).rstrip('.')}).") from exc
    for session in _sessions(client):
        session.timeout = _time_out(settings)  # Chroma's own client waits for ever
    return cast("Client", client)  # Chroma declares what both have in common, which lacks close()


def _headers(settings: Settings) -> dict[str, str]:
    """The token as Chroma Cloud reads it, and as a proxy before a server of one's own is wont to."""
    if settings.chroma_token is None:
        return {}
    token = settings.chroma_token.get_secret_value()
    return {"x-chroma-token": token, "Authorization": f"Bearer {token}"}


def _time_out(settings: Settings) -> httpx.Timeout:
    return httpx.Timeout(settings.chroma_seconds, connect=min(5.0, settings.chroma_seconds))


def _knock(settings: Settings, headers: dict[str, str]) -> None:
    """Ask the server for our database first: Chroma's client would wait without end for a silent server."""
    path = f"/api/v2/tenants/{quote(settings.chroma_tenant)}/databases/{quote(settings.chroma_database)}"
    try:
        answers = [
            httpx.get(f"{settings.chroma}{one}", headers=headers, timeout=_time_out(settings))
            for one in ("/api/v2/auth/identity", path)
        ]
    except httpx.HTTPError as exc:
        raise SettingsError(
            f"BYLINE_CHROMA: no Chroma server answers at {settings.chroma} ({exc}); start one with `chroma run`, "
            "or unset it."
        ) from exc
    if any(answer.status_code in {401, 403} for answer in answers):
        raise SettingsError(f"BYLINE_CHROMA_TOKEN: the Chroma server at {settings.chroma} does not accept it.")
    if not answers[0].is_success:
        raise SettingsError(
            f"BYLINE_CHROMA: what answers at {settings.chroma} is no Chroma server of version 1 or newer "
            f"(HTTP {answers[0].status_code})."
        )
    if not answers[1].is_success:
        raise SettingsError(
            f"BYLINE_CHROMA_DATABASE: the server at {settings.chroma} has no database {settings.chroma_database!r} of "
            f"the tenant {settings.chroma_tenant!r} (BYLINE_CHROMA_TENANT)."
        )


def _sessions(client: Any) -> list[httpx.Client]:
    """The connections to a server that Chroma's client keeps; none of an embedded one."""
    halves = (client, client._admin_client)
    return [half._server._session for half in halves if hasattr(half._server, "_session")]


@contextmanager
def chroma_errors(settings: Settings) -> Iterator[None]:
    """Turn what Chroma raises within into a `StoreError` that says what to do."""
    try:
        yield
    except httpx.HTTPError as exc:
        how = str(exc) or type(exc).__name__
        raise StoreError(f"The Chroma server at {settings.chroma} does not answer ({how}); is it running?") from exc
    except ChromaError as exc:
        reason = str(exc).rstrip(".")
        if re.search(r"dimension", reason, re.IGNORECASE):
            advice = "The embedding model's vectors have another length than the index's; run `python -m index rebuild`"
        elif re.search(r"disk is full|no space left|disk i/o error", reason, re.IGNORECASE):
            advice = "Make room on the disk and try again"
        elif re.search(r"readonly|read-only|permission denied", reason, re.IGNORECASE):
            advice = "Make the folder writable, or set BYLINE_HOME to another one"
        elif not settings.chroma and (left := _bytes_left(settings)) is not None and left < _FEW_MEGABYTES * 10**6:
            # Chroma says so only of some of its steps.
            advice = f"Only {left // 10**6} MB are left on the disk: make room and try again; nothing was deleted"
        elif settings.chroma:
            advice = "Look at the server's own messages"
        else:
            advice = (
                "Nothing was deleted. `python -m index rebuild` keeps every text that can still be read; if that "
                f"fails, move {embedded_folder(settings)} away and add the articles again"
            )
        raise StoreError(f"The index {place_of(settings)} fails: {reason}. {advice}.") from exc


def require_room(settings: Settings, content_bytes: int = 0) -> None:
    """Refuse a write that may fill the disk: on a full one Chroma may fail without a reason, or never answer.

    Args:
        settings: where the index is; a server looks after its own disk.
        content_bytes: how much text and vectors are written; none where rows are deleted.

    Raises:
        StoreError: too little is left.
    """
    wanted = _SPARE + _WRITTEN_A_BYTE * content_bytes
    left = None if settings.chroma else _bytes_left(settings)
    if left is not None and left < wanted:
        raise StoreError(
            f"Only {left // 1_000_000} MB are left on the disk of {settings.home}, and the next write may take "
            f"{-(-wanted // 1_000_000)} MB: make room and try again; what is stored stays as it is."
        )


def _bytes_left(settings: Settings) -> int | None:
    """What is left on the disk of an embedded index; None where there is no folder, and no disk to blame."""
    for folder in (embedded_folder(settings), settings.home):
        try:
            return shutil.disk_usage(folder).free
        except OSError:
            continue
    return None


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


def find_earlier_collection(client: ClientAPI) -> Collection | None:
    """The collection of earlier versions, where there is one."""
    try:
        return client.get_collection(_EARLIER, embedding_function=None)
    except NotFoundError:
        return None


def create_earlier_collection(client: ClientAPI) -> Collection:
    """The collection of earlier versions, made where it is not there; nobody searches it, its vectors say nothing."""
    return client.get_or_create_collection(_EARLIER, embedding_function=None, configuration={"hnsw": {"space": "l2"}})


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
