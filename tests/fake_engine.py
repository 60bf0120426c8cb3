"""An engine that says what a test tells it to, over a few articles held in memory."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from hashlib import sha256

from index.articles import Article
from index.errors import ArticleError
from index.passages import Passage
from index.records import IndexedArticle
from index.sentences import split_sentences
from rag.answers import Answer
from rag.citations import Citation, Support
from rag.conversation import Turn
from rag.engine import Answered, Event, PassagesFound, Searching, TextSoFar
from rag.retrieval import ScoredPassage

Script = Callable[[str, Sequence[Turn]], AsyncIterator[Event]]


def make_article(article_id: str, text: str, *, title: str = "A headline", **known: str | None) -> Article:
    """An article whose outlet, address and date are unknown unless given."""
    return Article(
        id=article_id,
        title=title,
        source=known.get("source"),
        url=known.get("url"),
        published=known.get("published"),
        text=text,
        content_hash=sha256(text.encode()).hexdigest(),
    )


def cut(article: Article) -> list[Passage]:
    """A passage for each line; each begins where the one before it ends."""
    passages = []
    start = 0
    for line in article.text.splitlines(keepends=True):
        name = sha256(f"{article.id} {start}".encode()).hexdigest()[:32]
        known = (article.title, article.source, article.url, article.published)
        passages.append(Passage(name, article.id, start, start + len(line), line, *known))
        start += len(line)
    return passages


def quote(scored: ScoredPassage, *, of: str, sentence: str, support: Support = "supported") -> Citation:
    """A citation of a passage's first sentence on `sentence` of the answer `of`."""
    passage = scored.passage
    span = split_sentences(passage.text)[0]
    start = of.index(sentence)
    return Citation(
        marker=scored.rank,
        passage=passage,
        start=passage.start + span.start,
        end=passage.start + span.end,
        quote=passage.text[span.start : span.end],
        answer_start=start,
        answer_end=start + len(sentence),
        support=support,
    )


class MemoryStore:
    """Articles and passages in memory."""

    def __init__(self, articles: Sequence[Article]) -> None:
        self._articles = {article.id: article for article in sorted(articles, key=lambda article: article.id)}
        self._cut = {article.id: cut(article) for article in articles}
        self._passages = {passage.id: passage for passages in self._cut.values() for passage in passages}

    def articles(self) -> list[IndexedArticle]:
        return [
            IndexedArticle(
                id=article.id,
                title=article.title,
                source=article.source,
                url=article.url,
                published=article.published,
                content_hash=article.content_hash,
                passages=len(self._cut[article.id]),
                origin="",
                version=1,
            )
            for article in self._articles.values()
        ]

    def article(self, article_id: str) -> Article:
        if article_id not in self._articles:
            raise ArticleError("No article has this id.")
        return self._articles[article_id]

    def passage(self, passage_id: str) -> Passage:
        if passage_id not in self._passages:
            raise ArticleError("No passage has this id.")
        return self._passages[passage_id]

    def passages(self, passage_ids: Sequence[str]) -> list[Passage]:
        return [self._passages[one] for one in passage_ids if one in self._passages]

    def article_passages(self, article_id: str) -> list[Passage]:
        return self._cut[article_id]


class FakeEngine:
    """Streams what `script` yields; without one it cites the first lines of every article."""

    def __init__(self, articles: Sequence[Article], script: Script | None = None, *, model: str = "none") -> None:
        self.store = MemoryStore(articles)
        self.model = model
        self.asked: list[tuple[str, list[Turn]]] = []
        self.pause_seconds = 0.0
        self._script = script or self._cite_everything

    def found(self, most: int = 8) -> tuple[ScoredPassage, ...]:
        """The first lines of every article, in turn."""
        cuts = [self.store.article_passages(entry.id) for entry in self.store.articles()]
        lines = [cut[place] for place in range(2) for cut in cuts if len(cut) > place and cut[place].text.strip()]
        return tuple(ScoredPassage(passage, 1.0 / rank, rank) for rank, passage in enumerate(lines[:most], 1))

    async def stream(self, question: str, history: Sequence[Turn] = ()) -> AsyncIterator[Event]:
        self.asked.append((question, list(history)))
        async for event in self._script(question, history):
            yield event

    async def answer(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        async for event in self.stream(question, history):
            if isinstance(event, Answered):
                return event.answer
        raise AssertionError("the script has no answer")

    async def _cite_everything(self, question: str, history: Sequence[Turn]) -> AsyncIterator[Event]:
        found = self.found()
        yield Searching(question)
        yield PassagesFound(found)
        sentences = []
        for scored in found[:4]:
            span = split_sentences(scored.passage.text)[0]
            sentences.append(f"“{scored.passage.text[span.start : span.end]}” [{scored.rank}]")
        text = "\n\n".join(sentences)
        citations = tuple(quote(scored, of=text, sentence=said) for scored, said in zip(found, sentences, strict=False))
        if self.pause_seconds:
            for place in range(0, len(text), 12):
                await asyncio.sleep(self.pause_seconds)
                so_far = tuple(citation for citation in citations if citation.answer_end <= place)
                yield TextSoFar(text[:place], so_far)
        yield Answered(
            Answer(
                question=question,
                standalone_question=question,
                text=text,
                refused=False,
                mode="extractive",
                model="none",
                citations=citations,
                passages=found,
            )
        )


def refusal(question: str) -> Answer:
    """What an engine says when the articles do not answer."""
    return Answer(question, question, "The articles do not answer this question.", True, "extractive", "none")
