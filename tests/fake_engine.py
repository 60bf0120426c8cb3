"""An engine that says what a test tells it to, over articles held in memory, and the scripts of the page's tests."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import replace
from hashlib import sha256

from index.articles import Article
from index.earlier import Cited
from index.errors import ArticleError, ModelUnreachableError
from index.passages import Passage
from index.records import IndexedArticle
from index.sentences import split_sentences
from index.settings import Settings
from rag.answers import Answer
from rag.citations import Citation, Support
from rag.conversation import Turn
from rag.coverage import Coverage, Difference, DifferingValue, Report
from rag.engine import Answered, Event, PassagesFound, Searching, TextSoFar
from rag.extractive import Extract
from rag.filters import Filter
from rag.retrieval import ScoredPassage
from rag.support import SentenceSupport

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
        self.copy_of: dict[str, str] = {}  # near copies, as far as lists say
        self.replaced: str | None = None  # when its articles were, as far as citations say
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

    def copies(self) -> dict[str, str]:
        return self.copy_of

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

    def cited(self, passage_id: str) -> Cited:
        passage = self.passage(passage_id)
        return Cited(passage, self.article(passage.article_id), self.replaced)

    def cited_passages(self, passage_ids: Sequence[str]) -> list[tuple[Passage, str | None]]:
        return [(passage, self.replaced) for passage in self.passages(passage_ids)]

    def article_passages(self, article_id: str) -> list[Passage]:
        return self._cut[article_id]


class FakeEngine:
    """Streams what `script` yields; without one it cites the first lines of every article."""

    def __init__(
        self,
        articles: Sequence[Article],
        script: Script | None = None,
        *,
        model: str = "none",
        settings: Settings | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.store = MemoryStore(articles)
        self.model = model
        self.quoted: list[str] = []
        self.asked: list[tuple[str, list[Turn]]] = []
        self.filters: list[Filter | None] = []
        self.pause_seconds = 0.0
        self._script = script or self._cite_everything

    async def quote(self, question: str) -> Extract:
        """Quotes a sentence of its own for each question."""
        scored = ScoredPassage(self.found()[0].passage, 1.0, 1)
        cited = replace(quote(scored, of=question, sentence=question), start=len(self.quoted))
        self.quoted.append(question)
        return Extract(question, refused=False, citations=(cited,))

    def found(self, most: int = 8) -> tuple[ScoredPassage, ...]:
        """The first lines of every article, in turn."""
        cuts = [self.store.article_passages(entry.id) for entry in self.store.articles()]
        lines = [cut[place] for place in range(2) for cut in cuts if len(cut) > place and cut[place].text.strip()]
        return tuple(ScoredPassage(passage, 1.0 / rank, rank) for rank, passage in enumerate(lines[:most], 1))

    async def stream(
        self, question: str, history: Sequence[Turn] = (), *, among: Filter | None = None
    ) -> AsyncGenerator[Event, None]:
        self.asked.append((question, list(history)))
        self.filters.append(among)
        async for event in self._script(question, history):
            yield event

    async def search(self, question: str, *, among: Filter | None = None) -> tuple[tuple[ScoredPassage, ...], str]:
        self.filters.append(among)
        return self.found(), ""

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


SPY = "http://spy.invalid/x.png"
ATTACK = (
    f'<img src="{SPY}" onerror="window.broken=1"><script>window.broken=1</script> ![a]({SPY}) '
    f"[press](javascript:window.broken=1) ${{window.broken=1}} {{{{7*7}}}} $$x^2$$ "
    f'<form action="{SPY}"><button>Sign in</button></form> <div style="background:url({SPY})">box</div>'
)
FILLER = "".join(f"Paragraph {number} of the report goes on about the harbour.\n" for number in range(40))
ARTICLES = [
    make_article(
        "bridge",
        "🌉 The bridge closed on 8 April for six months. Nobody was told why.\n"
        + FILLER
        + "It reopened in September.\n",
        title="Harbour bridge to close for six months",
        source="The Daily Ledger",
        published="2024-03-02",
        url="https://news.example/bridge",
    ),
    make_article("hostile", f"Hostile words. {ATTACK}\n", title=f"A hostile title {ATTACK}"),
    make_article(
        "shops",
        "Mayor Anna Berg said shops lost a third of their takings.\n" + FILLER,
        title="Shops fear a lost summer",
    ),
]


async def answer_by_question(question: str, history: Sequence[Turn]) -> AsyncIterator[Event]:
    """The scripts of these tests, each named by a word of its question."""
    engine = FakeEngine(ARTICLES)
    found = engine.found()
    bridge, hostile, shops = found[:3]
    yield Searching(question)
    if "unreachable" in question:
        raise ModelUnreachableError("No server answers at <b>http://localhost:1</b>; start it.")
    if "crash" in question:
        raise RuntimeError("a secret detail")
    yield PassagesFound(found)
    if "weather" in question:
        yield Answered(replace(refusal(question), passages=found))
        return
    if "counted" in question:
        usage = {"prompt_tokens": 412, "completion_tokens": 96}
        took = {"total": 1234}
        yield Answered(Answer(question, question, "Two.", False, "llm", "test/model", usage=usage, timings_ms=took))
        return
    if "slow" in question:
        for number in range(1, 1200):
            yield TextSoFar("word " * number, ())
            await asyncio.sleep(0.05)
    if "reported" in question:
        yield Answered(reported_answer(question, found))
        return
    first, second = "The bridge closed on 8 April [1].", "Every shop closed [3]."
    if "hostile" in question:
        first, second = f"{ATTACK} [2].", "Shops lost money [3]."
    text = f"{first}\n\n{second}"
    opening = hostile if "hostile" in question else bridge
    citations = (quote(opening, of=text, sentence=first), quote(shops, of=text, sentence=second, support="partial"))
    for end in range(0, len(text), 7):
        yield TextSoFar(text[:end], tuple(one for one in citations if one.answer_end <= end))
        await asyncio.sleep(0.01)
    doubt = SentenceSupport(len(first) + 2, len(text), (3,), "partial", "The words say a third of their takings.")
    if history:
        text += f"\n\nBefore that: {history[0].content}"
    yield Answered(
        Answer(question, question, text, False, "llm", "test/model", citations, sentences=(doubt,), passages=found)
    )


def reported_answer(question: str, found: tuple[ScoredPassage, ...]) -> Answer:
    """An answer that another article reports as well, and of which the two say different things."""
    text = "The bridge closed on 8 April [1]."
    citation = quote(found[0], of=text, sentence=text)
    bridge, shops = citation.passage, found[2].passage
    end = shops.text.index(".") + 1
    values = (
        DifferingValue(
            "six months", bridge.article_id, bridge.title, bridge.source, bridge.id, citation.start, citation.end, "…"
        ),
        DifferingValue("the whole summer | <b>", shops.article_id, shops.title, None, shops.id, 0, end, "…"),
    )
    return Answer(
        question=question,
        standalone_question=question,
        text=text,
        refused=False,
        mode="llm",
        model="test/model",
        citations=(citation,),
        coverage=Coverage(
            origins=2,
            also_reported_by=(shops.article_id,),
            differences=(Difference("how long the bridge is closed", values),),
            reports=(Report(shops.article_id, shops.title, None, shops.id, 0, end, shops.text[:end]),),
        ),
        passages=found,
    )
