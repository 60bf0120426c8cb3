import sys
from collections.abc import Iterator
from typing import Any

import pytest
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index.core.instrumentation.events.llm import LLMChatStartEvent
from llama_index.core.instrumentation.events.query import QueryEndEvent, QueryStartEvent
from llama_index.core.instrumentation.events.retrieval import RetrievalEndEvent, RetrievalStartEvent
from llama_index_instrumentation import get_dispatcher
from pydantic import PrivateAttr, SecretStr

from index.errors import SettingsError
from index.settings import Settings
from index.store import PassageStore
from rag.engine import NewsQueryEngine
from rag.models import load_llm
from rag.retrieval import NewsRetriever
from rag.tracing import start_tracing
from tests.openai_server import OpenAIServer, Reply
from tests.openai_server import serve_openai as serve_openai

QUESTION = "How many drones did Russia launch overnight?"
KEY = "sk-test-0123456789abcdef"


class Listener(BaseEventHandler):
    """A tracer: remembers what LlamaIndex tells it."""

    _heard: list[BaseEvent] = PrivateAttr(default_factory=list)

    @property
    def heard(self) -> list[BaseEvent]:
        return self._heard

    def handle(self, event: BaseEvent, **kwargs: Any) -> None:
        self._heard.append(event)


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener, root = Listener(), get_dispatcher()
    root.add_event_handler(listener)
    yield listener
    root.event_handlers.remove(listener)


@pytest.fixture
def engine(seed_store: PassageStore, openai_server: OpenAIServer) -> NewsQueryEngine:
    settings = Settings(llm="openai-like/small", llm_base_url=openai_server.base_url, llm_api_key=SecretStr(KEY))
    retriever = NewsRetriever(seed_store, top_k=settings.top_k)
    openai_server.default = Reply(["Russia launched 138 drones overnight [1]."])
    return NewsQueryEngine(settings=settings, store=seed_store, retriever=retriever, llm=load_llm(settings))


def test_a_tracer_hears_of_the_query_its_passages_and_the_model(engine: NewsQueryEngine, listener: Listener) -> None:
    engine.query(QUESTION)
    kinds = [type(event) for event in listener.heard]
    wanted = [QueryStartEvent, RetrievalStartEvent, RetrievalEndEvent, LLMChatStartEvent, QueryEndEvent]
    assert [kind for kind in kinds if kind in wanted][: len(wanted) - 1] == wanted[:-1]
    assert kinds[-1] is QueryEndEvent
    [found] = [event for event in listener.heard if isinstance(event, RetrievalEndEvent)]
    assert [node.node.node_id for node in found.nodes] == [one.passage.id for one in engine.retriever.search(QUESTION)]
    assert all(event.span_id for event in listener.heard if not isinstance(event, LLMChatStartEvent))
    assert KEY not in str([event.model_dump() for event in listener.heard])


def test_the_retriever_alone_is_traced_as_well(engine: NewsQueryEngine, listener: Listener) -> None:
    engine.retriever.retrieve(QUESTION)
    kinds = [type(event) for event in listener.heard]
    assert kinds.count(RetrievalStartEvent) == kinds.count(RetrievalEndEvent) == 1


def test_tracing_is_off_unless_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.tracing.import_module", lambda name: pytest.fail(f"{name} is imported"))
    start_tracing(Settings())


def test_tracing_without_its_packages_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(SettingsError, match="pip install openinference-instrumentation-llama-index"):
        start_tracing(Settings(traces="http://localhost:6006/v1/traces"))
