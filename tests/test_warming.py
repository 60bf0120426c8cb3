"""Warming up: every step of an answer once, the model never asked, and no harm where it fails."""

import logging
from dataclasses import dataclass

import pytest

from index.settings import Settings
from index.store import PassageStore
from rag.engine import NewsQueryEngine
from rag.retrieval import NewsRetriever, ScoredPassage
from rag.warming import warm_up, warm_up_behind
from tests.fakes import ScriptedLLM


@dataclass
class Noting:
    """A retriever that notes what it was asked."""

    inner: NewsRetriever
    asked: list[str]

    def search(self, question: str) -> list[ScoredPassage]:
        self.asked.append(question)
        return self.inner.search(question)


def engine_over(store: PassageStore, settings: Settings, llm: ScriptedLLM | None = None) -> NewsQueryEngine:
    return NewsQueryEngine(settings=settings, store=store, retriever=NewsRetriever(store, top_k=3), llm=llm)


def test_it_searches_and_never_asks_the_model(
    seed_store: PassageStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    llm = ScriptedLLM()
    engine = engine_over(seed_store, settings, llm)
    noting = Noting(engine.retriever, [])
    monkeypatch.setattr(engine, "retriever", noting)
    warm_up(engine)
    assert len(noting.asked) == 1
    assert llm.history == []


def test_what_fails_behind_the_page_is_only_logged(
    seed_store: PassageStore,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    engine = engine_over(seed_store, settings)
    monkeypatch.setattr(engine, "retriever", None)
    with caplog.at_level(logging.DEBUG, logger="rag.warming"):
        thread = warm_up_behind(engine)
        thread.join(timeout=30)
    assert not thread.is_alive()
    assert "Warming up failed" in caplog.text
