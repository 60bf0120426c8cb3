"""HTTP routes for programs and for the page's script: passages in their articles, articles, answers, feedback.

Whatever arrives is untrusted; whatever leaves is JSON, an error too: `{"error": "what failed and what to do"}`.
"""

import logging
import re
from collections.abc import Callable, Coroutine, Sequence
from typing import Annotated, Any, Final, Literal, Protocol

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from index.articles import Article
from index.errors import ArticleError, BylineError, IndexBusyError, IndexMissingError, ModelError, UserError
from index.passages import Passage
from index.records import IndexedArticle
from index.settings import Settings
from rag.answers import Answer, to_json
from rag.conversation import Turn
from rag.feedback import MAX_COMMENT_CHARACTERS, RecentAnswers, Verdict, add_feedback
from rag.filters import Filter
from rag.markup import web_address

log = logging.getLogger(__name__)

MAX_QUESTION_CHARACTERS: Final = 2000
MAX_TURN_CHARACTERS: Final = 20_000
MAX_TURNS: Final = 40
MAX_PASSAGES: Final = 50
"""Most passages given in one reply."""

MAX_ARTICLES: Final = 10_000
"""Most articles listed in one reply; `offset` asks for the next."""

MAX_NAMES: Final = 1_000
"""Most outlets or articles that a question may be held to."""

Name = Annotated[str, Field(max_length=1_000)]

_PASSAGE_ID: Final = re.compile(r"[0-9a-f]{32}")


class ArticleSource(Protocol):
    """What the routes read: the part of a `PassageStore` that gives articles and passages."""

    def articles(self) -> Sequence[IndexedArticle]:
        """Everything indexed, sorted by id."""

    def article(self, article_id: str, /) -> Article:
        """One article, whole."""

    def passage(self, passage_id: str, /) -> Passage:
        """One passage."""

    def passages(self, passage_ids: Sequence[str], /) -> Sequence[Passage]:
        """Passages in the order asked for; unknown ids are left out."""


class Answering(Protocol):
    """What the routes ask: the part of a `NewsQueryEngine` that answers a question whole."""

    @property
    def store(self) -> ArticleSource:
        """The articles it answers from."""

    @property
    def settings(self) -> Settings:
        """What it was set up with."""

    async def answer(self, question: str, history: Sequence[Turn] = (), *, among: Filter | None = None) -> Answer:
        """The answer to one question, from all articles or from those that pass a filter."""


class AskedTurn(BaseModel):
    """One earlier message of the conversation."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["user", "assistant"]
    content: str = Field(max_length=MAX_TURN_CHARACTERS)


class AskedFilter(BaseModel):
    """Which articles to search: see `rag.filters.Filter`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    outlets: tuple[Name, ...] = Field(default=(), max_length=MAX_NAMES)
    articles: tuple[Name, ...] = Field(default=(), max_length=MAX_NAMES)
    since: Name | None = None
    until: Name | None = None


class Ask(BaseModel):
    """The body of a question."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(max_length=MAX_QUESTION_CHARACTERS, pattern=r"\S")
    history: list[AskedTurn] = Field(default=[], max_length=MAX_TURNS)
    among: AskedFilter = AskedFilter()


class Rating(BaseModel):
    """The body of what a reader says of an answer."""

    model_config = ConfigDict(extra="forbid")

    answer_id: str = Field(max_length=64)
    verdict: Verdict
    comment: str = Field(default="", max_length=MAX_COMMENT_CHARACTERS)


def api_router(engine: Answering, answers: RecentAnswers | None = None) -> APIRouter:
    """The routes over one engine; mount them before the page, which takes every other path.

    Args:
        engine: what answers.
        answers: those of the page, which can be rated.
    """
    recent = answers or RecentAnswers()
    router = APIRouter(route_class=_JsonErrors)

    @router.get("/healthz")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/api/passages")
    def passages(ids: Annotated[str, Query(max_length=40 * MAX_PASSAGES)]) -> dict[str, Any]:
        wanted = [passage_id for passage_id in ids.split(",") if _PASSAGE_ID.fullmatch(passage_id)]
        found = engine.store.passages(list(dict.fromkeys(wanted))[:MAX_PASSAGES])
        return {"passages": [_passage_json(passage) | _source_json(passage) for passage in found]}

    @router.get("/api/passages/{passage_id}")
    def passage(passage_id: Annotated[str, Path(max_length=200)]) -> dict[str, Any]:
        if not _PASSAGE_ID.fullmatch(passage_id):
            raise ArticleError("No passage has this id. It may belong to an article that has changed since.")
        found = engine.store.passage(passage_id)
        return _passage_json(found) | {"article": _article_json(engine.store.article(found.article_id))}

    @router.get("/api/articles")
    def articles(
        limit: Annotated[int, Query(ge=1, le=MAX_ARTICLES)] = MAX_ARTICLES, offset: Annotated[int, Query(ge=0)] = 0
    ) -> dict[str, Any]:
        listed = engine.store.articles()
        return {
            "articles": [
                {"article_id": article.id} | _source_json(article) | {"passages": article.passages}
                for article in listed[offset : offset + limit]
            ],
            "total": len(listed),
        }

    @router.get("/api/articles/{article_id:path}")
    def article(article_id: Annotated[str, Path(max_length=1000)]) -> dict[str, Any]:
        return _article_json(engine.store.article(article_id))

    @router.post("/api/ask")
    async def ask(body: Ask) -> dict[str, Any]:
        history = [Turn(turn.role, turn.content) for turn in body.history]
        among = Filter(**body.among.model_dump())
        return dict(to_json(await engine.answer(body.question.strip(), history, among=among)))

    @router.post("/api/feedback", status_code=201)
    def feedback(body: Rating) -> dict[str, str]:
        given = add_feedback(recent.get(body.answer_id), body.verdict, comment=body.comment, settings=engine.settings)
        return {"verdict": given.verdict, "time": given.time}

    return router


def _source_json(item: Article | IndexedArticle | Passage) -> dict[str, Any]:
    return {
        "title": item.title,
        "source": item.source,
        "url": web_address(item.url),
        "published": item.published,
    }


def _passage_json(passage: Passage) -> dict[str, Any]:
    return {
        "passage_id": passage.id,
        "article_id": passage.article_id,
        "start": passage.start,
        "end": passage.end,
        "text": passage.text,
    }


def _article_json(article: Article) -> dict[str, Any]:
    return {"article_id": article.id} | _source_json(article) | {"text": article.text}


class _JsonErrors(APIRoute):
    """A route whose errors are JSON of our own form, whichever app it is part of."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await handler(request)
            except RequestValidationError as exc:
                return _error(422, _validation_message(exc))
            except BylineError as exc:
                return _error(_status(exc), str(exc))
            except Exception:
                log.exception("The route %s failed", request.url.path)
                return _error(500, "Something went wrong here; the server's log says what.")

        return handle


def _validation_message(exc: RequestValidationError) -> str:
    lines = []
    for error in exc.errors():
        place = ".".join(str(part) for part in error["loc"] if part != "body")
        lines.append(f"{place}: {error['msg']}" if place else str(error["msg"]))
    return "The request cannot be used. " + "; ".join(lines)


def _status(exc: BylineError) -> int:
    if isinstance(exc, ArticleError):
        return 404
    if isinstance(exc, ModelError):
        return 502
    if isinstance(exc, IndexBusyError | IndexMissingError):
        return 503
    return 400 if isinstance(exc, UserError) else 500


def _error(status: int, message: str) -> JSONResponse:
    return JSONResponse({"error": message}, status_code=status)
