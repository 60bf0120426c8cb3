"""Bridge: Byline in LlamaIndex's evaluators, and runs in the form that ragas and others read.

    with open_engine(settings, owner="evaluation") as engine:
        evaluator = retriever_evaluator(engine.retriever)
        for case in retrieval_cases(read_questions(path), engine.store):
            print(await evaluator.aevaluate(case.query, list(case.expected_ids)))

The engine itself is a LlamaIndex `BaseQueryEngine`: `BatchEvalRunner(...).aevaluate_queries(engine, questions)` and
every evaluator that takes a `Response` work as they are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.evaluation import RetrieverEvaluator
from llama_index.core.evaluation.retrieval.metrics import resolve_metrics

from eval.answer_metrics import without_markers
from eval.dataset import Question
from eval.runner import find_all_gold
from eval.runs import Run
from index.store import PassageStore


@dataclass(frozen=True, slots=True)
class RetrievalCase:
    """A question as LlamaIndex's evaluator takes it: its text and the ids of the passages that hold its evidence."""

    id: str
    query: str
    expected_ids: tuple[str, ...]


def retriever_evaluator(retriever: BaseRetriever) -> RetrieverEvaluator:
    """LlamaIndex's evaluator over a retriever such as Byline's, with all its metrics that are computed from ids."""
    metrics = resolve_metrics(["hit_rate", "mrr", "precision", "recall", "ap", "ndcg"])
    return RetrieverEvaluator(metrics=[metric() for metric in metrics], retriever=retriever)


def retrieval_cases(questions: Sequence[Question], store: PassageStore) -> list[RetrievalCase]:
    """The questions that LlamaIndex's evaluator can ask of an index.

    Questions without evidence in the index are left out, since it has no word for them; so are follow-ups, which it
    would ask without what came before.
    """
    articles = [store.article(article.id) for article in store.articles()]
    gold = find_all_gold(questions, articles, store)
    indexed = {article.id for article in articles}
    cases = []
    for question in questions:
        there = any(piece.article in indexed for piece in question.evidence)
        if there and not question.history:
            expected = [passage.id for passage in store.passages(gold[question.id].passage_ids)]
            cases.append(RetrievalCase(question.id, question.question, tuple(expected)))
    return cases


def export_rows(run: Run) -> Iterator[dict[str, Any]]:
    """A run's answers as `question`, `contexts`, `answer`, `ground_truth`, a row each.

    The names are those of ragas' datasets and of most others; `id` and `category` come with them. The contexts are the
    passages found, best first, and the answer has no markers. Questions that could not be answered are left out.
    """
    for question in run.questions:
        answer = run.answers.get(question.id)
        if answer is None:
            continue
        places = [found.passage for found in answer.passages if found.passage.article_id in run.articles]
        yield {
            "id": question.id,
            "category": question.category,
            "question": answer.standalone_question,
            "contexts": [run.articles[place.article_id].text[place.start : place.end] for place in places],
            "answer": without_markers(answer.text),
            "ground_truth": question.answer,
        }
