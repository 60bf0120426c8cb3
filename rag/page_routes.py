"""Routes for the page's own script, under `page/`: the corpus, lists of articles, kept answers, export, changes."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Protocol

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from index.errors import UserError
from index.reading.kinds import READABLE_ENDINGS
from rag.api import Answering
from rag.api.articles import Order
from rag.api.errors import JsonErrors
from rag.changes import MAX_UPLOAD_BYTES, Changes
from rag.corpus import Suggestions, days_of, describe, find_listed, outlets_of
from rag.export import Exchange, conversation_html, conversation_markdown
from rag.feedback import RecentAnswers
from rag.followups import FollowUps, Quoting
from rag.kept import KeptConversation, from_kept, to_kept
from rag.markup import web_address

MOST_LISTED: Final = 100

_MEDIA_TYPES: Final = {"markdown": ("text/markdown", "md"), "page": ("text/html", "html")}
_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
# A file of the reader's own: not to be drawn here, where it could speak with the voice of the page.
_AS_FILE: Final = {"Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'"}


class SeenWords(BaseModel):
    """Where words begin that the reader has seen."""

    model_config = ConfigDict(extra="forbid")

    article_id: Annotated[str, Field(max_length=1000)]
    start: Annotated[int, Field(ge=0)]


class Next(BaseModel):
    """What an answer rested on and what was asked so far."""

    model_config = ConfigDict(extra="forbid")

    article_ids: Annotated[list[Annotated[str, Field(max_length=1000)]], Field(max_length=20)]
    asked: Annotated[list[Annotated[str, Field(max_length=2000)]], Field(max_length=40)] = []
    seen: Annotated[list[SeenWords], Field(max_length=100)] = []


class Engine(Answering, Quoting, Protocol):
    """What answers, by quoting as well."""


class Address(BaseModel):
    """Where an article or a feed is."""

    model_config = ConfigDict(extra="forbid")

    address: Annotated[str, Field(min_length=1, max_length=2000, pattern=r"\S")]


class Removal(BaseModel):
    """Which articles to take out."""

    model_config = ConfigDict(extra="forbid")

    article_ids: Annotated[list[Annotated[str, Field(max_length=1000)]], Field(min_length=1, max_length=100)]


def page_router(
    engine: Engine, models: Sequence[str], answers: RecentAnswers, *, changes: Changes | None = None
) -> APIRouter:
    """The routes; include them before the page, which takes every other path.

    Args:
        engine: what answers where nothing else is chosen.
        models: the models to choose from, the first as the settings have it.
        answers: those given lately.
        changes: adds and removes articles; None where the page may not.
    """
    router = APIRouter(prefix="/page", route_class=JsonErrors, include_in_schema=False)
    suggestions = Suggestions(engine.store)
    follow_ups = FollowUps(engine)

    @router.get("/corpus")
    def corpus(request: Request) -> dict[str, Any]:
        listed = engine.store.articles()
        days = days_of(listed)
        return {
            "about": describe(listed, models[0]),
            "articles": len(listed),
            "undated": len(listed) - len(days),
            "first": days[0] if days else None,
            "last": days[-1] if days else None,
            "outlets": outlets_of(listed),
            "suggestions": suggestions.questions(),
            "models": list(models),
            "max_upload_bytes": MAX_UPLOAD_BYTES if changes and _may_change(changes, request) else 0,
            "endings": READABLE_ENDINGS,
            "user": getattr(request.state, "byline_user", ""),
        }

    @router.get("/articles")
    def articles(
        query: Annotated[str, Query(max_length=200)] = "",
        order: Order = "newest",
        limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = MOST_LISTED,
        offset: Annotated[int, Query(ge=0)] = 0,
    ) -> dict[str, Any]:
        listed = engine.store.articles()
        found = find_listed(listed, query, order)
        copies = engine.store.copies()
        names = {one.id: f"{one.source}: {one.title}" if one.source else one.title for one in listed} if copies else {}
        shown = [
            {
                "article_id": one.id,
                "title": one.title,
                "source": one.source,
                "published": one.published,
                "url": web_address(one.url),
                "copy_of": names.get(copies.get(one.id, "")),
            }
            for one in found[offset : offset + limit]
        ]
        return {"articles": shown, "total": len(found)}

    @router.get("/answers/{answer_id}")
    def answer(answer_id: Annotated[str, Path(max_length=64)]) -> dict[str, Any]:
        return to_kept(answers.get(answer_id))

    @router.post("/next")
    async def follow_up(body: Next) -> dict[str, Any]:
        seen = [(one.article_id, one.start) for one in body.seen]
        return {"questions": await follow_ups.offer(body.article_ids, asked=body.asked, seen=seen)}

    @router.post("/export/{form}")
    def export(form: str, body: KeptConversation) -> Response:
        media_type, ending = _MEDIA_TYPES["page" if form == "page" else "markdown"]
        write = conversation_html if form == "page" else conversation_markdown
        exchanges = [
            Exchange(turn.question, from_kept(turn.answer) if turn.answer else None, turn.text) for turn in body.turns
        ]
        day = datetime.now(UTC).date().isoformat()
        text = write(body.title or body.turns[0].question, exchanges, day=day)
        headers = {"Content-Disposition": f'attachment; filename="byline-{day}.{ending}"', **_AS_FILE}
        return Response(text, media_type=f"{media_type}; charset=utf-8", headers=headers)

    if changes is not None:
        _add_changing(router, changes)
    return router


def _add_changing(router: APIRouter, changes: Changes) -> None:
    """The routes that change the index."""

    def refuse_forwarded(request: Request) -> None:
        if not _may_change(changes, request):
            raise UserError("Articles are changed on this machine only; BYLINE_PAGE_CHANGES=on lets others do it.")

    here = [Depends(refuse_forwarded)]

    @router.post("/pieces/{upload}", dependencies=here)
    async def piece(upload: str, request: Request, offset: Annotated[int, Query(ge=0)]) -> dict[str, int]:
        return {"bytes": changes.take_piece(upload, offset, await request.body())}

    @router.post("/add/{upload}", dependencies=here)
    async def add(upload: str, name: Annotated[str, Query(min_length=1, max_length=1000)]) -> StreamingResponse:
        return told_lines(changes.add_upload(upload, name))

    @router.post("/fetch", dependencies=here)
    async def fetch(body: Address) -> StreamingResponse:
        return told_lines(changes.add_address(body.address))

    @router.post("/remove", dependencies=here)
    async def remove(body: Removal) -> dict[str, Any]:
        return {"removed": (await changes.remove(body.article_ids)).removed}


def _may_change(changes: Changes, request: Request) -> bool:
    # Behind a proxy on this machine, everybody seems to be here.
    return not (changes.here_only and any(name in request.headers for name in _FORWARDED))


def told_lines(progress: AsyncIterator[dict[str, Any]]) -> StreamingResponse:
    """What is told while it works, a line of JSON each."""

    async def lines() -> AsyncIterator[str]:
        async for told in progress:
            yield json.dumps(told) + "\n"

    return StreamingResponse(lines(), media_type="application/x-ndjson")
