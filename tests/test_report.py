"""The report: it stands alone, shows every question, and nothing in it becomes markup."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from eval.plots import Row, curve_plot, histogram_plot, interval_plot
from eval.report import html_report, markdown_report, write_reports
from eval.report_questions import in_context, state_of
from eval.runs import Run
from eval.statistics import Interval
from tests.evaluation import made_up_run, result


class Page(HTMLParser):
    """What a page asks for, and whether its elements close."""

    VOID = frozenset({"meta", "input", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href", "action", "data"}]
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return made_up_run(tmp_path_factory.mktemp("report"))


def test_page_stands_alone(run: Run) -> None:
    text = html_report(run)
    page = Page(text)
    assert page.open == []
    assert not page.tags & {"script", "link", "img", "iframe", "object"}
    assert all(address.startswith("#q") for address in page.addresses)
    assert not re.search(r"url\(|@import|https?://", text)


def test_page_shows_every_question_with_answer_and_cited_words(run: Run) -> None:
    text = html_report(run)
    for question in run.questions:
        assert question.question.replace("'", "&#x27;") in text
    assert text.count("<details") == 4
    assert re.search(r"<mark>(<u>)?[^<]*250 soldiers", text)


def test_links_of_markers_lead_to_their_citations(run: Run) -> None:
    text = html_report(run)
    for target in re.findall(r'href="#(q\d+m\d+)"', text):
        assert text.count(f'id="{target}"') == 1


def test_identifiers_are_unique_and_every_filter_has_its_rule(run: Run) -> None:
    text = html_report(run)
    identifiers = re.findall(r'\bid="([^"]+)"', text)
    assert len(identifiers) == len(set(identifiers))
    for name in re.findall(r'id="((?:show-|cat)[^"]+)"', text):
        assert name in {"show-all", "cat-all"} or f"#{name}:checked" in text


def test_nothing_in_a_run_becomes_markup(run: Run) -> None:
    evil = "<script>alert(1)</script> & \"quotes\" 'too' $title"
    asked = run.questions[0]
    hostile = replace(
        run,
        questions=(replace(asked, question=evil, answer=evil, must_include=((evil,),)), *run.questions[1:]),
        answers={**run.answers, asked.id: replace(run.answers[asked.id], text=evil, sentences=(), citations=())},
        results=(replace(run.results[0], faults=(evil,), remarks=(evil,)), *run.results[1:]),
        info={**run.info, "model": evil, "machine": evil},
        articles={name: replace(article, title=evil) for name, article in run.articles.items()},
    )
    text = html_report(hostile)
    assert "<script" not in text
    assert Page(text).open == []


def test_context_marks_cited_words_and_evidence_where_they_overlap() -> None:
    text = "One two three four five."
    marked = in_context(text, 4, 13, [(4, 13, "mark"), (8, 18, "u")])
    assert marked == "One <mark>two </mark><mark><u>three</u></mark><u> four</u> five."


def test_context_of_a_long_article_is_cut_at_words() -> None:
    text = "word " * 200 + "cited" + " word" * 200
    marked = in_context(text, 1000, 1005, [(1000, 1005, "mark")])
    assert marked.startswith("… word ")
    assert marked.endswith(" word …")
    assert "<mark>cited</mark>" in marked
    assert len(marked) < 500


def test_state_of_a_question() -> None:
    assert state_of(result("a"))[0] == "passed"
    assert state_of(result("a", correct=False))[0] == "failed"
    assert state_of(result("a", correct=None))[0] == "unjudged"
    assert state_of(result("a", error="timed out"))[0] == "unscored"


def test_unscored_question_is_shown_as_such(run: Run) -> None:
    first = replace(run.results[0], error="The model <timed> out.", scores={}, faults=())
    lost = replace(
        run,
        results=(first, *run.results[1:]),
        answers={name: given for name, given in run.answers.items() if name != first.id},
    )
    text = html_report(lost)
    assert "Not scored: The model &lt;timed&gt; out." in text
    assert "1 unscored" in text
    assert f"- **{first.id}**" in markdown_report(lost)


def test_report_with_another_run_shows_the_comparison(run: Run, tmp_path: Path) -> None:
    worse = replace(run, folder=tmp_path / "worse", results=tuple(result(q.id, correct=False) for q in run.questions))
    page, text = write_reports(worse, baseline=run, folder=tmp_path / "out")
    shown = page.read_text(encoding="utf-8")
    assert f"Against {run.name}" in shown
    assert "No longer correct: " in shown
    assert f"## worse against {run.name}" in text.read_text(encoding="utf-8")
    assert Page(shown).open == []


def test_markdown_names_every_failure_and_every_figure(run: Run) -> None:
    failed = replace(
        run, results=(replace(run.results[0], scores={"correct_and_cited": (0.0, 1.0)}, faults=("Why.",)),)
    )
    failed = replace(failed, questions=run.questions[:1])
    text = markdown_report(failed)
    assert "- **soldiers** (single-fact): How many soldiers did the army send? Why." in text
    assert "| Correct and rightly cited (`correct_and_cited`) | 0.000 |" in text


def test_plots_hold_their_figures() -> None:
    rows = [Row("a <name>", Interval(0.5, 0.25, 0.75, 8))]
    plot = interval_plot(rows, title="t")
    assert "a &lt;name&gt;" in plot
    assert "0.500" in plot
    # The scale runs from 20 to 400: a half is at 210, a quarter at 115.
    assert 'cx="210.0"' in plot
    assert 'x1="115.0"' in plot
    assert 'class="zero"' not in plot
    differing = interval_plot([Row("a", Interval(0.2, 0.1, 0.3, 8), "worse")], title="t", low=-1, zero=True)
    assert '<g class="worse">' in differing
    assert "+0.200" in differing


def test_curve_and_histogram_take_any_values() -> None:
    assert 'points=""' in curve_plot([], title="t", x_name="x", y_name="y")
    assert curve_plot([(0.5, 0.0), (1.0, 1.0)], title="t", x_name="x", y_name="y").count(",") >= 2
    bars = histogram_plot([0.0, 1.0, 9.9, 10.0], title="t", x_name="ms", marks=[("median", 5.0)])
    assert bars.count('class="bar"') == 3
    assert histogram_plot([0.0], title="t", x_name="ms").count('class="bar"') == 1
