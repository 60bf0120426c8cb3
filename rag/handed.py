"""Handed over: what `python -m index` would do, done by the page, which owns the index; for this machine alone.

Who asks has to show that it can read the home folder (`index/sessions.py`), whatever the page lets its readers do.
"""

import asyncio
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from index.errors import UserError
from index.handing import DOOR, read_place
from index.reading.places import Place, find_place
from index.sessions import THIS_MACHINE
from index.settings import Settings
from index.status import index_facts, list_facts
from index.store import PassageStore
from rag.api.errors import JsonErrors
from rag.changes import Changes
from rag.page_routes import told_lines


class GivenPlace(BaseModel):
    """A path to be read, or a file that `index.handing.write_place` wrote."""

    model_config = ConfigDict(extra="forbid")

    path: str = ""
    file: str = ""


class Addition(BaseModel):
    """What is to be added, and what its parts are called (`--map`)."""

    model_config = ConfigDict(extra="forbid")

    places: Annotated[list[GivenPlace], Field(min_length=1)]
    fields: dict[str, str] = {}


class Chosen(BaseModel):
    """Some articles; all where there are none and that is meant."""

    model_config = ConfigDict(extra="forbid")

    article_ids: list[str] | None = None


def handed_router(store: PassageStore, settings: Settings, changes: Changes) -> APIRouter:
    """The routes; include them before the page, which takes every other path.

    Args:
        store: the open index.
        settings: those of the page, which count.
        changes: changes it, one thing at a time.
    """
    router = APIRouter(
        prefix=DOOR, route_class=JsonErrors, include_in_schema=False, dependencies=[Depends(_only_this_machine)]
    )

    @router.post("/add")
    async def add(body: Addition) -> StreamingResponse:
        def find() -> list[Place]:
            return [_find(given, settings, body.fields) for given in body.places]

        return told_lines(changes.add_places(find, body.fields))

    @router.post("/remove")
    async def remove(body: Chosen) -> dict[str, Any]:
        return (await changes.remove(body.article_ids or [])).to_json()

    @router.post("/forget")
    async def forget(body: Chosen) -> dict[str, int]:
        return {"passages": await asyncio.to_thread(store.forget_earlier, body.article_ids)}

    @router.get("/list")
    def listed() -> dict[str, Any]:
        return {"articles": list_facts(store)}

    @router.get("/status")
    def status() -> dict[str, Any]:
        return index_facts(store, settings)

    return router


def _find(given: GivenPlace, settings: Settings, fields: dict[str, str]) -> Place:
    return read_place(Path(given.file)) if given.file else find_place(given.path, settings=settings, fields=fields)


def _only_this_machine(request: Request) -> None:
    if getattr(request.state, "byline_user", "") != THIS_MACHINE:
        raise UserError("Only a command line that can read the page's BYLINE_HOME may ask for this.")
