"""Running a set: what is written, going on after a stop, and whose failure is whose."""

import asyncio
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage

from eval.dataset import Question
from eval.runner import Plan, answer_in_order, run_questions
from eval.runs import list_runs, read_answers, read_run
from index.errors import BylineError, ModelError, QuestionSetError
from index.settings import Settings, public_settings
from rag.answers import Answer
from rag.conversation import Turn
from tests.evaluation import QUESTIONS, answer, json_lines, make_run, question, small_settings, write_set
from tests.fakes import ScriptedLLM


class SameAnswerLLM(ScriptedLLM):
    """Says the same to every question."""

    def _next(self, messages: Sequence[ChatMessage]) -> list[str]:
        return ["The army sent 250 soldiers [1]."]


class BrokenLLM(ScriptedLLM):
    """Fails every question."""

    def _next(self, messages: Sequence[ChatMessage]) -> list[str]:
        raise ConnectionError("nobody there")


def test_run_writes_everything_and_reads_back(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    assert [result.id for result in run.results] == [asked.id for asked in QUESTIONS]
    assert run.questions == tuple(QUESTIONS)
    assert set(run.answers) == {asked.id for asked in QUESTIONS}
    assert set(run.articles) == {"bridge", "flood", "strike"}
    assert run.info["figures"]["all"]["questions"] == 4
    assert run.info["model"] == "none"
    assert len(run.info["sha256"]["code"]) == 64
    assert run.info["versions"]["chromadb"]
    assert read_run(run.folder) == run
    assert [folder for folder, _ in list_runs(tmp_path)] == [run.folder]


def test_quotes_in_the_run_are_exact(tmp_path: Path) -> None:
    run = make_run(tmp_path, llm="tests.test_runner.SameAnswerLLM")
    citations = [citation for given in run.answers.values() for citation in given.citations]
    assert citations
    for citation in citations:
        text = run.articles[citation.passage.article_id].text
        assert text[citation.start : citation.end] == citation.quote


def test_run_has_its_own_index_and_removes_it(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    assert not (run.folder / "index").exists()
    assert not (tmp_path / "home").exists()


def test_same_settings_give_the_same_figures(tmp_path: Path) -> None:
    def untimed(name: str) -> dict[str, Any]:
        metrics = make_run(tmp_path, name=name).info["figures"]["all"]["metrics"]
        return {metric: figure for metric, figure in metrics.items() if not metric.startswith("latency")}

    assert untimed("one") == untimed("other")


def test_stopped_run_goes_on_without_asking_again(tmp_path: Path) -> None:
    whole = make_run(tmp_path, name="whole")
    questions, articles = write_set(tmp_path)
    plan = Plan(small_settings(tmp_path / "home"), questions, articles, tmp_path / "stopped")

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_questions(plan, on_progress=stop)
    with pytest.raises(QuestionSetError, match="was stopped"):
        read_run(plan.folder)
    # What was being written when it was stopped is cut off.
    with (plan.folder / "answers.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"id": "sta')
    told: list[tuple[int, int]] = []
    run = run_questions(plan, on_progress=lambda done, total: told.append((done, total)))
    assert told == [(2, 4), (3, 4), (4, 4)]
    assert [row["id"] for row in json_lines(plan.folder / "answers.jsonl")] == [asked.id for asked in QUESTIONS]
    assert [result.scores["correct"] for result in run.results] == [r.scores["correct"] for r in whole.results]


def test_stopped_run_of_other_settings_does_not_go_on(tmp_path: Path) -> None:
    questions, articles = write_set(tmp_path)

    def stop(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    plan = Plan(small_settings(tmp_path / "home"), questions, articles, tmp_path / "run")
    with pytest.raises(KeyboardInterrupt):
        run_questions(plan, on_progress=stop)
    other = Plan(small_settings(tmp_path / "home", top_k=3), questions, articles, tmp_path / "run", limit=2)
    with pytest.raises(QuestionSetError, match=r"top_k, questions differ now"):
        run_questions(other)


def test_finished_run_is_not_overwritten(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    with pytest.raises(QuestionSetError, match="holds a finished run"):
        make_run(tmp_path)
    questions, articles = write_set(tmp_path)
    again = Plan(small_settings(tmp_path / "home"), questions, articles, run.folder)
    assert run_questions(again, keep_finished=True) == run


def test_folder_of_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine.txt").write_text("keep")
    with pytest.raises(QuestionSetError, match="is not empty and holds no run"):
        make_run(tmp_path)


def test_set_whose_evidence_is_not_in_the_articles_is_refused(tmp_path: Path) -> None:
    questions, articles = write_set(tmp_path)
    (articles / "flood.txt").write_text("Another flood\nNothing of the kind was said here.\n")
    with pytest.raises(QuestionSetError, match="soldiers: the evidence of flood is not in"):
        run_questions(Plan(small_settings(tmp_path / "home"), questions, articles, tmp_path / "run"))


def test_model_answers_are_scored_with_their_tokens(tmp_path: Path) -> None:
    run = make_run(tmp_path, llm="tests.test_runner.SameAnswerLLM")
    soldiers = run.results[0]
    assert run.answers["soldiers"].mode == "llm"
    assert soldiers.scores["correct"] == (1.0, 1.0)
    assert soldiers.scores["prompt_tokens"][0] > 100
    assert run.info["concurrency"] == 4


def test_model_that_is_not_there_ends_the_run_soon(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        make_run(tmp_path, llm="tests.test_runner.BrokenLLM")
    answers, errors = read_answers(tmp_path / "run" / "answers.jsonl")
    assert not answers
    assert len(errors) == 3


class FakeEngine:
    """Answers after a wait, fails where told, and counts how many it works on at a time."""

    llm = object()

    def __init__(self, outcomes: dict[str, Answer | BylineError], *, waits: dict[str, float]) -> None:
        self.outcomes, self.waits = outcomes, waits
        self.working = self.most = 0

    async def answer(self, asked: str, history: Sequence[Turn]) -> Answer:
        self.working += 1
        self.most = max(self.most, self.working)
        await asyncio.sleep(self.waits.get(asked, 0))
        self.working -= 1
        outcome = self.outcomes[asked]
        if isinstance(outcome, BylineError):
            raise outcome
        return outcome


async def test_answers_come_in_the_questions_order_within_the_bound() -> None:
    asked = [question(name, question=name) for name in "abcde"]
    engine = FakeEngine({name: answer(name) for name in "abcde"}, waits={"a": 0.05, "c": 0.03})
    got: list[str] = []

    def keep(one: Question, outcome: Answer | BylineError) -> None:
        assert isinstance(outcome, Answer)
        got.append(outcome.text)

    await answer_in_order(engine, asked, concurrency=2, on_answer=keep)  # type: ignore[arg-type]  # a stand-in
    assert got == list("abcde")
    assert engine.most == 2


async def test_quotation_in_a_failed_models_place_is_a_failure() -> None:
    quoted = answer("Quoted.", notice="The model failed. This answer quotes the articles instead.")
    engine = FakeEngine({"a": quoted, "b": ModelError("gone")}, waits={})
    got: list[Answer | BylineError] = []
    asked = [question(name, question=name) for name in "ab"]
    await answer_in_order(
        engine,  # type: ignore[arg-type]  # a stand-in
        asked,
        concurrency=1,
        on_answer=lambda _, outcome: got.append(outcome),
    )
    assert [str(outcome) for outcome in got] == [quoted.notice, "gone"]


def test_public_settings_have_no_secret_and_no_place() -> None:
    settings = Settings(
        home=Path("/somewhere"),
        llm_api_key="s3cret",  # type: ignore[arg-type]  # pydantic makes it a SecretStr
        llm_base_url="http://user:s3cret@example.org/v1?key=s3cret",
        embedding_options={"token": "s3cret"},
    )
    shown = json.dumps(public_settings(settings))
    assert "s3cret" not in shown
    assert "somewhere" not in shown
    assert "http://example.org/v1" in shown


def test_figures_are_numbers(tmp_path: Path) -> None:
    metrics = make_run(tmp_path).info["figures"]["all"]["metrics"]
    for name, figure in metrics.items():
        assert figure["low"] <= figure["value"] <= figure["high"], name
        assert all(math.isfinite(value) for value in figure.values()), name
