"""What the doors need of an engine and its store: the parts of a `NewsQueryEngine` and a `PassageStore` they use."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Protocol

from index.articles import Article
from index.earlier import Cited
from index.passages import Passage
from index.records import IndexedArticle
from index.settings import Settings
from rag.conversation import Turn
from rag.events import Event
from rag.filters import Filter
from rag.retrieval import ScoredPassage


class ArticleSource(Protocol):
    """What gives articles and passages."""

    def articles(self) -> Sequence[IndexedArticle]:
        """Everything indexed, sorted by id."""

    def copies(self) -> Mapping[str, str]:
        """The near copies: the id of each with that of the article it repeats."""

    def article(self, article_id: str, /) -> Article:
        """One article, whole."""

    def cited(self, passage_id: str, /) -> Cited:
        """One passage in its article, as both were when it was cited."""

    def cited_passages(self, passage_ids: Sequence[str], /) -> Sequence[tuple[Passage, str | None]]:
        """Passages in the order asked for, with the time their version was replaced; unknown ids are left out."""


class Answering(Protocol):
    """What answers questions and finds passages."""

    @property
    def store(self) -> ArticleSource:
        """The articles it answers from."""

    @property
    def settings(self) -> Settings:
        """What it was set up with."""

    def stream(
        self, question: str, history: Sequence[Turn] = (), *, among: Filter | None = None
    ) -> AsyncGenerator[Event, None]:
        """What happens while it answers, from all articles or from those that pass a filter."""

    async def search(self, question: str, *, among: Filter | None = None) -> tuple[Sequence[ScoredPassage], str]:
        """The passages found for a question, best first, and what must be said of the filter."""
