"""`python -m eval` as it is typed: what it prints, what it writes, with which code it ends."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer

import eval as package
from eval.__main__ import app
from index.commands import run as run_command
from index.settings import Settings
from rag.feedback import add_feedback
from tests.evaluation import answer, json_lines, made_up_run, make_run, passage, write_set

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _hashed_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BYLINE_LLM", "none")
    monkeypatch.setenv("BYLINE_EMBEDDING", "tests.fakes.HashingEmbedding")


def call(*arguments: object) -> int:
    """Run the command; returns its exit code."""
    with pytest.raises(SystemExit) as ended:
        run_command(app, [str(argument) for argument in arguments])
    return int(ended.value.code or 0)


def called_json(captured: Captured, *arguments: object) -> dict[str, Any]:
    """Run the command with --json; returns the one object on stdout."""
    assert call(*arguments, "--json") == 0
    out = captured.readouterr().out
    assert out.count("\n") == 1
    value: dict[str, Any] = json.loads(out)
    return value


def test_run_prints_figures_and_writes_a_report(tmp_path: Path, capsys: Captured) -> None:
    questions, articles = write_set(tmp_path)
    assert call("run", "--questions", questions, "--articles", articles, "--out", tmp_path / "run") == 0
    printed = capsys.readouterr().out
    assert "4 questions, 0 unscored; model none" in printed
    assert "Correct" in printed
    assert (tmp_path / "run" / "report.html").exists()
    assert (tmp_path / "run" / "report.md").exists()


def test_runs_go_to_the_home_and_are_listed(tmp_path: Path, capsys: Captured) -> None:
    questions, articles = write_set(tmp_path)
    done = called_json(capsys, "run", "--questions", questions, "--articles", articles, "--limit", 2)
    assert done["questions"] == 2
    assert Path(done["folder"]).parent == tmp_path / "home" / "runs"
    listed = called_json(capsys, "list")["runs"]
    assert [run["folder"] for run in listed] == [done["folder"]]


def test_run_ends_with_one_where_it_fails_its_gate(tmp_path: Path, capsys: Captured) -> None:
    questions, articles = write_set(tmp_path)
    named = ["--questions", questions, "--articles", articles]
    assert call("run", *named, "--out", tmp_path / "run", "--fail-under", "correct=1.1", "--json") == 1
    captured = capsys.readouterr()
    assert "at least 1.1 is asked for" in captured.err
    assert len(json.loads(captured.out)["failures"]) == 1


def test_threshold_with_a_wrong_name_stops_before_the_run(tmp_path: Path, capsys: Captured) -> None:
    assert call("run", "--out", tmp_path / "run", "--fail-under", "corect=1") == 2
    assert "names no metric" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_check_tells_mistakes_with_their_lines(tmp_path: Path, capsys: Captured) -> None:
    questions, articles = write_set(tmp_path)
    assert call("check", questions, "--articles", articles) == 0
    assert "no mistakes found" in capsys.readouterr().out
    rows = json_lines(questions)
    rows[1]["evidence"][0]["quote"] = "Never said."
    questions.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    assert call("check", questions, "--articles", articles) == 1
    assert f"{questions}:2: rise: the quote is not in the text" in capsys.readouterr().out


def test_compare_prints_a_table_and_writes_reports(tmp_path: Path, capsys: Captured) -> None:
    one, two = make_run(tmp_path, name="one"), make_run(tmp_path, name="two", top_k=3)
    compared = called_json(capsys, "compare", one.folder, two.folder)["comparisons"][0]
    assert (compared["first"], compared["second"], compared["questions"]) == ("one", "two", 4)
    assert compared["settings"] == {"settings.top_k": [8, 3]}
    assert call("compare", one.folder, two.folder, "--out", tmp_path / "reports") == 0
    assert "| Correct |" in capsys.readouterr().out
    assert "Against one" in (tmp_path / "reports" / "two" / "report.html").read_text(encoding="utf-8")


def test_compare_needs_two_finished_runs(tmp_path: Path, capsys: Captured) -> None:
    assert call("compare", tmp_path) == 2
    assert "Name two runs" in capsys.readouterr().err
    assert call("compare", tmp_path, tmp_path) == 2
    assert "is no evaluation run" in capsys.readouterr().err


def test_gate_holds_a_run_to_another(tmp_path: Path, capsys: Captured) -> None:
    run = make_run(tmp_path)
    assert call("gate", run.folder, "--no-worse-than", run.folder) == 0
    assert "run passes." in capsys.readouterr().out
    assert call("gate", run.folder, "--fail-under", "ndcg@10=1.5") == 1
    assert "nDCG@10" in capsys.readouterr().err
    assert call("gate", run.folder) == 2


def test_matrix_runs_each_setting_and_compares_with_the_first(tmp_path: Path, capsys: Captured) -> None:
    write_set(tmp_path)
    file = tmp_path / "matrix.toml"
    file.write_text(
        'questions = "questions.jsonl"\narticles = "articles"\n'
        '[settings]\nembedding = "tests.fakes.HashingEmbedding"\n[runs.eight]\n[runs.three]\ntop_k = 3\n'
    )
    compared = called_json(capsys, "matrix", file, "--out", tmp_path / "runs")["comparisons"]
    assert [(one["first"], one["second"]) for one in compared] == [("eight", "three")]
    # What is finished is not run again.
    before = (tmp_path / "runs" / "three" / "run.json").read_bytes()
    assert call("matrix", file, "--out", tmp_path / "runs") == 0
    assert (tmp_path / "runs" / "three" / "run.json").read_bytes() == before


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[runs.a]\ntopk = 3\n", "there is no setting 'topk'"),
        ("[runs.a]\ntop_k = 3000\n", "top_k"),
        ('[runs.a]\nllm_api_key = "x"\n', "is a secret"),
        ('[runs."../a"]\n', "letters, digits"),
        ("[run.a]\n", "unknown run"),
        ("questions = 1\n", "at least one run"),
        ("no toml", "Cannot read the matrix"),
    ],
)
def test_matrix_that_cannot_be_used_says_why(tmp_path: Path, capsys: Captured, text: str, complaint: str) -> None:
    file = tmp_path / "matrix.toml"
    file.write_text(text)
    assert call("matrix", file, "--out", tmp_path / "runs") == 2
    assert complaint in capsys.readouterr().err


def test_judge_needs_a_model(tmp_path: Path, capsys: Captured) -> None:
    assert call("judge", make_run(tmp_path).folder) == 2
    assert "set BYLINE_LLM" in capsys.readouterr().err


def test_report_is_written_again(tmp_path: Path, capsys: Captured) -> None:
    run = make_run(tmp_path)
    assert call("report", run.folder, "--baseline", run.folder, "--out", tmp_path / "again") == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / "again" / f"report.{end}") for end in ("html", "md")]


def test_export_has_the_columns_others_read(tmp_path: Path, capsys: Captured) -> None:
    assert call("export", made_up_run(tmp_path).folder) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert set(rows[0]) == {"id", "category", "question", "contexts", "answer", "ground_truth"}
    assert rows[0]["answer"] == "“The army sent 250 soldiers and 12 boats.”"
    assert rows[0]["contexts"] == ["The army sent 250 soldiers and 12 boats."]
    assert rows[0]["ground_truth"] == "250 soldiers."


def test_feedback_becomes_drafts_that_check_calls_unfinished(
    tmp_path: Path, settings: Settings, capsys: Captured
) -> None:
    given = answer("It sent 250 soldiers [1].", (1, passage("p", "flood", 20, 60), "supported"))
    add_feedback(given, "up", settings=settings)
    out = tmp_path / "drafts.jsonl"
    assert call("from-feedback", "--out", out) == 0
    assert "1 drafts" in capsys.readouterr().err
    _, articles = write_set(tmp_path)
    assert call("check", out, "--articles", articles) == 1
    assert "unknown review" in capsys.readouterr().out
    assert call("from-feedback", "--out", out) == 2


def test_feedback_that_is_not_there_is_said(capsys: Captured) -> None:
    assert call("from-feedback") == 2
    assert "No feedback in" in capsys.readouterr().err


def test_retrieval_prints_the_four_retrievers(tmp_path: Path, capsys: Captured) -> None:
    folder = write_beir(tmp_path)
    result = called_json(capsys, "retrieval", folder)["sets"][0]
    assert list(result["systems"]) == ["bm25", "dense", "plain fusion", "byline"]
    assert (result["queries"], result["left_out"]) == (2, 1)
    assert call("retrieval", folder, "--limit", 1) == 0
    assert "| *byline less bm25* |" in capsys.readouterr().out
    assert call("retrieval", folder, "--sample", 1) == 0
    assert "1 of 2, a fixed part, queries" in capsys.readouterr().out
    assert call("retrieval", tmp_path / "nothing") == 2


def test_scale_times_a_search_at_each_size(capsys: Captured) -> None:
    small, large = called_json(capsys, "scale", 20, 200)["sizes"]
    assert 20 <= small["passages"] < 200 <= large["passages"]
    assert small["articles"] < large["articles"]
    assert 0 < large["search_ms"] <= large["search_p95_ms"]
    assert large["ratio"] == pytest.approx(large["search_ms"] / large["bare_ms"], abs=0.05)
    assert call("scale", 20) == 0
    assert capsys.readouterr().out.startswith("| passages | articles |")


def test_metrics_are_listed_with_their_sources(capsys: Captured) -> None:
    assert call("metrics") == 0
    printed = capsys.readouterr().out
    assert "ALCE" in printed
    assert "ndcg@10" in printed


def test_support_check_is_measured(tmp_path: Path, capsys: Captured) -> None:
    marked = called_json(capsys, "support")["marked"]
    assert set(marked["seeds, false"]) == {"value", "low", "high", "count"}
    assert marked["seeds, false"]["value"] > marked["seeds, true"]["value"]


def test_every_public_name_is_there() -> None:
    for name in package.__all__:
        assert getattr(package, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = package.nothing


def test_every_command_says_what_it_does() -> None:
    commands = typer.main.get_group(app).commands
    assert all(command.help for command in commands.values())


def write_beir(tmp_path: Path) -> Path:
    """A BEIR folder of two documents and three queries, one of them without an answer."""
    folder = tmp_path / "beir"
    folder.mkdir()
    documents = [
        {"id": "flood", "title": "Flood", "text": "The army sent 250 soldiers and 12 boats to Tavlin."},
        {"id": "strike", "title": "Strike", "text": "Dockers at Eastport will stop work on 12 March."},
    ]
    queries = [
        {"id": "1", "question": "How many soldiers?", "type": "a"},
        {"id": "2", "question": "When do dockers stop work?", "type": "b"},
        {"id": "3", "question": "Who won?", "answerable": False},
    ]
    for name, rows in (("corpus", documents), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    (folder / "qrels.tsv").write_text("query_id\tdoc_id\trelevance\n1\tflood\t1\n2\tstrike\t1\n")
    return folder
