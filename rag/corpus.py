"""Corpus: what the page says of the articles: how many, from which outlets and days, what one may ask about them."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from index.articles import Article
from index.errors import ArticleError
from index.records import IndexedArticle
from rag.api import ArticleSource
from rag.api.articles import Order, sort_articles
from rag.interface import phrase
from rag.suggestions import suggest_questions

State = tuple[int, int]

MAX_SUGGESTIONS: Final = 9
_MOST_OUTLETS: Final = 1000
_MOST_READ: Final = 60
_DATED_FROM: Final = 0.9


def describe(listed: Sequence[IndexedArticle], model: str) -> str:
    """One line: what the articles are and who answers."""
    line = phrase("answers from", count=len(listed)) + _period(listed)
    return line + (phrase("in their own words") if model == "none" else phrase("written by", model=model))


def _period(listed: Sequence[IndexedArticle]) -> str:
    """The time the articles span; nothing where many have no date, for then it would mislead."""
    days = days_of(listed)
    if not days or len(days) < _DATED_FROM * len(listed):
        return ""
    if days[0] == days[-1]:
        return phrase("on one day", day=days[0])
    return phrase("between days", first=days[0], last=days[-1])


def days_of(listed: Sequence[IndexedArticle]) -> list[str]:
    """The known days of publication, sorted."""
    return sorted(article.published[:10] for article in listed if article.published)


def outlets_of(listed: Sequence[IndexedArticle]) -> list[dict[str, Any]]:
    """The outlets with how many articles each has, those with most first."""
    counted = Counter(article.source for article in listed if article.source)
    ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:_MOST_OUTLETS]
    return [{"name": name, "articles": number} for name, number in ordered]


def find_listed(listed: Sequence[IndexedArticle], query: str, order: Order) -> list[IndexedArticle]:
    """The articles in whose headline or outlet every word of the query begins a word, in the order wanted."""
    wanted = [re.compile(rf"(?<!\w){re.escape(word)}", re.IGNORECASE) for word in query.split()[:12]]
    found = [one for one in listed if all(word.search(f"{one.title} {one.source or ''}") for word in wanted)]
    return sort_articles(found, order)


def state_of(listed: Sequence[IndexedArticle]) -> State:
    """Another one whenever the articles have changed: how many there are, and which was written last."""
    return len(listed), max((one.version for one in listed), default=0)


class Suggestions:
    """Questions to begin with, made anew when the articles have changed."""

    def __init__(self, store: ArticleSource) -> None:
        self._store = store
        self._made_of: State | None = None
        self._questions: list[str] = []

    def questions(self) -> list[str]:
        """The questions for the articles as they are now."""
        listed = self._store.articles()
        state = state_of(listed)
        if state != self._made_of:
            self._questions = suggest_questions(_sample(self._store, listed), MAX_SUGGESTIONS)
            self._made_of = state
        return self._questions


def _sample(store: ArticleSource, listed: Sequence[IndexedArticle]) -> list[Article]:
    """Some articles from across the whole, always the same ones."""
    chosen = listed[:: max(1, len(listed) // _MOST_READ)][:_MOST_READ]
    return [article for one in chosen if (article := read_if_there(store, one.id))]


def read_if_there(store: ArticleSource, article_id: str) -> Article | None:
    """An article, or None where it was removed meanwhile."""
    try:
        return store.article(article_id)
    except ArticleError:
        return None
