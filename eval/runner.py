"""Runner: a question set over a folder of articles -> a run folder, with an index of its own and able to go on.

The articles are indexed in the run's own folder, so that a run never touches the index people use, and the index is
removed when the run is finished. Every answer is on disk before the next is waited for; a stopped run goes on where it
was if everything that decides its answers is the same, and says what differs if not.
"""

import asyncio
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from eval.dataset import Question, read_questions, write_questions
from eval.expected import read_expected
from eval.metrics import Result
from eval.places import Place
from eval.provenance import ROOT, now, provenance
from eval.runs import (
    FORMAT,
    Run,
    answer_line,
    figures_json,
    read_answers,
    read_info,
    read_run,
    write_articles,
    write_gold,
    write_info,
    write_lines,
    write_results,
)
from eval.scoring import Gold, Truth, find_gold, find_truth, score_answer, unscored
from index.articles import Article
from index.build import add_articles
from index.embeddings import load_embedding
from index.errors import ArticleError, BylineError, ModelError, QuestionSetError
from index.opening import open_store
from index.reading.places import read_articles
from index.settings import Settings
from index.store import PassageStore
from rag.answers import Answer
from rag.engine import NewsQueryEngine, open_engine
from rag.models import model_label

QUESTIONS = ROOT / "eval" / "questions.jsonl"
ARTICLES = ROOT / "seeds"

# A model's server that fails so many questions in a row from the start is not there.
_FAILED_FROM_THE_START = 3
OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is to do.

    Attributes:
        settings: as for answering; `home` and `chroma` are replaced by the run's own index.
        questions_file: the question set.
        articles: a file or folder of articles.
        folder: the run's folder.
        concurrency: questions in flight; None: 4 with a language model, 1 without (then times are a single user's).
        limit: only the first so many questions.
    """

    settings: Settings
    questions_file: Path = QUESTIONS
    articles: Path = ARTICLES
    folder: Path = Path("run")
    concurrency: int | None = None
    limit: int | None = None


def new_folder(home: Path, *, name: str = "") -> Path:
    """A folder for a new run under `home`/runs, named by the time of day (UTC)."""
    stamp = datetime.now(UTC).strftime("%Y-%m-%d_%H-%M-%S")
    return home / "runs" / (f"{stamp}_{name}" if name else stamp)


def run_questions(plan: Plan, *, on_progress: OnProgress | None = None, keep_finished: bool = False) -> Run:
    """Ask the questions, score the answers and write the run folder; go on with a stopped run.

    Args:
        plan: what to do.
        on_progress: called with how many questions are done, and of how many.
        keep_finished: where the folder holds this very run, finished, return it instead of complaining.

    Raises:
        QuestionSetError: the set cannot be read, names articles that are not there, or the folder holds another run.
        ModelError: the language model fails every question from the start.
    """
    questions = read_questions(plan.questions_file)[: plan.limit]
    articles = read_all(plan.articles)
    _check_articles(questions, articles, plan)
    info = {
        "format": FORMAT,
        "name": plan.folder.resolve().name,
        "started": now(),
        "finished": None,
        "model": model_label(plan.settings),
        "questions": len(questions),
        "articles": len(articles),
        "limit": plan.limit,
    } | provenance(plan.settings, questions, articles)
    if _start_or_go_on(plan.folder, info, keep_finished=keep_finished):
        return read_run(plan.folder)
    write_info(plan.folder, info)
    write_questions(plan.folder / "questions.jsonl", questions)
    settings = own_index(plan.settings, plan.folder / "index")
    started = time.perf_counter()
    with open_store(settings, load_embedding(settings), owner="an evaluation run") as store:
        add_articles(store, [plan.articles], settings=settings)
        gold = find_all_gold(questions, articles, store)
        passages = store.count()
    write_gold(plan.folder, gold)
    indexed = time.perf_counter()
    with open_engine(settings, owner="an evaluation run") as engine:
        concurrency = plan.concurrency or (4 if engine.llm else 1)
        answers, errors = _answer_the_rest(
            engine, questions, plan.folder, concurrency=concurrency, on_progress=on_progress
        )
    answered = time.perf_counter()
    results = score_all(questions, answers, errors, gold, truth=_read_truth(plan.questions_file, articles))
    write_results(plan.folder, results)
    write_articles(plan.folder, _used(articles, answers.values(), questions))
    info |= {
        "passages": passages,
        "concurrency": concurrency,
        "seconds": {"index": round(indexed - started, 2), "answer": round(answered - indexed, 2)},
        "tokens": {
            kind: sum(answer.usage.get(kind, 0) for answer in answers.values())
            for kind in ("prompt_tokens", "completion_tokens")
        },
        "figures": figures_json(results),
        "finished": now(),
    }
    shutil.rmtree(settings.home, ignore_errors=True)
    write_info(plan.folder, info)
    return read_run(plan.folder)


def own_index(settings: Settings, folder: Path) -> Settings:
    """The same settings with an embedded index of their own under `folder`."""
    return settings.model_copy(update={"home": folder, "chroma": None})


def find_all_gold(questions: Sequence[Question], articles: Sequence[Article], store: PassageStore) -> dict[str, Gold]:
    """Where each question's evidence is, in the articles and in the index."""
    texts = {article.id: article.text for article in articles}
    passages = {
        indexed.id: [
            (passage.id, Place(passage.article_id, passage.start, passage.end))
            for passage in store.article_passages(indexed.id)
        ]
        for indexed in store.articles()
    }
    return {question.id: find_gold(question, texts, passages) for question in questions}


def score_all(
    questions: Sequence[Question],
    answers: Mapping[str, Answer],
    errors: Mapping[str, str],
    gold: Mapping[str, Gold],
    *,
    truth: Truth | None = None,
) -> list[Result]:
    """Score every question; one that has no answer is unscored, with its error."""
    return [
        score_answer(question, answers[question.id], gold[question.id], truth)
        if question.id in answers
        else unscored(question, errors.get(question.id, "no answer"))
        for question in questions
    ]


async def answer_in_order(
    engine: NewsQueryEngine,
    questions: Sequence[Question],
    *,
    concurrency: int,
    on_answer: Callable[[Question, Answer | BylineError], None],
) -> None:
    """Answer questions, at most `concurrency` at a time, and hand each answer or error over in the questions' order."""
    waiting: deque[tuple[Question, asyncio.Task[Answer | BylineError]]] = deque()
    try:
        for question in questions:
            waiting.append((question, asyncio.create_task(_answer(engine, question))))
            if len(waiting) >= concurrency:
                await _hand_over(waiting, on_answer)
        while waiting:
            await _hand_over(waiting, on_answer)
    finally:
        for _, task in waiting:
            task.cancel()
        await asyncio.gather(*(task for _, task in waiting), return_exceptions=True)


async def _hand_over(
    waiting: deque[tuple[Question, asyncio.Task[Answer | BylineError]]],
    on_answer: Callable[[Question, Answer | BylineError], None],
) -> None:
    question, task = waiting[0]
    outcome = await task
    waiting.popleft()
    on_answer(question, outcome)


async def _answer(engine: NewsQueryEngine, question: Question) -> Answer | BylineError:
    try:
        answer = await engine.answer(question.question, question.history)
    except BylineError as exc:
        return exc
    if engine.llm is not None and answer.mode == "extractive" and answer.notice:
        # Quoting in a failed model's place is good for a reader; here it would pass for the model's work.
        return ModelError(answer.notice)
    return answer


def _answer_the_rest(
    engine: NewsQueryEngine,
    questions: Sequence[Question],
    folder: Path,
    *,
    concurrency: int,
    on_progress: OnProgress | None,
) -> tuple[dict[str, Answer], dict[str, str]]:
    """Answer what is not on disk yet; questions that failed before are asked again."""
    path = folder / "answers.jsonl"
    answers, _ = read_answers(path)
    errors: dict[str, str] = {}
    done = [answer_line(question.id, answers[question.id]) for question in questions if question.id in answers]
    write_lines(path, done)
    rest = [question for question in questions if question.id not in answers]
    if on_progress:
        on_progress(len(done), len(questions))
    with path.open("a", encoding="utf-8") as file:

        def keep(question: Question, outcome: Answer | BylineError) -> None:
            if isinstance(outcome, BylineError):
                errors[question.id] = str(outcome)
            else:
                answers[question.id] = outcome
            file.write(f"{answer_line(question.id, errors.get(question.id) or answers[question.id])}\n")
            file.flush()
            if isinstance(outcome, ModelError) and not answers and len(errors) >= _FAILED_FROM_THE_START:
                raise outcome
            if on_progress:
                on_progress(len(answers) + len(errors), len(questions))

        asyncio.run(answer_in_order(engine, rest, concurrency=concurrency, on_answer=keep))
    # A stopped run's retries come late; the finished file is in the questions' order.
    write_lines(path, (answer_line(q.id, answers.get(q.id) or errors[q.id]) for q in questions))
    return answers, errors


def _start_or_go_on(folder: Path, info: dict[str, Any], *, keep_finished: bool) -> bool:
    """Make the folder, or check that what it holds is the same run; returns whether that one is finished."""
    before = read_info(folder)
    if before is None:
        if folder.exists() and any(folder.iterdir()):
            raise QuestionSetError(f"{folder} is not empty and holds no run; choose another folder with --out.")
        folder.mkdir(parents=True, exist_ok=True)
        return False
    finished = bool(before.get("finished"))
    if finished and not keep_finished:
        raise QuestionSetError(f"{folder} holds a finished run; choose another folder with --out.")
    different = [
        name
        for group in ("settings", "sha256")
        for name in sorted({*before[group], *info[group]})
        if before[group].get(name) != info[group].get(name)
    ]
    if different:
        state = "a run" if finished else "a run that was stopped and cannot go on"
        raise QuestionSetError(
            f"{folder} holds {state}: {', '.join(different)} differ now. Choose another folder with --out."
        )
    info["started"] = before["started"]
    return finished


def read_all(path: Path) -> list[Article]:
    """Read the articles of a run, in the order of their ids.

    Raises:
        ArticleError: there are none.
    """
    read = read_articles(path)
    if not read.articles:
        raise ArticleError(f"No articles in {path}; name a folder of articles with --articles.")
    return sorted(read.articles, key=lambda article: article.id)


def _read_truth(questions_file: Path, articles: Sequence[Article]) -> Truth | None:
    """What `expected.json` beside a question set says; None where there is none."""
    path = questions_file.with_name("expected.json")
    if not path.exists():
        return None
    return find_truth(read_expected(path), {article.id: article.text for article in articles})


def _check_articles(questions: Sequence[Question], articles: Sequence[Article], plan: Plan) -> None:
    """Refuse a set whose evidence is not in the articles: every question about it would count as failed."""
    texts = {article.id: article.text for article in articles}
    for question in questions:
        for piece in question.evidence:
            if piece.quote not in texts.get(piece.article, ""):
                raise QuestionSetError(
                    f"{plan.questions_file}: {question.id}: the evidence of {piece.article} is not in {plan.articles}; "
                    f"`python -m eval check {plan.questions_file} --articles {plan.articles}` lists every mistake."
                )


def _used(articles: Sequence[Article], answers: Iterable[Answer], questions: Sequence[Question]) -> list[Article]:
    used = {piece.article for question in questions for piece in question.evidence}
    for answer in answers:
        used |= {found.passage.article_id for found in answer.passages}
        used |= {value.article_id for difference in answer.coverage.differences for value in difference.values}
        used |= set(answer.coverage.also_reported_by)
    return [article for article in articles if article.id in used]
