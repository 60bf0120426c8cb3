"""Retrieval metrics: rankings of three documents, fractions worked by hand."""

import math

import pytest

from eval.places import Place, find_quote, meets, passages_holding, shared_characters
from eval.retrieval_metrics import RETRIEVAL_METRICS, all_evidence, evidence_density, score_rankings

LOG3 = math.log2(3)


@pytest.mark.parametrize(
    ("ranking", "gold", "expected"),
    [
        # One gold document at each rank: DCG 1 / log2(rank + 1), ideal 1.
        (["a", "b", "c"], ["a"], {"ndcg@10": 1.0, "mrr@10": 1.0, "recall@1": 1.0, "all_evidence@5": 1.0}),
        (["b", "a", "c"], ["a"], {"ndcg@10": 1 / LOG3, "mrr@10": 1 / 2, "recall@1": 0.0, "recall@5": 1.0}),
        (["b", "c", "a"], ["a"], {"ndcg@10": 1 / 2, "mrr@10": 1 / 3}),
        # Two gold at ranks 1 and 3: (1 + 1/2) / (1 + 1/log2 3).
        (
            ["a", "b", "c"],
            ["a", "c"],
            {"ndcg@10": (3 / 2) / (1 + 1 / LOG3), "mrr@10": 1.0, "recall@1": 1 / 2, "recall@5": 1.0},
        ),
        # A gold one that is not found at all.
        (
            ["a", "b"],
            ["a", "c"],
            {"ndcg@10": 1 / (1 + 1 / LOG3), "recall@5": 1 / 2, "all_evidence@5": 0.0, "all_evidence@10": 0.0},
        ),
        (["b", "c"], ["a"], {"ndcg@10": 0.0, "mrr@10": 0.0, "recall@10": 0.0}),
        ([], ["a"], {"ndcg@10": 0.0, "mrr@10": 0.0, "recall@10": 0.0, "all_evidence@10": 0.0}),
    ],
)
def test_three_documents(ranking: list[str], gold: list[str], expected: dict[str, float]) -> None:
    scores = score_rankings({"q": ranking}, {"q": gold})["q"]
    assert set(scores) == set(RETRIEVAL_METRICS)
    assert {name: scores[name] for name in expected} == pytest.approx(expected)


def test_grades_count_linearly() -> None:
    # Grade 2 at rank 2 and grade 1 at rank 1: (1 + 2/log2 3) / (2 + 1/log2 3).
    scores = score_rankings({"q": ["a", "b", "c"]}, {"q": {"a": 1, "b": 2, "c": 0}})
    assert scores["q"]["ndcg@10"] == pytest.approx((1 + 2 / LOG3) / (2 + 1 / LOG3))


def test_order_given_wins_over_the_order_of_ids() -> None:
    assert score_rankings({"q": ["z", "a"]}, {"q": ["z"]})["q"]["mrr@10"] == 1.0
    assert score_rankings({"q": ["a", "z"]}, {"q": ["a"]})["q"]["mrr@10"] == 1.0


def test_first_gold_beyond_ten_has_no_reciprocal_rank() -> None:
    ranking = [f"d{number}" for number in range(10)] + ["gold"]
    scores = score_rankings({"q": ranking}, {"q": ["gold"]})["q"]
    assert (scores["mrr@10"], scores["recall@10"]) == (0.0, 0.0)


def test_question_without_gold_is_not_scored() -> None:
    assert score_rankings({"q": ["a"]}, {"q": [], "r": {"a": 0}}) == {}


def test_question_without_a_ranking_found_nothing() -> None:
    assert score_rankings({}, {"q": ["a"]})["q"]["recall@10"] == 0.0


def test_one_of_each_group_is_all_the_evidence_needed() -> None:
    groups = [["a", "a2"], ["b"]]
    assert all_evidence(["x", "a2", "b"], groups) == 1.0
    assert all_evidence(["a", "a2", "x"], groups) == 0.0
    needed = score_rankings({"q": ["a2", "b"]}, {"q": ["a", "a2", "b"]}, needs={"q": groups})["q"]
    assert needed["all_evidence@5"] == 1.0
    assert needed["recall@5"] == pytest.approx(2 / 3)


def test_density_is_evidence_over_retrieved_characters() -> None:
    # 100 + 100 characters retrieved; 10 + 5 of them evidence, where two places share five.
    retrieved = [Place("x", 0, 100), Place("y", 0, 100)]
    evidence = [Place("x", 90, 110), Place("x", 95, 105), Place("y", 20, 25), Place("z", 0, 50)]
    assert evidence_density(retrieved, evidence) == (15.0, 200.0)


def test_quote_is_found_wherever_it_stands() -> None:
    assert find_quote("ab", "x", "ab cab") == [Place("x", 0, 2), Place("x", 4, 6)]
    assert find_quote("zz", "x", "ab") == []
    assert find_quote("", "x", "ab") == []


def test_places_of_different_articles_share_nothing() -> None:
    assert shared_characters(Place("x", 0, 10), Place("y", 0, 10)) == 0
    assert not meets(Place("x", 0, 10), Place("y", 0, 10))


@pytest.mark.parametrize(
    ("one", "other", "met"),
    [
        (Place("x", 0, 100), Place("x", 40, 44), True),  # the short one lies inside
        (Place("x", 0, 10), Place("x", 5, 25), True),  # 5 of the shorter's 10
        (Place("x", 0, 10), Place("x", 6, 25), False),  # 4 of 10
        (Place("x", 0, 10), Place("x", 10, 20), False),  # touching is not sharing
    ],
)
def test_places_meet_at_half_of_the_shorter(one: Place, other: Place, met: bool) -> None:
    assert meets(one, other) is met
    assert meets(other, one) is met


def test_passage_with_half_of_the_quote_holds_it() -> None:
    passages = [("p1", Place("x", 0, 10)), ("p2", Place("x", 10, 20)), ("p3", Place("x", 20, 30))]
    assert passages_holding([Place("x", 12, 18)], passages) == ["p2"]
    assert passages_holding([Place("x", 5, 15)], passages) == ["p1", "p2"]
    assert passages_holding([Place("x", 1, 4), Place("x", 21, 24)], passages) == ["p1", "p3"]


def test_passage_with_most_of_a_cut_up_quote_holds_it() -> None:
    passages = [("p1", Place("x", 0, 10)), ("p2", Place("x", 10, 20)), ("p3", Place("x", 20, 30))]
    assert passages_holding([Place("x", 7, 28)], passages) == ["p2"]
    assert passages_holding([Place("y", 7, 28)], passages) == []
