from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from llama_index.core.schema import TextNode

from index.articles import Article
from index.passages import Passage, cut_passages
from index.settings import Settings
from index.store import PassageStore, open_store
from rag.retrieval import RANK_OFFSET, NewsRetriever, fuse, spread
from tests.fakes import HashingEmbedding


def make_article(article_id: str, text: str) -> Article:
    return Article(article_id, article_id.title(), "The Daily", None, "2025-12-15", text, "0" * 64)


@pytest.fixture
def store(settings: Settings, embedding: HashingEmbedding) -> Iterator[PassageStore]:
    texts = {
        "bridge": "The old bridge was closed after engineers found cracks.",
        "harvest": "Farmers brought in the wheat early because of the heat.",
        "storm": "A storm tore the roof off the school and flooded the bridge road.",
        "twin": "The council will vote on the museum.",
        "zwin": "The council will vote on the museum.",
    }
    with open_store(settings, embedding, owner="a test") as store:
        for article_id, text in texts.items():
            article = make_article(article_id, text)
            passages = cut_passages(article, max_tokens=64)
            vectors = np.asarray(embedding.get_text_embedding_batch([passage.text for passage in passages]))
            store.put(article, passages, vectors.astype(np.float32))
        yield store


def test_the_passage_that_says_it_comes_first(store: PassageStore) -> None:
    found = NewsRetriever(store, top_k=3).search("Why did farmers bring in the wheat early?")
    assert found[0].passage.article_id == "harvest"
    assert [one.rank for one in found] == [1, 2, 3]
    assert sorted(found, key=lambda one: -one.score) == found


def test_a_limit_replaces_the_usual_number(store: PassageStore) -> None:
    retriever = NewsRetriever(store, top_k=3)
    assert len(retriever.search("bridge", limit=1)) == 1
    assert len(retriever.search("bridge", limit=50)) == 5


def test_equal_passages_stand_in_the_order_of_their_ids(store: PassageStore) -> None:
    found = NewsRetriever(store, top_k=2).search("Will the council vote on the museum?")
    ids = [one.passage.id for one in found]
    assert {one.passage.article_id for one in found} == {"twin", "zwin"}
    assert ids == sorted(ids)


def test_the_same_question_finds_the_same(store: PassageStore) -> None:
    retriever = NewsRetriever(store, top_k=5)
    assert retriever.search("the bridge") == retriever.search("the bridge")


def test_an_empty_index_has_nothing_to_find(settings: Settings, embedding: HashingEmbedding) -> None:
    with open_store(settings, embedding, owner="a test") as store:
        assert NewsRetriever(store, top_k=8).search("Anything?") == []


def test_llama_index_gets_nodes_with_the_passages_places(store: PassageStore) -> None:
    first = NewsRetriever(store, top_k=2).retrieve("Why was the bridge closed?")[0]
    assert isinstance(first.node, TextNode)
    assert first.node.metadata["article_id"] == "bridge"
    assert first.node.metadata["source"] == "The Daily"
    assert (first.node.start_char_idx, first.node.end_char_idx) == (0, len(first.node.text))
    assert first.node.node_id == store.article_passages("bridge")[0].id
    assert first.score is not None
    assert 0 < first.score <= 1


def test_reciprocal_ranks_add_up_with_their_weights() -> None:
    scores = fuse([(1.0, ["a", "b"]), (2.0, ["b"])])
    step = Fraction(RANK_OFFSET + 1, RANK_OFFSET + 2)
    assert scores == {"a": pytest.approx(float(Fraction(1, 3))), "b": pytest.approx(float((step + 2) / 3))}


def test_first_in_every_list_scores_one() -> None:
    assert fuse([(1.0, ["a"]), (2.0, ["a", "b"])])["a"] == pytest.approx(1.0)


def test_an_article_that_has_been_heard_gives_way_between_near_equals() -> None:
    def passage(id_: str, article_id: str) -> Passage:
        return Passage(id_, article_id, 0, 1, "x", "", None, None, None)

    passages = {"a1": passage("a1", "a"), "a2": passage("a2", "a"), "b1": passage("b1", "b")}
    near = spread(passages, {"a1": 0.9, "a2": 0.89, "b1": 0.88}, limit=3)
    assert [found.passage.id for found in near] == ["a1", "b1", "a2"]
    far = spread(passages, {"a1": 0.9, "a2": 0.89, "b1": 0.5}, limit=2)
    assert [found.passage.id for found in far] == ["a1", "a2"]
