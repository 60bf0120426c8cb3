"""Judge: a language model grades correctness and faithfulness, where words cannot be compared; optional.

Any model that answers can judge, a local one too. Its reply must hold a JSON object with a known grade; of several the
last counts, since models think before they decide. A reply without one is *unscored*: kept, counted, and neither right
nor wrong. How far a judge can be trusted is measured, not assumed: its agreement with the deterministic metrics is
given as Cohen's kappa.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.llms import LLM

from eval.metrics import Result
from eval.runs import Run, figures_json, read_grades, write_grade, write_info, write_results
from eval.statistics import cohen_kappa
from index.articles import Article
from rag.answers import Answer
from rag.models import complete_text
from rag.prompts import fill_prompt, new_fence

GRADES: Mapping[str, Mapping[str, float]] = {
    "correctness": {"correct": 1.0, "partly": 0.5, "incorrect": 0.0},
    "faithfulness": {"faithful": 1.0, "partly": 0.5, "unfaithful": 0.0},
}
_METRIC = {"correctness": "judged_correct", "faithfulness": "judged_faithful"}


@dataclass(frozen=True, slots=True)
class Grade:
    """What the judge said of one answer.

    Attributes:
        id: the question's.
        kind: `correctness` or `faithfulness`.
        grade: one of `GRADES[kind]`; None where the reply could not be read.
        reason: the judge's, or the whole reply where it could not be read.
    """

    id: str
    kind: str
    grade: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far judge and deterministic metric agree: of `count` answers the `share` alike, `kappa` beyond chance."""

    kind: str
    metric: str
    count: int
    share: float
    kappa: float


def judge_run(
    run: Run,
    llm: LLM,
    *,
    label: str,
    concurrency: int = 4,
    silence_seconds: float = 60.0,
    on_progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Have `llm` grade a run's answers; writes judge.jsonl, and the figures into results.jsonl and run.json.

    Grades on file are kept, so that a stopped judge goes on; those that could not be read are asked for again.

    Args:
        run: the run.
        llm: the judge.
        label: its name, for the record.
        concurrency: calls in flight.
        silence_seconds: longest wait for the model.
        on_progress: told how many grades there are, and of how many.

    Returns:
        The summary that run.json holds under `judge`.

    Raises:
        ModelError: the model cannot be reached or refuses.
    """
    prompts = dict(_prompts(run))
    known = {(grade.id, grade.kind): grade for grade in _read(run.folder, label) if grade.grade is not None}
    known = {key: grade for key, grade in known.items() if key in prompts}
    rest = {key: prompt for key, prompt in prompts.items() if key not in known}

    def keep(grade: Grade) -> None:
        known[grade.id, grade.kind] = grade
        write_grade(run.folder, {"judge": label, **_json(grade)})
        if on_progress:
            on_progress(len(known), len(prompts))

    asyncio.run(_grade_all(llm, rest, keep, concurrency=concurrency, silence_seconds=silence_seconds))
    results = with_grades(run.results, list(known.values()))
    summary = {
        "model": label,
        "graded": sum(grade.grade is not None for grade in known.values()),
        "unscored": sum(grade.grade is None for grade in known.values()),
        "agreement": [_agreement_json(agreement) for agreement in agreements(results)],
    }
    write_results(run.folder, results)
    write_info(run.folder, {**run.info, "figures": figures_json(results), "judge": summary})
    return summary


def read_grade(reply: str, kind: str) -> tuple[str | None, str]:
    """The grade in a judge's reply and its reason; (None, the reply) where it holds no readable one.

    Of several JSON objects with a known grade the last counts.
    """
    decoder, found, place = json.JSONDecoder(), None, reply.find("{")
    while place >= 0:
        try:
            value, end = decoder.raw_decode(reply, place)
        except (ValueError, RecursionError):
            end = place + 1
        else:
            grade = str(value.get("grade", "")).strip().lower()
            if grade in GRADES[kind]:
                found = (grade, str(value.get("reason", "")))
        place = reply.find("{", end)
    return found or (None, reply.strip())


def with_grades(results: Sequence[Result], grades: Sequence[Grade]) -> list[Result]:
    """The results with the judge's scores in place of earlier ones; unreadable grades add none."""
    scores: dict[str, dict[str, tuple[float, float]]] = {}
    for grade in grades:
        if grade.grade is not None:
            scores.setdefault(grade.id, {})[_METRIC[grade.kind]] = (GRADES[grade.kind][grade.grade], 1.0)
    judged = set(_METRIC.values())
    return [
        replace(
            result,
            scores={name: score for name, score in result.scores.items() if name not in judged}
            | scores.get(result.id, {}),
        )
        for result in results
    ]


def agreements(results: Sequence[Result]) -> list[Agreement]:
    """How the judge's full marks agree with `correct`, and with every sentence being supported by what it cites."""
    found = []
    for kind, metric in (("correctness", "correct"), ("faithfulness", "support_recall")):
        judged = _METRIC[kind]
        both = [result for result in results if judged in result.scores and metric in result.scores]
        if both:
            one = [result.scores[judged][0] >= 1 for result in both]
            other = [result.scores[metric][0] >= 1 for result in both]
            alike = sum(a == b for a, b in zip(one, other, strict=True)) / len(both)
            found.append(Agreement(kind, metric, len(both), alike, cohen_kappa(one, other)))
    return found


async def _grade_all(
    llm: LLM,
    prompts: Mapping[tuple[str, str], str],
    keep: Callable[[Grade], None],
    *,
    concurrency: int,
    silence_seconds: float,
) -> None:
    free = asyncio.Semaphore(concurrency)

    async def grade(key: tuple[str, str], prompt: str) -> None:
        async with free:
            message = ChatMessage(role=MessageRole.USER, content=prompt)
            reply = await complete_text(llm, [message], silence_seconds=silence_seconds)
            keep(Grade(*key, *read_grade(reply, key[1])))

    try:
        async with asyncio.TaskGroup() as group:
            for key, prompt in prompts.items():
                group.create_task(grade(key, prompt))
    except ExceptionGroup as failed:
        # The first failure ended the others; it is the one to tell.
        raise failed.exceptions[0] from failed


def _prompts(run: Run) -> list[tuple[tuple[str, str], str]]:
    """(question id, kind) and what the judge is asked, for every answer that was given."""
    prompts = []
    for question in run.questions:
        answer = run.answers.get(question.id)
        if answer is None or answer.refused:
            continue
        if question.answerable and question.answer:
            prompts.append(
                (
                    (question.id, "correctness"),
                    fill_prompt(
                        "judge_correctness",
                        fence=new_fence(),
                        question=answer.standalone_question,
                        reference=question.answer,
                        answer=answer.text,
                    ),
                )
            )
        if answer.citations:
            sources = _sources(answer, run.articles)
            prompts.append(
                (
                    (question.id, "faithfulness"),
                    fill_prompt("judge_faithfulness", fence=new_fence(), sources=sources, answer=answer.text),
                )
            )
    return prompts


def _sources(answer: Answer, articles: Mapping[str, Article]) -> str:
    """The passages the answer cites, numbered as in the answer."""
    places = {found.rank: found.passage for found in answer.passages}
    parts = []
    for marker in dict.fromkeys(citation.marker for citation in answer.citations):
        passage = places.get(marker)
        article = articles.get(passage.article_id) if passage else None
        if passage and article:
            named = " · ".join(text for text in (article.title, article.source, article.published) if text)
            parts.append(f"[{marker}] {named}\n{article.text[passage.start : passage.end]}")
    return "\n\n".join(parts)


def _read(folder: Path, label: str) -> list[Grade]:
    return [
        Grade(row["id"], row["kind"], row["grade"], row["reason"])
        for row in read_grades(folder)
        if row["judge"] == label
    ]


def _json(grade: Grade) -> dict[str, Any]:
    return {"id": grade.id, "kind": grade.kind, "grade": grade.grade, "reason": grade.reason}


def _agreement_json(agreement: Agreement) -> dict[str, Any]:
    return {
        "kind": agreement.kind,
        "metric": agreement.metric,
        "count": agreement.count,
        "share": round(agreement.share, 4),
        "kappa": round(agreement.kappa, 4),
    }
