"""The query engine: one question in, a stream of typed events and an Answer out.

`stream` is the only path: the page shows its events, `answer` drains it, and LlamaIndex's `query` calls `answer`.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import Response
from llama_index.core.instrumentation.events.retrieval import RetrievalEndEvent, RetrievalStartEvent
from llama_index.core.llms import LLM
from llama_index.core.prompts.mixin import PromptMixinType
from llama_index.core.schema import QueryBundle
from llama_index_instrumentation import get_dispatcher

from index.build import ensure_seeds
from index.characters import visible
from index.embeddings import load_embedding
from index.errors import InternalError
from index.opening import open_store
from index.settings import Settings
from index.store import PassageStore
from rag.afterwards import afterwards
from rag.answers import Answer, to_json
from rag.asking import REFUSAL
from rag.conversation import Turn, spoken_of, standalone_question, words_of_turns
from rag.coverage import find_coverage
from rag.events import Answered, Event, PassagesFound, Searching, TextSoFar
from rag.extractive import Extract, quote_answer, refuse_unasked
from rag.filters import Filter, select_articles
from rag.findings import go_by_findings
from rag.models import load_llm, model_label
from rag.parts import decompose_question, split_question
from rag.relative_days import days_meant
from rag.reranking import load_reranker
from rag.retrieval import NewsRetriever, ScoredPassage, as_node
from rag.spending import add_usage, cost_of
from rag.tracing import start_tracing
from rag.writing import Writer, Written

__all__ = ["Answered", "Event", "NewsQueryEngine", "PassagesFound", "Searching", "TextSoFar", "open_engine"]

log = logging.getLogger(__name__)
# LlamaIndex's own tracing; nothing listens unless a tracer is installed.
dispatcher = get_dispatcher(__name__)


class _Clock:
    """Milliseconds a question took, by stage."""

    def __init__(self) -> None:
        self.marks: dict[str, int] = {}
        self._start = self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        """Note how long `stage` took: the time since the lap before it."""
        now = time.perf_counter()
        self.marks[stage] = round((now - self._last) * 1000)
        self._last = now

    def reach(self, stage: str) -> None:
        """Note how long after the question `stage` came; only the first time counts."""
        self.marks.setdefault(stage, round((time.perf_counter() - self._start) * 1000))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question on its way to an answer."""

    question: str
    standalone: str
    passages: tuple[ScoredPassage, ...]
    clock: _Clock
    settings: Settings
    notice: str = ""  # of the filter
    rewriting: Mapping[str, int] = field(
        default_factory=dict
    )  # tokens that the stand-alone question and its parts took
    before: Mapping[str, int] = field(default_factory=dict)  # tokens of the answers before it

    def refused(self, text: str) -> Answer:
        """The answer if `text` says that the articles do not answer it; other answers are made from it."""
        return Answer(
            question=self.question,
            standalone_question=self.standalone,
            text=text,
            refused=True,
            mode="extractive",
            model="none",
            passages=self.passages,
        )

    def done(self, answer: Answer) -> Answered:
        """The last event, with all that the answer took."""
        self.clock.reach("first_token")
        self.clock.reach("total")
        notice = " ".join(filter(None, (self.notice, answer.notice)))
        usage = add_usage([self.rewriting, answer.usage])
        answer = replace(answer, notice=notice, timings_ms=dict(self.clock.marks), usage=usage)
        answer = replace(answer, conversation_usage=add_usage([self.before, usage]))
        return Answered(replace(answer, cost=cost_of(answer, self.settings)))


class NewsQueryEngine(BaseQueryEngine):
    """Answers questions about the articles of a store, with a language model or by quoting them."""

    def __init__(
        self,
        *,
        settings: Settings,
        store: PassageStore,
        retriever: NewsRetriever,
        llm: LLM | None = None,
        today: Callable[[], date] = date.today,
    ) -> None:
        """Put the parts together; without `llm` answers are quotations."""
        super().__init__(callback_manager=None)
        self.settings = settings
        self.store = store
        self.retriever = retriever
        self.llm = llm
        self.model = model_label(settings) if llm is not None else "none"
        self._today = today

    async def stream(
        self, question: str, history: Sequence[Turn] = (), *, among: Filter | None = None
    ) -> AsyncGenerator[Event, None]:
        """Answer `question`, telling what happens as it does; the last event is always `Answered`.

        Args:
            question: as the reader wrote it.
            history: the turns before it, oldest first.
            among: the articles to search; all where left out.

        Raises:
            BylineError: the index cannot be searched, or has nothing that the filter names. A model that fails is
                no error: Byline then quotes.
        """
        clock = _Clock()
        question = visible(question).strip()
        standalone, condensing = await self._standalone(question, history)
        # What was put together of a question and the words of its turns has no clauses.
        parts, decomposing = await self._parts(standalone) if self.llm or standalone == question else ((), {})
        clock.lap("condense")
        yield Searching(standalone)
        passages, notice = await asyncio.to_thread(self._search, standalone, parts, history, among)
        clock.lap("retrieve")
        yield PassagesFound(passages)
        before = add_usage(turn.usage for turn in history)
        rewriting = add_usage([condensing, decomposing])
        asked = _Asked(question, standalone, passages, clock, self.settings, notice, rewriting, before)
        events = self._quote(asked) if self.llm is None else self._write(asked, self.llm)
        # Closed here and now where the reader stops, so that the model's server stops as well.
        async with aclosing(events):
            async for event in events:
                yield event

    @dispatcher.span
    async def answer(self, question: str, history: Sequence[Turn] = (), *, among: Filter | None = None) -> Answer:
        """Answer `question`: what `stream` ends with."""
        async for event in self.stream(question, history, among=among):
            if isinstance(event, Answered):
                return event.answer
        raise InternalError("The answer's stream ended without an answer.")

    async def search(self, question: str, *, among: Filter | None = None) -> tuple[tuple[ScoredPassage, ...], str]:
        """The passages found for `question`, best first, and what must be said of the filter.

        Raises:
            BylineError: the index cannot be searched, or has nothing that the filter names.
        """
        question = visible(question).strip()
        parts, _ = await self._parts(question)
        return await asyncio.to_thread(self._search, question, parts, (), among)

    async def quote(self, question: str) -> Extract:
        """What the articles' own sentences say to a question, without a model; behind whatever readers ask.

        Raises:
            BylineError: the index cannot be searched.
        """
        question = visible(question).strip()
        passages, _ = await afterwards(self._search, question, (), (), None)
        return await afterwards(quote_answer, question, passages, store=self.store)

    @dispatcher.span
    def _search(
        self, standalone: str, parts: Sequence[str], history: Sequence[Turn], among: Filter | None
    ) -> tuple[tuple[ScoredPassage, ...], str]:
        """The passages found, and what must be said of the filter."""
        selection = select_articles(self.store.articles(), among) if among else None
        if not standalone:
            return (), ""
        article_ids = selection.article_ids if selection else None
        dispatcher.event(RetrievalStartEvent(str_or_query_bundle=standalone))
        published = (one.published for one in self.store.articles() if article_ids is None or one.id in article_ids)
        found = self.retriever.search(
            standalone,
            parts=parts,
            about=spoken_of(history),
            days=days_meant(standalone, published, today=self._today()),
            article_ids=article_ids,
        )
        nodes = [as_node(one) for one in found]
        dispatcher.event(RetrievalEndEvent(str_or_query_bundle=standalone, nodes=nodes))
        return tuple(found), selection.notice if selection else ""

    async def _standalone(self, question: str, history: Sequence[Turn]) -> tuple[str, dict[str, int]]:
        if not history or not question:
            return question, {}
        if self.llm is None:
            return words_of_turns(question, history), {}
        return await standalone_question(question, history, self.llm, silence_seconds=self.settings.llm_read_seconds)

    async def _parts(self, standalone: str) -> tuple[Sequence[str], dict[str, int]]:
        """What is searched for one by one, as the settings say, and the tokens that it took to find out."""
        if self.settings.question_parts == "off":
            return (), {}
        if self.settings.question_parts == "clauses" or self.llm is None:
            return split_question(standalone), {}
        return await decompose_question(standalone, self.llm, silence_seconds=self.settings.llm_read_seconds)

    async def _quote(
        self, asked: _Asked, *, notice: str = "", usage: Mapping[str, int] | None = None
    ) -> AsyncGenerator[Event, None]:
        """Answer with the articles' own sentences; `usage` is what a model that failed took."""
        extract = await asyncio.to_thread(quote_answer, asked.standalone, asked.passages, store=self.store)
        answer = replace(
            asked.refused(extract.text), confidence=extract.confidence, notice=notice, usage=dict(usage or {})
        )
        if not extract.refused:
            asked.clock.reach("first_token")
            yield TextSoFar(extract.text, extract.citations)
            answer = replace(
                answer,
                refused=False,
                citations=extract.citations,
                sentences=extract.sentences,
                highlights=extract.highlights,
                coverage=await afterwards(find_coverage, extract.citations, self.store),
            )
        yield asked.done(answer)

    async def _write(self, asked: _Asked, llm: LLM) -> AsyncGenerator[Event, None]:
        """Have the model answer from the passages, showing its text as it comes."""
        refusal = await asyncio.to_thread(refuse_unasked, asked.standalone, asked.passages, store=self.store)
        by_model = replace(asked.refused(refusal), mode="llm", model=self.model)
        if refusal:
            yield asked.done(by_model)
            return
        writer = Writer(
            asked.standalone, llm=llm, label=self.model, settings=self.settings, embedding=self.store.embedding
        )
        async with aclosing(writer.write(asked.passages)) as events:
            async for event in events:
                if isinstance(event, TextSoFar):
                    asked.clock.reach("first_token")
                    yield event
                else:
                    async for last in self._conclude(asked, event):
                        yield last

    async def _conclude(self, asked: _Asked, written: Written) -> AsyncGenerator[Event, None]:
        """End with what the model wrote; with quotations where that is nothing."""
        draft = written.draft
        # A refusal is in our words, since a model's may say more than that.
        answer = replace(asked.refused(REFUSAL), mode="llm", model=self.model, usage=written.usage)
        if draft is not None:
            answer = replace(
                answer,
                refused=False,
                text=draft.text,
                citations=draft.citations,
                sentences=draft.sentences,
                coverage=await afterwards(find_coverage, draft.citations, self.store, text=draft.text),
                unresolved_markers=draft.unresolved,
                notice=f"{written.failure} The answer may be incomplete."
                if written.failure
                else _ENDING_NOTICES[written.ending],
            )
        elif not written.refused:
            notice = f"{written.failure or 'The language model sent no text.'} This answer quotes the articles instead."
            async for event in self._quote(asked, notice=notice, usage=written.usage):
                yield event
            return
        yield asked.done(answer)

    def _query(self, query_bundle: QueryBundle) -> Response:
        # In a thread of its own, so that it works inside a running loop as well.
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="query") as thread:
            return thread.submit(asyncio.run, self._aquery(query_bundle)).result()

    async def _aquery(self, query_bundle: QueryBundle) -> Response:
        answer = await self.answer(query_bundle.query_str)
        return Response(
            response=answer.text,
            source_nodes=[as_node(found) for found in answer.passages],
            metadata={"answer": to_json(answer)},
        )

    def _get_prompt_modules(self) -> PromptMixinType:
        return {}


_ENDING_NOTICES = {
    "whole": "",
    "too long": "The language model came to its limit of tokens; the answer may be incomplete.",
    "broken": "The language model's server stopped sending; the answer may be incomplete.",
}


@contextmanager
def open_engine(settings: Settings, *, owner: str) -> Iterator[NewsQueryEngine]:
    """Open the index and the models that `settings` name; `seeds/` is indexed where nothing has been yet.

    Args:
        settings: read once, at the edge.
        owner: who holds the index meanwhile, in words for whoever else wants it.

    Raises:
        BylineError: a setting, the index or a model's name cannot be used.
    """
    start_tracing(settings)
    settings, llm = _find_model(settings)
    reranker = load_reranker(settings)
    with open_store(settings, load_embedding(settings), owner=owner) as store:
        ensure_seeds(store, settings)
        retriever = NewsRetriever(store, top_k=settings.top_k, reranker=reranker)
        yield NewsQueryEngine(settings=settings, store=store, retriever=retriever, llm=llm)


def other_engines(engine: NewsQueryEngine, settings: Settings) -> list[NewsQueryEngine]:
    """Engines over the articles of `engine` with the other models that `settings` name to choose from.

    Raises:
        BylineError: one of the models cannot be used.
    """
    others = []
    for name in settings.llm_choices:
        chosen, llm = _find_model(settings.model_copy(update={"llm": name}))
        others.append(NewsQueryEngine(settings=chosen, store=engine.store, retriever=engine.retriever, llm=llm))
    return others


def _find_model(settings: Settings) -> tuple[Settings, LLM | None]:
    """The model that the settings name, and the settings as they are for it; None where answers are quotations."""
    settings = go_by_findings(settings)
    llm = load_llm(settings)
    if llm is not None and settings.llm_citing == "quoting":
        log.warning(
            "%s is not asked: `python -m rag doctor` found it not good enough, or BYLINE_LLM_CITING says so. "
            "BYLINE_LLM_CITING=markers asks it all the same.",
            model_label(settings),
        )
        llm = None
    return settings, llm
