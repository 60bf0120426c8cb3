"""`python -m index`: its output, its errors in one line, its exit codes."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import typer

from index.__main__ import app
from index.commands import progress_bar, run, write_json
from index.errors import ArticleError, StoreError
from tests.conftest import SEEDS

ROOT = Path(__file__).parent.parent


class Said:
    """What a command said and how it ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def json(self) -> Any:
        """The one object on stdout."""
        assert self.out.count("\n") == 1
        return json.loads(self.out)


@pytest.fixture
def index(capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*arguments: str) -> Said:
        with pytest.raises(SystemExit) as ended:
            run(app, arguments)
        captured = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Said(ended.value.code, captured.out, captured.err)

    return call


def test_add_list_status_remove_and_rebuild(index: Any) -> None:
    added = index("add", str(SEEDS), "--json")
    assert (added.code, added.err) == (0, "")
    assert len(added.json()["added"]) == 5
    assert set(added.json()) == {"added", "changed", "unchanged", "same", "removed", "skipped"}
    assert index("add", str(SEEDS)).out == "5 unchanged\n"

    listed = index("list", "--json").json()["articles"]
    assert [one["source"] for one in listed] == ["TDI", "Agencies", None, None, None]
    assert listed[2]["title"] in index("list").out

    facts = index("status", "--json").json()
    assert (facts["articles"], facts["embedding"]) == (5, "bundled/all-MiniLM-L6-v2-int8")
    assert facts["bytes_on_disk"] > 100_000
    assert facts["problems"] == []
    assert "5 articles in" in index("status").out
    assert index("status").out.endswith("in order\n")

    assert index("remove", listed[0]["id"], listed[1]["id"], "--json").json()["removed"] == [
        listed[0]["id"],
        listed[1]["id"],
    ]
    assert index("rebuild").out == "3 changed\n"
    assert len(index("list").out.splitlines()) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["status"], "Nothing is indexed yet"),
        (["list", "--json"], "Nothing is indexed yet"),
        (["remove", "a"], "Nothing is indexed yet"),
        (["rebuild"], "Nothing is indexed yet"),
        (["add", "nowhere"], "nowhere: there is no such file or folder."),
        (["add", "{tmp}/empty"], "holds no .txt, .md, .markdown, .html"),
        (["add", "{tmp}/a.png"], "only .txt, .md, .markdown, .html"),
        (["add", "ftp://example.org/news"], "ftp://example.org/news: is no http:// or https:// address."),
        (["add", "x", "--map", "headline=title"], "--map: 'headline=title' is not PART=NAME"),
        (["add", "https://example.org/feed", "--every", "5s"], "'5s' is no time of at least a minute"),
        (["add", "https://example.org/feed", "--watch"], "--every 15m follows a feed"),
        (["add"], "Missing argument 'PATH_OR_URL...'"),
        (["add", "--fast", "x"], "No such option: --fast"),
        (["grow"], "No such command 'grow'"),
        ([], "Missing command"),
    ],
)
def test_what_the_user_can_mend_is_one_line_and_code_2(
    index: Any, tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.png").write_bytes(b"%PNG")
    said = index(*(argument.replace("{tmp}", str(tmp_path)) for argument in arguments))
    assert (said.code, said.out) == (2, "")
    assert message in said.err
    assert said.err.count("\n") == 1
    assert not (tmp_path / "home").exists()


def test_wrong_setting_is_told_by_its_name(index: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BYLINE_PASSAGE_TOKENS", "7")
    said = index("add", str(SEEDS))
    assert said.code == 2
    assert "BYLINE_PASSAGE_TOKENS" in said.err


def test_skipped_files_are_told_each_and_make_the_code_2(index: Any, tmp_path: Path) -> None:
    (tmp_path / "news").mkdir()
    (tmp_path / "news" / "good.txt").write_text("The council met on Monday. It voted.")
    (tmp_path / "news" / "empty.txt").write_text("")
    said = index("add", str(tmp_path / "news"), "--json")
    assert said.code == 2
    assert said.json()["added"] == ["good"]
    assert said.json()["skipped"] == [{"path": str(tmp_path / "news" / "empty.txt"), "reason": "is empty"}]
    assert said.err == f"{tmp_path}/news/empty.txt: is empty\n"


def test_unknown_id_is_told(index: Any) -> None:
    index("add", str(SEEDS))
    said = index("remove", "nope")
    assert said.code == 2
    assert "nope" in said.err


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ArticleError("a.txt: is\nempty"), 2, "a.txt: is empty"),
        (StoreError("The index is damaged."), 1, "The index is damaged."),
        (KeyError("x"), 1, "Unexpected KeyError: 'x' (a fault of Byline; `python -X dev -m ...` shows where)"),
        (typer.Abort(), 130, "Interrupted."),
        (KeyboardInterrupt(), 130, "Interrupted."),
        (typer.Exit(7), 7, ""),
    ],
)
def test_errors_become_one_line_and_an_exit_code(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, line: str
) -> None:
    commands = typer.Typer()

    @commands.command()
    def fail() -> None:
        raise error

    with pytest.raises(SystemExit) as ended:
        run(commands, [])
    assert ended.value.code == code
    assert capsys.readouterr().err.strip() == line


def test_progress_goes_to_stderr_and_only_where_someone_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("Indexing") as on_progress:
        on_progress(1, 2)
    write_json({"title": "“Café”"})
    captured = capsys.readouterr()
    assert captured.out == '{"title": "“Café”"}\n'
    assert captured.err == ""


def test_program_runs_as_a_module_and_loads_neither_page_nor_provider(tmp_path: Path) -> None:
    code = (
        "import sys; from index.__main__ import app; from index.commands import run\n"
        "try:\n run(app, ['list'])\n"
        "finally:\n print([name for name in ('gradio', 'openai', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (2, "[]")
    assert "Nothing is indexed yet" in done.stderr


def test_public_names_are_those_promised() -> None:
    import index

    assert index.__all__ == sorted(index.__all__)
    for name in index.__all__:
        assert getattr(index, name).__name__ == name
    with pytest.raises(AttributeError, match="nonsense"):
        index.nonsense  # noqa: B018


def test_names_of_a_dump_are_given_with_map(index: Any, tmp_path: Path) -> None:
    (tmp_path / "d.jsonl").write_text('{"key": "k", "words": "The council met on Monday. It voted."}\n')
    said = index("add", str(tmp_path / "d.jsonl"), "--map", "text=words,id=key", "--json")
    assert (said.code, said.json()["added"]) == (0, ["d/k"])


def test_page_that_is_not_public_is_told_in_one_line(index: Any) -> None:
    said = index("add", "http://127.0.0.1:1/x", "--json")
    assert said.code == 2
    assert said.err.startswith("http://127.0.0.1:1/x: leads to a private, local or reserved address")
    assert said.err.count("\n") == 1


def test_watched_folder_is_followed_until_it_is_stopped(tmp_path: Path) -> None:
    """As a program of its own, stopped as a user stops it."""
    (tmp_path / "news").mkdir()
    (tmp_path / "news" / "a.txt").write_text("The council met on Monday. It voted.")
    command = [sys.executable, "-m", "index", "add", "--watch", str(tmp_path / "news"), "--json"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as following:
        assert following.stdout
        assert following.stderr
        try:
            assert json.loads(following.stdout.readline())["added"] == ["a"]
            (tmp_path / "news" / "b.txt").write_text("The opera opens on Friday. It is the first.")
            assert json.loads(following.stdout.readline())["added"] == ["b"]
            time.sleep(0.5)
            following.send_signal(signal.SIGINT)
            assert following.stderr.read().splitlines()[-1] == "Stopped."
            assert following.wait(30) == 0
        finally:
            following.kill()
