"""Follow-ups: what one may ask after an answer, offered only where the articles' own words answer it.

Questions are made from the articles that the answer rests on, then put to the quoting reader one by one: what it
refuses is dropped, and so is what it answers with words that the reader has seen already.
"""

import re
from collections.abc import Sequence
from typing import Final, Protocol

from index.articles import Article
from index.errors import ArticleError
from index.lexical import STOP_WORDS, words_of
from rag.api import ArticleSource
from rag.extractive import Extract
from rag.suggestions import questions_about

MAX_OFFERED: Final = 3
_MOST_TRIED: Final = 8
_FROM: Final = 4  # articles

_ASKING: Final = frozenset({"say", "said", "long", "last"})

Place = tuple[str, int]
"""A sentence: its article's id and its first character there."""


class Quoting(Protocol):
    """What answers by quoting."""

    @property
    def store(self) -> ArticleSource:
        """The articles it quotes."""

    async def quote(self, question: str) -> Extract:
        """What the articles' own sentences say to a question."""


async def offer_questions(
    engine: Quoting, article_ids: Sequence[str], *, asked: Sequence[str], seen: Sequence[Place] = ()
) -> list[str]:
    """What one may ask next.

    Args:
        engine: tries the questions.
        article_ids: those that the answer rests on, the most important first.
        asked: the questions so far; none is offered again.
        seen: the sentences that the answer quotes.
    """
    offered: list[str] = []
    said = set(seen)
    tried = 0
    for question in make_questions(engine.store, article_ids, asked):
        if any(_alike(question, other) for other in offered):
            continue
        tried += 1
        if tried > _MOST_TRIED:
            break
        extract = await engine.quote(question)
        if extract.refused:
            continue
        first = extract.citations[0]
        place = first.passage.article_id, first.start
        if place in said:
            continue
        said.add(place)
        offered.append(question)
        if len(offered) == MAX_OFFERED:
            break
    return offered


def make_questions(store: ArticleSource, article_ids: Sequence[str], asked: Sequence[str]) -> list[str]:
    """Questions about some articles, the most telling first, none that was asked."""
    chosen = [article for one in list(dict.fromkeys(article_ids))[:_FROM] if (article := _read(store, one))]
    known = {_key(question) for question in asked}
    # Not the first word of a question, which many begin with.
    people = {word for question in asked for word in re.findall(r"(?<=\s)[A-Z]\w{3,}", question)}
    made = [question for question in questions_about(chosen) if _key(question) not in known]
    # Somebody else, or something else, before more of the same.
    return sorted(made, key=lambda question: any(word in question for word in people))


def _read(store: ArticleSource, article_id: str) -> Article | None:
    """An article, or None where it was removed meanwhile."""
    try:
        return store.article(article_id)
    except ArticleError:
        return None


def _alike(first: str, second: str) -> bool:
    """Whether two questions are about the same person or the same thing."""
    return len(_telling(first) & _telling(second)) > 1


def _telling(question: str) -> set[str]:
    return {word for word in words_of(question) if word not in STOP_WORDS and word not in _ASKING}


def _key(question: str) -> str:
    return " ".join(re.findall(r"\w+", question.casefold()))
