"""Filter: which articles a question is about, by outlet, article or day; what has no day is counted, never guessed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from index.errors import ArticleError, UserError
from index.records import IndexedArticle

_SHOWN = 12  # outlets listed where one is not known


@dataclass(frozen=True, slots=True)
class Filter:
    """What an article must be to be searched; what is left empty does not matter.

    Attributes:
        outlets: its outlet is one of these, in whatever case, with or without a section behind ` - ` or ` | `.
        articles: its id is one of these.
        since: first day it may be published on, as an ISO date.
        until: last day it may be published on, as an ISO date.
    """

    outlets: tuple[str, ...] = ()
    articles: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None

    def __post_init__(self) -> None:
        """Check the days.

        Raises:
            UserError: one is no ISO date, or the first is after the last.
        """
        for day in (self.since, self.until):
            if day is not None and not is_day(day):
                raise UserError(f"{day!r} is not a day; write it as 2025-12-15.")
        if self.since and self.until and self.since > self.until:
            raise UserError(f"No day is from {self.since} to {self.until}; the first is after the last.")

    def __bool__(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.outlets or self.articles or self.since or self.until)


@dataclass(frozen=True, slots=True)
class Selection:
    """The articles that pass a filter; `undated` others would, but nobody knows their day."""

    article_ids: frozenset[str]
    undated: int

    @property
    def notice(self) -> str:
        """What a reader must know of the selection; empty where there is nothing."""
        if self.undated:
            left_out = "1 article is" if self.undated == 1 else f"{self.undated} articles are"
            undated = f"{left_out} left out because the day of publication is not known."
        else:
            undated = ""
        return " ".join(filter(None, ("" if self.article_ids else "No article passes the filter.", undated)))


def select_articles(articles: Sequence[IndexedArticle], wanted: Filter) -> Selection:
    """The articles that pass a filter.

    Raises:
        ArticleError: an outlet or an article that it names is not in the index.
    """
    outlets = _known_outlets(articles, wanted.outlets)
    if unknown := sorted(set(wanted.articles) - {article.id for article in articles}):
        raise ArticleError(f"No article {unknown[0]!r} is in the index; `python -m index list` shows them.")
    passing = [
        article
        for article in articles
        if (not wanted.outlets or article.source in outlets) and (not wanted.articles or article.id in wanted.articles)
    ]
    if not (wanted.since or wanted.until):
        return Selection(frozenset(article.id for article in passing), undated=0)
    first, last = wanted.since or "", wanted.until or "9999-12-31"
    return Selection(
        frozenset(one.id for one in passing if one.published and first <= one.published[:10] <= last),
        undated=sum(not one.published for one in passing),
    )


def outlet_names(outlet: str) -> set[str]:
    """The names an outlet goes by: as it is written, and without a section behind ` - ` or ` | `."""
    return {outlet, re.split(r" [-|–] ", outlet)[0]}


def _known_outlets(articles: Sequence[IndexedArticle], names: Sequence[str]) -> set[str]:
    """The outlets that go by these names."""
    there = {article.source for article in articles if article.source}
    found = set()
    for name in names:
        same = {outlet for outlet in there if name.casefold() in {other.casefold() for other in outlet_names(outlet)}}
        if not same:
            listed = sorted(there)
            more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
            known = f"there are {', '.join(listed[:_SHOWN])}{more}" if listed else "no article says its outlet"
            raise ArticleError(f"No article is by an outlet {name!r}; {known}.")
        found |= same
    return found


def is_day(text: str) -> bool:
    """Whether a text is a day that there is, as an ISO date."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
