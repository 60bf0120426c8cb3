"""Doors for programs and for the page's script: HTTP routes to articles, passages, answers, feedback.

Whatever arrives is untrusted; whatever leaves is JSON, an error too.
"""

from importlib.util import find_spec

from fastapi import APIRouter

from rag.api.articles import articles_router
from rag.api.ask import ask_router
from rag.api.bodies import MAX_QUESTION_CHARACTERS, MAX_TURN_CHARACTERS, MAX_TURNS, Rating
from rag.api.description import description_router
from rag.api.desk import Desk
from rag.api.engine import Answering, ArticleSource
from rag.api.errors import JsonErrors
from rag.api.openai_protocol import openai_router
from rag.api.replies import RatedReply, documented
from rag.feedback import RecentAnswers, add_feedback
from rag.limits import Rate

__all__ = [
    "MAX_QUESTION_CHARACTERS",
    "MAX_TURNS",
    "MAX_TURN_CHARACTERS",
    "Answering",
    "ArticleSource",
    "api_router",
]


def api_router(engine: Answering, answers: RecentAnswers | None = None, *, rate: Rate | None = None) -> APIRouter:
    """The routes over one engine; mount them before the page, which takes every other path.

    Args:
        engine: what answers.
        answers: those of the page, which can be rated.
        rate: how much each client may ask; as much as it likes where left out.
    """
    desk = Desk(engine, rate=rate)
    router = APIRouter(route_class=JsonErrors)
    router.include_router(ask_router(desk))
    router.include_router(articles_router(engine.store))
    router.include_router(openai_router(desk))
    router.include_router(_other_router(engine, answers or RecentAnswers()))
    router.include_router(description_router(router.routes))
    if find_spec("mcp"):
        # Imported here: it is an extra.
        from rag.api.mcp_door import mcp_router

        router.include_router(mcp_router(desk))
    return router


def _other_router(engine: Answering, recent: RecentAnswers) -> APIRouter:
    router = APIRouter(route_class=JsonErrors, tags=["Other"])

    @router.post("/api/feedback", **documented(RatedReply, status=201))
    def feedback(body: Rating) -> dict[str, str]:
        """Say what you think of an answer that the page gave, by the id it has there."""
        given = add_feedback(recent.get(body.answer_id), body.verdict, comment=body.comment, settings=engine.settings)
        return {"verdict": given.verdict, "time": given.time}

    @router.get("/healthz")
    def health() -> dict[str, str]:
        """Whether the server is up."""
        return {"status": "ok"}

    return router
