"""Routes to what is indexed: articles, and passages in their articles."""

import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query

from index.articles import Article
from index.errors import ArticleError
from index.passages import Passage
from index.records import IndexedArticle
from rag.api.engine import ArticleSource
from rag.api.errors import JsonErrors
from rag.markup import web_address

MAX_PASSAGES: Final = 50
"""Most passages given in one reply."""

MAX_ARTICLES: Final = 10_000
"""Most articles listed in one reply; `offset` asks for the next."""

_PASSAGE_ID: Final = re.compile(r"[0-9a-f]{32}")


def articles_router(store: ArticleSource) -> APIRouter:
    """The routes over one store."""
    router = APIRouter(route_class=JsonErrors)

    @router.get("/api/passages")
    def passages(ids: Annotated[str, Query(max_length=40 * MAX_PASSAGES)]) -> dict[str, Any]:
        wanted = [passage_id for passage_id in ids.split(",") if _PASSAGE_ID.fullmatch(passage_id)]
        found = store.passages(list(dict.fromkeys(wanted))[:MAX_PASSAGES])
        return {"passages": [passage_json(passage) | source_json(passage) for passage in found]}

    @router.get("/api/passages/{passage_id}")
    def passage(passage_id: Annotated[str, Path(max_length=200)]) -> dict[str, Any]:
        if not _PASSAGE_ID.fullmatch(passage_id):
            raise ArticleError("No passage has this id. It may belong to an article that has changed since.")
        found = store.passage(passage_id)
        return passage_json(found) | {"article": article_json(store.article(found.article_id))}

    @router.get("/api/articles")
    def articles(
        limit: Annotated[int, Query(ge=1, le=MAX_ARTICLES)] = MAX_ARTICLES, offset: Annotated[int, Query(ge=0)] = 0
    ) -> dict[str, Any]:
        listed = store.articles()
        return {
            "articles": [
                {"article_id": article.id} | source_json(article) | {"passages": article.passages}
                for article in listed[offset : offset + limit]
            ],
            "total": len(listed),
        }

    @router.get("/api/articles/{article_id:path}")
    def article(article_id: Annotated[str, Path(max_length=1000)]) -> dict[str, Any]:
        return article_json(store.article(article_id))

    return router


def source_json(item: Article | IndexedArticle | Passage) -> dict[str, Any]:
    """What is known of where something was published."""
    return {
        "title": item.title,
        "source": item.source,
        "url": web_address(item.url),
        "published": item.published,
    }


def passage_json(passage: Passage) -> dict[str, Any]:
    """A passage with its place and words."""
    return {
        "passage_id": passage.id,
        "article_id": passage.article_id,
        "start": passage.start,
        "end": passage.end,
        "text": passage.text,
    }


def article_json(article: Article) -> dict[str, Any]:
    """An article with its text."""
    return {"article_id": article.id} | source_json(article) | {"text": article.text}
