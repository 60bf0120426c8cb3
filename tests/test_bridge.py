"""LlamaIndex's own evaluator over Byline's retriever, and the retrieval benchmark's plain fusion."""

from pathlib import Path

from eval.bridge import retrieval_cases, retriever_evaluator
from eval.retrieval_benchmark import fuse_plainly
from index.build import add_articles
from index.embeddings import load_embedding
from index.opening import open_store
from rag.conversation import Turn
from rag.retrieval import NewsRetriever
from tests.evaluation import QUESTIONS, passage, question, small_settings, write_set


async def test_llama_index_evaluates_the_retriever(tmp_path: Path) -> None:
    _, articles = write_set(tmp_path)
    settings = small_settings(tmp_path / "home")
    follow_up = question("follow-up", history=(Turn("user", "What about the flood?"), Turn("assistant", "What of it?")))
    with open_store(settings, load_embedding(settings), owner="a test") as store:
        add_articles(store, [articles], settings=settings)
        cases = retrieval_cases([*QUESTIONS, follow_up], store)
        assert [case.id for case in cases] == ["soldiers", "rise", "start"]
        evaluator = retriever_evaluator(NewsRetriever(store, top_k=3))
        for case in cases:
            evaluated = await evaluator.aevaluate(case.query, list(case.expected_ids))
            figures = evaluated.metric_vals_dict
            assert set(figures) == {"hit_rate", "mrr", "precision", "recall", "ap", "ndcg"}
            assert figures["hit_rate"] == 1.0
            assert set(case.expected_ids) <= set(evaluated.retrieved_ids)


def test_plain_fusion_adds_reciprocal_ranks() -> None:
    a, b, c = (passage(name, "x", 0, 1) for name in "abc")
    # a: 1/61; b: 1/62 + 1/61; c: 1/62. Then a and c are told apart by their ranks.
    assert [found.id for found in fuse_plainly([[a, b], [b, c]])] == ["b", "a", "c"]
    assert [found.id for found in fuse_plainly([[b], [a]])] == ["a", "b"]
