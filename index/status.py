"""Status: how much is indexed, with which model, where, and whether it is in order."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from index.chroma import embedded_folder
from index.settings import Settings
from index.store import PassageStore


def index_facts(store: PassageStore, settings: Settings) -> dict[str, Any]:
    """What there is to say of an index, as a JSON object; `problems` is empty where it is in order."""
    return {
        "articles": len(store.articles()),
        "passages": store.count(),
        "earlier_passages": store.count_earlier(),
        "near_copies": len(store.copies()),
        "embedding": store.embedding.model_name,
        "place": settings.chroma or str(embedded_folder(settings)),
        "bytes_on_disk": _size(settings.home),
        "problems": store.problems(),
    }


def list_facts(store: PassageStore) -> list[dict[str, Any]]:
    """How the index lists every article, by id, as JSON objects."""
    copies = store.copies()
    return [asdict(one) | {"copy_of": copies.get(one.id)} for one in store.articles()]


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
