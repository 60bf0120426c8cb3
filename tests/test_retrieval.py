import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pytest
from llama_index.core.schema import TextNode

from index.articles import Article
from index.opening import open_store
from index.passages import Passage, cut_passages
from index.settings import Settings
from index.store import PassageStore
from rag.retrieval import NewsRetriever, fuse, join_parts, outlets_named, prefer_outlets, spread
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


def test_scores_are_averaged_in_shares_of_the_best() -> None:
    near, worded = {"a": 0.8, "b": 0.4}, {"a": 6.0, "b": 12.0}
    assert fuse(near, worded, pool=2) == {
        "a": pytest.approx((0.8 + 0.8 * 1 / 2) / 2),
        "b": pytest.approx((0.4 + 0.8) / 2),
    }


def test_the_best_by_meaning_and_words_has_its_cosine() -> None:
    assert fuse({"a": 0.7, "b": 0.2}, {"a": 9.0}, pool=50)["a"] == pytest.approx(0.7)


def test_what_a_full_list_leaves_out_counts_like_its_last() -> None:
    near, worded = {"a": 0.8, "b": 0.5}, {"c": 9.0, "a": 3.0}
    full = fuse(near, worded, pool=2)
    assert full["c"] == pytest.approx((0.5 + 0.8) / 2)
    assert full["b"] == pytest.approx((0.5 + 0.8 / 3) / 2)
    not_full = fuse(near, worded, pool=3)
    assert not_full["c"] == pytest.approx(0.8 / 2)
    assert not_full["b"] == pytest.approx(0.5 / 2)


def test_one_list_alone_keeps_its_order() -> None:
    assert fuse({"a": 0.8, "b": -0.1}, {}, pool=50) == {"a": 0.8, "b": 0.0}
    assert fuse({}, {"a": 3.0}, pool=50) == {"a": 0.0}
    assert fuse({}, {}, pool=50) == {}


def made(id_: str, article_id: str, source: str | None = None) -> Passage:
    return Passage(id_, article_id, 0, 1, "x", "", source, None, None)


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("What did The Age and TechCrunch report?", {"The Age", "TechCrunch"}),
        ("Did The Roar say so?", {"The Roar | Sports Writers Blog"}),
        ("Was the phone wired?", set()),
        ("What do TechCrunchers think?", set()),
    ],
)
def test_outlets_are_known_by_their_names(question: str, named: set[str]) -> None:
    outlets = ["The Age", "TechCrunch", "Wired", "The Roar | Sports Writers Blog"]
    assert outlets_named(question, outlets) == named


def test_a_longer_name_is_no_other_section_of_the_outlet() -> None:
    outlets = ["FOX News - Health", "FOX News - Lifestyle"]
    assert outlets_named("What did FOX News - Health say?", outlets) == {"FOX News - Health"}
    assert outlets_named("What did FOX News say?", outlets) == set(outlets)


def test_several_named_outlets_are_all_heard() -> None:
    passages = {
        name: made(name, name, source)
        for name, source in {"a1": "The Age", "a2": "The Age", "a3": "The Age", "w1": "Wired", "x1": "Polygon"}.items()
    }
    scores = {"a1": 0.9, "a2": 0.85, "a3": 0.8, "w1": 0.5, "x1": 0.6}
    found = spread(passages, scores, limit=5, outlets={"The Age", "Wired"})
    assert [one.passage.id for one in found] == ["a1", "w1", "a2", "a3", "x1"]
    assert found[0].score == pytest.approx(0.9)
    assert sorted(found, key=lambda one: -one.score) == found
    assert [one.passage.id for one in spread(passages, scores, limit=5, outlets={"Wired"})][:3] == ["a1", "a2", "a3"]


def test_of_a_questions_parts_the_best_counts_for_each_passage() -> None:
    joined = join_parts({"a": 0.8, "b": 0.4}, [{"b": 0.5}, {"a": 0.1, "c": 0.2}])
    assert joined == {
        "a": pytest.approx(0.8 * (0.5 * 1 + 0.5 * 0.5)),
        "b": pytest.approx(0.8 * (0.5 * 0.5 + 0.5 * 1)),
        "c": pytest.approx(0.8 * 0.5 * 1),
    }
    assert join_parts({"a": 0.8}, []) == {"a": 0.8}
    assert join_parts({}, [{}]) == {}


def test_each_part_of_a_question_finds_its_passage(store: PassageStore) -> None:
    retriever = NewsRetriever(store, top_k=2)
    parts = ["engineers found cracks in the old bridge", "farmers brought in the wheat early"]
    found = retriever.search("cracks; wheat", parts=parts)
    assert {one.passage.article_id for one in found} == {"bridge", "harvest"}


def test_days_that_a_question_means_bring_their_articles_forward(store: PassageStore) -> None:
    monday = make_article("monday", "The council will vote on the museum.")
    passages = cut_passages(dataclasses.replace(monday, published="2025-11-03"), max_tokens=64)
    vectors = np.asarray(store.embedding.get_text_embedding_batch([passage.text for passage in passages]))
    store.put(dataclasses.replace(monday, published="2025-11-03"), passages, vectors.astype(np.float32))
    retriever = NewsRetriever(store, top_k=3)
    question = "Will the council vote on the museum?"
    assert retriever.search(question, days=["2025-11-03"])[0].passage.article_id == "monday"


class Judging:
    """A reranker that likes one article, or fails."""

    def __init__(self, article_id: str | None) -> None:
        self.article_id = article_id
        self.asked: list[tuple[str, list[str]]] = []

    def judge(self, question: str, passages: Sequence[Passage]) -> Mapping[str, float]:
        self.asked.append((question, [passage.id for passage in passages]))
        if self.article_id is None:
            return {}
        return {passage.id: 0.9 if passage.article_id == self.article_id else 0.2 for passage in passages}


def test_a_reranker_orders_what_was_found(store: PassageStore) -> None:
    reranker = Judging("storm")
    found = NewsRetriever(store, top_k=2, reranker=reranker).search("Why was the old bridge closed?")
    assert (found[0].passage.article_id, found[0].score) == ("storm", 0.9)
    [(question, read)] = reranker.asked
    assert question == "Why was the old bridge closed?"
    assert len(read) == 5


def test_where_the_reranker_fails_the_order_stays(store: PassageStore) -> None:
    question = "Why was the old bridge closed?"
    plain = NewsRetriever(store, top_k=3).search(question)
    assert NewsRetriever(store, top_k=3, reranker=Judging(None)).search(question) == plain


def test_a_named_outlet_comes_before_one_that_matters_as_much() -> None:
    passages = {"a": made("a", "a", "The Age"), "b": made("b", "b", "Wired"), "c": made("c", "c")}
    scores = {"a": 0.5, "b": 0.55, "c": 0.9}
    preferred = prefer_outlets(passages, scores, outlets={"The Age"})
    assert sorted(preferred, key=lambda id_: -preferred[id_]) == ["c", "a", "b"]
    assert prefer_outlets(passages, scores, outlets=set()) == scores


def test_what_was_spoken_of_brings_its_article_forward(store: PassageStore) -> None:
    retriever = NewsRetriever(store, top_k=5)
    question = "What will happen next?"
    assert retriever.search(question, about="Tell me of the harvest")[0].passage.article_id == "harvest"
    assert retriever.search(question, about="Tell me of the storm")[0].passage.article_id == "storm"


def test_an_article_that_has_been_heard_gives_way_between_near_equals() -> None:
    passages = {"a1": made("a1", "a"), "a2": made("a2", "a"), "b1": made("b1", "b")}
    near = spread(passages, {"a1": 0.9, "a2": 0.89, "b1": 0.88}, limit=3)
    assert [found.passage.id for found in near] == ["a1", "b1", "a2"]
    far = spread(passages, {"a1": 0.9, "a2": 0.89, "b1": 0.5}, limit=2)
    assert [found.passage.id for found in far] == ["a1", "a2"]
