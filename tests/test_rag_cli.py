import json
import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

from index.commands import run
from index.errors import ModelUnreachableError
from rag import __main__ as commands
from rag.answers import Answer, to_json
from rag.remote import find_running_page
from tests.fakes import HashingEmbedding, ScriptedLLM

QUESTION = "How many drones did Russia launch overnight?"


@pytest.fixture(autouse=True)
def _without_a_model(monkeypatch: pytest.MonkeyPatch, embedding: HashingEmbedding) -> None:
    monkeypatch.setenv("BYLINE_LLM", "none")
    monkeypatch.setattr("rag.engine.load_embedding", lambda settings: embedding)


def rag(*arguments: str | Path) -> int:
    """Run the command line; returns its exit code."""
    with pytest.raises(SystemExit) as left:
        run(commands.app, [str(argument) for argument in arguments])
    return int(left.value.code or 0)


def write_lines(path: Path, *lines: Any) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_an_answer_is_printed_with_its_sources(capsys: pytest.CaptureFixture[str]) -> None:
    assert rag("ask", QUESTION) == 0
    out = capsys.readouterr().out
    assert "138 drones" in out
    assert "Sources:\n[" in out


def test_json_is_one_object_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert rag("ask", QUESTION, "--json") == 0
    out = capsys.readouterr().out
    answer = json.loads(out)
    assert out.count("\n") == 1
    assert (answer["id"], answer["question"], answer["mode"]) == ("", QUESTION, "extractive")
    assert "138 drones" in answer["citations"][0]["quote"]


def test_earlier_turns_tell_what_a_follow_up_is_about(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    history = tmp_path / "history.json"
    history.write_text(json.dumps([{"role": "user", "content": "Who is Yuri Ushakov?"}]))
    assert rag("ask", "What did he say about Donetsk?", "--json", "--history", history) == 0
    assert "Ushakov" in json.loads(capsys.readouterr().out)["standalone_question"]


def test_what_earlier_answers_took_is_added_to_the_conversation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    usage = {"prompt_tokens": 900, "completion_tokens": 10}
    history = tmp_path / "history.json"
    history.write_text(json.dumps([{"role": "assistant", "content": "No.", "usage": usage}]))
    assert rag("ask", QUESTION, "--json", "--history", history) == 0
    assert json.loads(capsys.readouterr().out)["conversation_usage"] == usage
    assert rag("ask", QUESTION, "--history", history) == 0
    assert "this conversation: 900 tokens read, 10 written" in capsys.readouterr().out.splitlines()[-1]


def test_a_file_of_questions_ends_with_what_it_took(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    llm = ScriptedLLM()
    llm.enqueue("Russia launched 138 drones [1].")
    llm.enqueue("Russia launched 138 drones [1].")
    monkeypatch.setattr("rag.engine.load_llm", lambda settings: llm)
    monkeypatch.setenv("BYLINE_LLM", "openai-like/scripted")
    monkeypatch.setenv("BYLINE_LLM_PRICE_READ", "1")
    monkeypatch.setenv("BYLINE_LLM_PRICE_WRITTEN", "2")
    questions = write_lines(tmp_path / "q.jsonl", *({"id": n, "question": QUESTION} for n in "ab"))
    assert rag("batch", questions, "--out", tmp_path / "a.jsonl") == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.search(r"2 answers: [\d,]+ tokens read, [\d,]+ written, cost 0\.\d+$", captured.err.strip())
    assert all(answer["cost"]["answer"] > 0 for answer in read_lines(tmp_path / "a.jsonl"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "line 1: not JSON"),
        ("{}", "must be a list"),
        ('[{"role": "system", "content": "x"}]', "turn 1 must have a `role`"),
        ('[{"role": "assistant", "content": "x", "usage": {"prompt_tokens": "9"}}]', "turn 1: `usage` must be"),
        ('[{"role": "assistant", "content": "x", "usage": [9]}]', "turn 1: `usage` must be"),
        (None, "cannot be read"),
    ],
)
def test_a_history_that_cannot_be_used_is_one_line_of_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, message: str
) -> None:
    history = tmp_path / "history.json"
    if text is not None:
        history.write_text(text)
    assert rag("ask", QUESTION, "--history", history) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.count("\n") == 1


def test_an_empty_question_is_the_users_to_mend(capsys: pytest.CaptureFixture[str]) -> None:
    assert rag("ask", "  ") == 2
    assert "empty" in capsys.readouterr().err


def test_a_question_is_held_to_an_article(capsys: pytest.CaptureFixture[str]) -> None:
    assert rag("ask", QUESTION, "--json", "--article", "004_d22d68e99f4be1cd") == 0
    passages = json.loads(capsys.readouterr().out)["passages"]
    assert {passage["article_id"] for passage in passages} == {"004_d22d68e99f4be1cd"}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--article", "none"], "No article 'none' is in the index"),
        (["--outlet", "The Times"], "No article is by an outlet 'The Times'"),
        (["--from", "Monday"], "'Monday' is not a day"),
        (["--from", "2025-12-16", "--to", "2025-12-15"], "the first is after the last"),
    ],
)
def test_a_filter_that_cannot_be_used_is_said(
    capsys: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    assert rag("ask", QUESTION, *arguments) == 2
    assert reason in capsys.readouterr().err


def test_a_file_of_questions_is_answered_in_order(tmp_path: Path) -> None:
    questions = write_lines(
        tmp_path / "q.jsonl",
        {"id": "b", "question": QUESTION},
        {"id": 7, "question": "Who is the mayor of Ulan Bator?", "category": "unanswerable"},
        {"id": "a", "question": "And about Donetsk?", "history": [{"role": "user", "content": "Who is Ushakov?"}]},
    )
    assert rag("batch", questions, "--out", tmp_path / "a.jsonl") == 0
    answers = read_lines(tmp_path / "a.jsonl")
    assert [answer["id"] for answer in answers] == ["b", "7", "a"]
    assert [answer["refused"] for answer in answers][:2] == [False, True]
    assert "Ushakov" in answers[2]["standalone_question"]


def test_a_stopped_run_goes_on_after_its_last_whole_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    questions = write_lines(tmp_path / "q.jsonl", *({"id": n, "question": QUESTION} for n in "abc"))
    out = tmp_path / "a.jsonl"
    assert rag("batch", questions, "--out", out) == 0
    whole = out.read_text()
    first = whole.splitlines(keepends=True)[0]
    out.write_text(first + '{"id": "b", "question": "How man')
    assert rag("batch", questions, "--out", out) == 0
    assert [answer["id"] for answer in read_lines(out)] == ["a", "b", "c"]
    assert out.read_text().startswith(first)

    monkeypatch.setattr(commands, "open_engine", lambda *_, **__: pytest.fail("nothing is left to answer"))
    assert rag("batch", questions, "--out", out) == 0


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (['{"id": "a", "question": "Who?"}', "{oops"], "line 2: not JSON"),
        (
            ['{"id": "a", "question": "Who?"}', '{"id": "a", "question": "What?"}'],
            "the id 'a' stands on line 1",
        ),
        (['{"question": "Who?"}'], "line 1: a question needs an `id`"),
        (['{"id": "a", "question": " "}'], "line 1: `question` is missing or empty"),
        (['{"id": "a", "question": "Who?", "history": [3]}'], "line 1: turn 1"),
        (["[1]"], "line 1: not a JSON object"),
        ([""], "holds no question"),
    ],
)
def test_a_bad_line_is_named_before_anything_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lines: Sequence[str], message: str
) -> None:
    questions = write_lines(tmp_path / "q.jsonl", *lines)
    assert rag("batch", questions, "--out", tmp_path / "a.jsonl") == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "a.jsonl").exists()


def test_answers_to_another_set_are_not_added_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = write_lines(tmp_path / "a.jsonl", {"id": "a", "question": "Another question?"})
    questions = write_lines(tmp_path / "q.jsonl", {"id": "a", "question": QUESTION})
    assert rag("batch", questions, "--out", out) == 2
    assert "line 1: this answers another question set" in capsys.readouterr().err
    assert len(read_lines(out)) == 1


def test_a_run_stops_where_the_model_fails_and_keeps_what_it_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    llm = ScriptedLLM()
    llm.enqueue("Russia launched 138 drones [1].")
    llm.enqueue(ModelUnreachableError("The model's server is gone."))
    monkeypatch.setattr("rag.engine.load_llm", lambda settings: llm)
    questions = write_lines(tmp_path / "q.jsonl", *({"id": n, "question": QUESTION} for n in "ab"))
    assert rag("batch", questions, "--out", tmp_path / "a.jsonl") == 2
    assert [answer["id"] for answer in read_lines(tmp_path / "a.jsonl")] == ["a"]
    error = capsys.readouterr().err
    assert "Question b: The model's server is gone." in error
    assert error.count("\n") == 1


# --- through the page that owns the index


class OnePage:
    """What answers at the address: remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.reply: tuple[int, Any] = (
            200,
            to_json(Answer(QUESTION, QUESTION, "From the page.", refused=True, mode="llm", model="openai/x")),
        )
        app = FastAPI()

        @app.get("/healthz")
        def health() -> dict[str, str]:
            return {"status": "ok"}

        @app.post("/api/ask")
        def ask(body: dict[str, Any]) -> Any:
            from fastapi.responses import JSONResponse

            self.asked.append(body)
            status, content = self.reply
            return JSONResponse(content, status_code=status)

        self.server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
        self.thread = threading.Thread(target=self.server.run)

    @property
    def url(self) -> str:
        port = self.server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"


@pytest.fixture
def page(tmp_path: Path) -> Iterator[OnePage]:
    page = OnePage()
    page.thread.start()
    while not page.server.started:
        page.thread.join(0.01)
    announce(tmp_path, page.url)
    yield page
    page.server.should_exit = True
    page.thread.join()


def announce(tmp_path: Path, url: str) -> None:
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    (home / "index.owner.json").write_text(json.dumps({"pid": 1, "owner": "the page", "url": url}))


def test_a_running_page_is_asked_instead_of_its_index(
    tmp_path: Path, page: OnePage, capsys: pytest.CaptureFixture[str]
) -> None:
    history = tmp_path / "history.json"
    history.write_text('[{"role": "user", "content": "Before?"}]')
    assert rag("ask", QUESTION, "--json", "--history", history) == 0
    assert json.loads(capsys.readouterr().out) == page.reply[1]
    assert page.asked == [{"question": QUESTION, "history": [{"role": "user", "content": "Before?"}]}]


def test_a_running_page_is_told_the_filter(page: OnePage) -> None:
    assert rag("ask", QUESTION, "--json", "--outlet", "Sky News", "--to", "2025-12-15") == 0
    among = {"outlets": ["Sky News"], "articles": [], "since": None, "until": "2025-12-15"}
    assert page.asked[0]["among"] == among


def test_a_running_page_answers_a_file_of_questions(tmp_path: Path, page: OnePage) -> None:
    questions = write_lines(tmp_path / "q.jsonl", {"id": "a", "question": QUESTION})
    assert rag("batch", questions, "--out", tmp_path / "a.jsonl") == 0
    assert read_lines(tmp_path / "a.jsonl") == [{**page.reply[1], "id": "a"}]


def test_what_the_page_complains_of_is_shown(page: OnePage, capsys: pytest.CaptureFixture[str]) -> None:
    page.reply = (502, {"error": "The model refused."})
    assert rag("ask", QUESTION) == 2
    assert "says: The model refused." in capsys.readouterr().err


def test_an_address_left_by_a_page_that_died_is_passed_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], unused_tcp_port: int
) -> None:
    announce(tmp_path, f"http://127.0.0.1:{unused_tcp_port}")
    assert rag("ask", QUESTION) == 0
    assert "138 drones" in capsys.readouterr().out


def test_only_this_machine_is_ever_asked(tmp_path: Path, settings: Any) -> None:
    announce(tmp_path, "http://192.0.2.1:7860")
    assert find_running_page(settings) is None
