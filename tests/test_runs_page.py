"""The page of runs: what it lists, what it opens, and that it opens nothing else."""

import json
import re
import shutil
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from eval.report import write_reports
from eval.runs_page import runs_router
from rag.shield import Shield
from tests.evaluation import make_run


def client(*folders: Path) -> TestClient:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(runs_router(folders))
    app.add_middleware(Shield, local_only=True)
    return TestClient(app, base_url="http://127.0.0.1:7860")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two finished runs, one with its report, and a folder that is none."""
    folder = tmp_path_factory.mktemp("of runs") / "runs"
    made = make_run(folder.parent / "made", name="first")
    write_reports(made)
    shutil.copytree(made.folder, folder / "first")
    shutil.copytree(made.folder, folder / "second <b>", ignore=shutil.ignore_patterns("report.*"))
    info = json.loads((folder / "second <b>" / "run.json").read_text())
    info |= {"finished": "2999-01-01T00:00:00+00:00", "model": "<i>model</i>"}
    (folder / "second <b>" / "run.json").write_text(json.dumps(info))
    (folder / "third").mkdir()
    (folder / "third" / "report.html").write_text("not a run")
    return folder


def test_runs_are_listed_newest_first_with_their_figures(runs: Path) -> None:
    page = client(runs).get("/evaluation").text
    assert page.index("second &lt;b&gt;") < page.index(">first<")
    assert "&lt;i&gt;model&lt;/i&gt;" in page
    assert "third" not in page
    assert re.search(r"questions of set [0-9a-f]{8}<", page)
    assert "<dt>Latency, median</dt><dd>Time to the whole answer, median. Smaller is better.</dd>" in page
    assert re.search(r'<td class="n" data-head="Correct">\d\.\d\d <span>\(\d\.\d\d–\d\.\d\d\)</span></td>', page)


def test_a_run_opens_its_report_which_can_do_nothing_but_be_read(runs: Path) -> None:
    web = client(runs)
    link = re.search(r'<a href="(evaluation/0/first)">', web.get("/evaluation").text)
    assert link is not None
    report = web.get(f"/{link[1]}")
    assert "Byline evaluation" in report.text
    policy = report.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script" not in policy


def test_a_script_in_a_report_gets_no_nonce(runs: Path) -> None:
    report = runs / "first" / "report.html"
    before = report.read_text(encoding="utf-8")
    report.write_text("<script>alert(1)</script>", encoding="utf-8")
    try:
        assert client(runs).get("/evaluation/0/first").text == "<script>alert(1)</script>"
    finally:
        report.write_text(before, encoding="utf-8")


@pytest.mark.parametrize(
    "address",
    [
        "0/third",
        "0/none",
        "1/first",
        "-1/first",
        "0/second%20%3Cb%3E",
        "0/%2e%2e",
        "0/..%2ffirst",
        "0/first%2f..%2fthird",
        "0/first%00",
        "x/first",
    ],
)
def test_nothing_but_the_report_of_a_listed_run_is_served(runs: Path, address: str) -> None:
    assert client(runs).get(f"/evaluation/{address}").status_code in {404, 422}


def test_no_runs_are_a_page_that_says_how_to_make_one(tmp_path: Path) -> None:
    page = client(tmp_path / "nowhere", tmp_path)
    assert "python -m eval run" in page.get("/evaluation").text


def test_the_same_folder_given_twice_is_listed_once(runs: Path) -> None:
    assert client(runs, runs / ".." / runs.name).get("/evaluation").text.count(">first<") == 1
