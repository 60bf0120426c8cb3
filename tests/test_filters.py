"""Articles chosen by outlet, id and day; unknown days are counted, unknown names are errors."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from index.articles import make_article
from index.errors import ArticleError, UserError
from index.opening import open_store
from index.passages import cut_passages
from index.settings import Settings
from index.store import PassageStore
from rag.engine import NewsQueryEngine
from rag.filters import Filter, select_articles
from rag.retrieval import NewsRetriever
from tests.fakes import HashingEmbedding

ARTICLES = {
    "bridge": ("Sky News", "2025-12-14", "The council closed the old bridge on Sunday because of cracks."),
    "harvest": ("The Age | Farms", "2025-12-15", "The council praised farmers for an early harvest."),
    "storm": ("Sky News", "2025-12-16", "The council opened the school after the storm."),
    "museum": (None, None, "The council will vote on the museum."),
}


@pytest.fixture
def store(settings: Settings, embedding: HashingEmbedding) -> Iterator[PassageStore]:
    with open_store(settings, embedding, owner="a test") as store:
        for article_id, (source, published, text) in ARTICLES.items():
            article = replace(make_article(article_id, text), source=source, published=published)
            passages = cut_passages(article, max_tokens=64)
            vectors = np.asarray(embedding.get_text_embedding_batch([passage.text for passage in passages]))
            store.put(article, passages, vectors.astype(np.float32))
        yield store


@pytest.mark.parametrize(
    ("wanted", "chosen", "undated"),
    [
        (Filter(outlets=("sky news",)), {"bridge", "storm"}, 0),
        (Filter(outlets=("The Age",)), {"harvest"}, 0),
        (Filter(outlets=("The Age | Farms", "Sky News")), {"bridge", "harvest", "storm"}, 0),
        (Filter(articles=("museum", "storm")), {"museum", "storm"}, 0),
        (Filter(since="2025-12-15"), {"harvest", "storm"}, 1),
        (Filter(until="2025-12-15"), {"bridge", "harvest"}, 1),
        (Filter(since="2025-12-15", until="2025-12-15"), {"harvest"}, 1),
        (Filter(outlets=("Sky News",), since="2025-12-15"), {"storm"}, 0),
        (Filter(articles=("museum",), until="2026-01-01"), set(), 1),
    ],
)
def test_articles_are_chosen(store: PassageStore, wanted: Filter, chosen: set[str], undated: int) -> None:
    selection = select_articles(store.articles(), wanted)
    assert (set(selection.article_ids), selection.undated) == (chosen, undated)


def test_filter_that_is_empty_is_none() -> None:
    assert not Filter()
    assert Filter(until="2025-12-15")


@pytest.mark.parametrize("day", ["yesterday", "2025-13-01", "15.12.2025", "20251215", ""])
def test_what_is_no_day_is_said(day: str) -> None:
    with pytest.raises(UserError, match="is not a day"):
        Filter(since=day)


def test_days_in_the_wrong_order_are_said() -> None:
    with pytest.raises(UserError, match="the first is after the last"):
        Filter(since="2025-12-16", until="2025-12-15")


def test_names_that_are_not_there_are_said(store: PassageStore) -> None:
    with pytest.raises(ArticleError, match=r"there are Sky News, The Age \| Farms"):
        select_articles(store.articles(), Filter(outlets=("The Times",)))
    with pytest.raises(ArticleError, match="No article 'tunnel'"):
        select_articles(store.articles(), Filter(articles=("bridge", "tunnel")))


def test_only_passing_articles_are_searched(store: PassageStore) -> None:
    found = NewsRetriever(store, top_k=8).search("What did the council do?", article_ids=["storm", "museum"])
    assert {one.passage.article_id for one in found} == {"storm", "museum"}
    assert NewsRetriever(store, top_k=8).search("What did the council do?", article_ids=[]) == []


async def test_answer_says_what_was_left_out(store: PassageStore, settings: Settings) -> None:
    engine = NewsQueryEngine(settings=settings, store=store, retriever=NewsRetriever(store, top_k=8))
    answer = await engine.answer("Why was the bridge closed?", among=Filter(until="2025-12-14"))
    assert {citation.passage.article_id for citation in answer.citations} == {"bridge"}
    assert answer.notice == "1 article is left out because the day of publication is not known."
    none = await engine.answer("Why was the bridge closed?", among=Filter(since="2026-01-01"))
    assert none.refused
    assert none.passages == ()
    assert none.notice.startswith("No article passes the filter.")
    assert (await engine.answer("Why was the bridge closed?")).notice == ""
