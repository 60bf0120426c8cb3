"""HTTP routes for programs and for the page's script: passages in their articles, articles, answers, feedback.

Whatever arrives is untrusted; whatever leaves is JSON, an error too.
"""

from typing import Any

from fastapi import APIRouter

from rag.answers import to_json
from rag.api.articles import articles_router
from rag.api.bodies import (
    MAX_NAMES,
    MAX_QUESTION_CHARACTERS,
    MAX_TURN_CHARACTERS,
    MAX_TURNS,
    Ask,
    AskedFilter,
    Rating,
)
from rag.api.engine import Answering, ArticleSource
from rag.api.errors import JsonErrors
from rag.feedback import RecentAnswers, add_feedback

__all__ = [
    "MAX_NAMES",
    "MAX_QUESTION_CHARACTERS",
    "MAX_TURNS",
    "MAX_TURN_CHARACTERS",
    "Answering",
    "ArticleSource",
    "Ask",
    "AskedFilter",
    "api_router",
]


def api_router(engine: Answering, answers: RecentAnswers | None = None) -> APIRouter:
    """The routes over one engine; mount them before the page, which takes every other path.

    Args:
        engine: what answers.
        answers: those of the page, which can be rated.
    """
    recent = answers or RecentAnswers()
    router = APIRouter(route_class=JsonErrors)
    router.include_router(articles_router(engine.store))

    @router.get("/healthz")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @router.post("/api/ask")
    async def ask(body: Ask) -> dict[str, Any]:
        return dict(to_json(await engine.answer(body.question.strip(), body.turns(), among=body.filter())))

    @router.post("/api/feedback", status_code=201)
    def feedback(body: Rating) -> dict[str, str]:
        given = add_feedback(recent.get(body.answer_id), body.verdict, comment=body.comment, settings=engine.settings)
        return {"verdict": given.verdict, "time": given.time}

    return router
