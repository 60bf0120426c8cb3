"""Routes that ask: an answer whole, as one JSON object, or as it comes, as server-sent events; passages alone.

A stream sends, each `data` one JSON object in one line:

    event: searching   {"standalone_question": "..."}
    event: passages    {"passages": [{"passage_id", "article_id", "start", "end", "text", "title", ...}]}
    event: text        {"text": "the whole text up to now", "citations": [...]}     again and again
    event: answer      the answer's JSON                                            always the last, or else
    event: error       {"error": "what failed and what to do"}
"""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from rag.answers import citation_json, to_json
from rag.api.articles import passage_json, source_json
from rag.api.bodies import MAX_NAMES, MAX_QUESTION_CHARACTERS, Ask, Day, Name
from rag.api.desk import Desk, while_connected
from rag.api.errors import JsonErrors, explain
from rag.api.replies import EVENTS_SCHEMA, AnswerReply, SearchReply, documented
from rag.events import Answered, Event, PassagesFound, Searching, TextSoFar
from rag.filters import Filter
from rag.limits import client_of
from rag.pacing import UPDATE_SECONDS, paced, with_signs_of_life
from rag.retrieval import ScoredPassage

EVENTS = "text/event-stream"
STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""A proxy that keeps a stream until it is whole makes no stream of it."""

_NAMES = Query(max_length=MAX_NAMES)


def ask_router(desk: Desk) -> APIRouter:
    """The routes over one desk."""
    router = APIRouter(route_class=JsonErrors, tags=["Ask"])
    asked = documented(AnswerReply)
    asked["responses"][200]["content"] = {EVENTS: {"schema": EVENTS_SCHEMA}}

    @router.post("/api/ask", **asked)
    async def ask(body: Ask, request: Request) -> Any:
        """Answer a question. With `stream`, or where the request accepts `text/event-stream`, as it comes."""
        among = body.filter()
        desk.admit(client_of(request.scope))
        question, turns = body.question.strip(), body.turns()
        if body.stream or EVENTS in request.headers.get("accept", ""):
            events = desk.stream(question, turns, among=among)
            return StreamingResponse(event_lines(events), media_type=EVENTS, headers=STREAM_HEADERS)
        return to_json(await while_connected(request, desk.answer(question, turns, among=among)))

    @router.get("/api/search", **documented(SearchReply))
    async def search(
        request: Request,
        q: Annotated[str, Query(max_length=MAX_QUESTION_CHARACTERS, pattern=r"\S")],
        outlet: Annotated[list[Name], _NAMES] = [],  # noqa: B006 - read, never changed
        article: Annotated[list[Name], _NAMES] = [],  # noqa: B006
        since: Annotated[Day | None, Query(alias="from")] = None,
        until: Annotated[Day | None, Query(alias="to")] = None,
    ) -> dict[str, Any]:
        """The passages that answer a question best, without an answer."""
        among = Filter(tuple(outlet), tuple(article), since, until)
        desk.admit(client_of(request.scope))
        found, notice = await desk.search(q.strip(), among=among or None)
        return {"passages": scored_json(found), "notice": notice}

    return router


def scored_json(found: Sequence[ScoredPassage]) -> list[dict[str, Any]]:
    """Passages with their words, where they were published and how well they match."""
    return [
        passage_json(one.passage) | source_json(one.passage) | {"score": round(one.score, 6), "rank": one.rank}
        for one in found
    ]


async def event_lines(events: AsyncGenerator[Event, None]) -> AsyncGenerator[str, None]:
    """The stream of a question; an error is its last event."""
    try:
        async with aclosing(with_signs_of_life(paced(events, seconds=UPDATE_SECONDS))) as coming:
            async for event in coming:
                yield ": still there\n\n" if event is None else _lines(event)
    except Exception as exc:
        yield _event("error", {"error": explain(exc)[1]})


def _lines(event: Event) -> str:
    match event:
        case Searching(standalone_question):
            return _event("searching", {"standalone_question": standalone_question})
        case PassagesFound(passages):
            return _event("passages", {"passages": scored_json(passages)})
        case TextSoFar(text, citations):
            return _event("text", {"text": text, "citations": [citation_json(citation) for citation in citations]})
        case Answered(answer):
            return _event("answer", to_json(answer))


def _event(name: str, data: object) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
