"""Follow-ups: what one may ask after an answer, offered only where the articles' own words answer it.

Questions are made from the articles that the answer rests on, then put to the quoting reader one by one: what it
refuses is dropped, and so is what it answers with words that the reader has seen already.
"""

import re
from collections.abc import Sequence
from typing import Final, Protocol

from index.lexical import STOP_WORDS, words_of
from rag.api import ArticleSource
from rag.corpus import read_if_there, state_of
from rag.extractive import Extract
from rag.suggestions import questions_about

MAX_OFFERED: Final = 3
_MOST_TRIED: Final = 8
_FROM: Final = 4  # articles
_MOST_KEPT: Final = 2000  # questions whose place is remembered

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


class FollowUps:
    """Offers them; where a question is answered is found out once, until the articles change."""

    def __init__(self, engine: Quoting) -> None:
        """Try questions with `engine`."""
        self._engine = engine
        self._state = state_of(())
        self._places: dict[str, Place | None] = {}

    async def offer(self, article_ids: Sequence[str], *, asked: Sequence[str], seen: Sequence[Place] = ()) -> list[str]:
        """What one may ask next.

        Args:
            article_ids: those that the answer rests on, the most important first.
            asked: the questions so far; none is offered again.
            seen: the sentences that the answer quotes.
        """
        state = state_of(self._engine.store.articles())
        if state != self._state or len(self._places) >= _MOST_KEPT:
            self._state, self._places = state, {}
        places = self._places  # those of the articles that are asked
        offered: list[str] = []
        said = set(seen)
        tried = 0
        for question in make_questions(self._engine.store, article_ids, asked):
            if any(_alike(question, other) for other in offered):
                continue
            tried += 1
            if tried > _MOST_TRIED:
                break
            place = await self._place(question, places)
            if place is None or place in said:
                continue
            said.add(place)
            offered.append(question)
            if len(offered) == MAX_OFFERED:
                break
        return offered

    async def _place(self, question: str, places: dict[str, Place | None]) -> Place | None:
        """Where the sentence stands that answers best; None where none does."""
        if question not in places:
            extract = await self._engine.quote(question)
            first = None if extract.refused else extract.citations[0]
            places[question] = (first.passage.article_id, first.start) if first else None
        return places[question]


def make_questions(store: ArticleSource, article_ids: Sequence[str], asked: Sequence[str]) -> list[str]:
    """Questions about some articles, the most telling first, none that was asked."""
    chosen = [article for one in list(dict.fromkeys(article_ids))[:_FROM] if (article := read_if_there(store, one))]
    known = {_key(question) for question in asked}
    # Not the first word of a question, which many begin with.
    people = {word for question in asked for word in re.findall(r"(?<=\s)[A-Z]\w{3,}", question)}
    made = [question for question in questions_about(chosen) if _key(question) not in known]
    # Somebody else, or something else, before more of the same.
    return sorted(made, key=lambda question: any(word in question for word in people))


def _alike(first: str, second: str) -> bool:
    """Whether two questions are about the same person or the same thing."""
    return len(_telling(first) & _telling(second)) > 1


def _telling(question: str) -> set[str]:
    return {word for word in words_of(question) if word not in STOP_WORDS and word not in _ASKING}


def _key(question: str) -> str:
    return " ".join(re.findall(r"\w+", question.casefold()))
