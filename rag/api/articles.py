"""Routes to what is indexed: articles, and passages in their articles."""

import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query

from index.articles import Article
from index.errors import ArticleError
from index.passages import Passage
from index.records import IndexedArticle
from rag.api.bodies import Day
from rag.api.engine import ArticleSource
from rag.api.errors import JsonErrors
from rag.api.replies import (
    ArticleReply,
    ArticlesReply,
    PassageInArticleReply,
    PassagesReply,
    documented,
)
from rag.filters import Filter, select_articles
from rag.markup import web_address

MAX_PASSAGES: Final = 50
"""Most passages given in one reply."""

MAX_ARTICLES: Final = 10_000
"""Most articles listed in one reply; `offset` asks for the next."""

_PASSAGE_ID: Final = re.compile(r"[0-9a-f]{32}")


Order = Literal["id", "newest", "oldest", "title"]


def articles_router(store: ArticleSource) -> APIRouter:
    """The routes over one store."""
    router = APIRouter(route_class=JsonErrors, tags=["Articles"])

    @router.get("/api/passages", **documented(PassagesReply))
    def passages(ids: Annotated[str, Query(max_length=40 * MAX_PASSAGES)]) -> dict[str, Any]:
        """Passages by their ids, separated by commas; unknown ones are left out."""
        wanted = [passage_id for passage_id in ids.split(",") if _PASSAGE_ID.fullmatch(passage_id)]
        found = store.cited_passages(list(dict.fromkeys(wanted))[:MAX_PASSAGES])
        return {
            "passages": [
                passage_json(passage) | source_json(passage) | {"replaced": replaced} for passage, replaced in found
            ]
        }

    @router.get("/api/passages/{passage_id}", **documented(PassageInArticleReply))
    def passage(passage_id: Annotated[str, Path(max_length=200)]) -> dict[str, Any]:
        """A passage and the whole article around it."""
        if not _PASSAGE_ID.fullmatch(passage_id):
            raise ArticleError("No passage has this id. It may belong to an article that has changed since.")
        cited = store.cited(passage_id)
        # `replaced`: since when the article says something else; the text here is what was cited.
        return passage_json(cited.passage) | {"article": article_json(cited.article), "replaced": cited.replaced}

    @router.get("/api/articles", **documented(ArticlesReply))
    def articles(
        q: Annotated[str, Query(max_length=400)] = "",
        outlet: Annotated[str, Query(max_length=1_000)] = "",
        since: Annotated[Day | None, Query(alias="from")] = None,
        until: Annotated[Day | None, Query(alias="to")] = None,
        sort: Order = "id",
        limit: Annotated[int, Query(ge=1, le=MAX_ARTICLES)] = MAX_ARTICLES,
        offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
    ) -> dict[str, Any]:
        """What is indexed; `q` holds words that title, outlet or id must have."""
        copies = store.copies()
        listed = list_articles(store.articles(), q, Filter((outlet,) if outlet else (), (), since, until), sort=sort)
        return {
            "articles": [
                {"article_id": article.id}
                | source_json(article)
                | {"passages": article.passages, "copy_of": copies.get(article.id)}
                for article in listed[offset : offset + limit]
            ],
            "total": len(listed),
        }

    @router.get("/api/articles/{article_id:path}", **documented(ArticleReply))
    def article(article_id: Annotated[str, Path(max_length=1000)]) -> dict[str, Any]:
        """An article with its text; the id may hold slashes."""
        return article_json(store.article(article_id))

    return router


def list_articles(
    articles: Sequence[IndexedArticle], words: str = "", among: Filter | None = None, *, sort: Order = "id"
) -> list[IndexedArticle]:
    """The articles whose title, outlet or id have all `words` and that pass a filter.

    Raises:
        ArticleError: the filter names an outlet that is not there.
    """
    wanted = words.casefold().split()
    passing = select_articles(articles, among).article_ids if among else None
    found = [
        article
        for article in articles
        if (passing is None or article.id in passing)
        and all(word in f"{article.title} {article.source or ''} {article.id}".casefold() for word in wanted)
    ]
    return sort_articles(found, sort)


def sort_articles(articles: Iterable[IndexedArticle], order: Order) -> list[IndexedArticle]:
    """The articles in an order; of the same day by headline, those without a known day last."""
    if order == "id":
        return sorted(articles, key=lambda article: article.id)
    listed = sorted(articles, key=lambda article: (article.title.casefold(), article.id))
    if order != "title":
        listed.sort(key=lambda article: article.published or "", reverse=order == "newest")
        listed.sort(key=lambda article: not article.published)
    return listed


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
