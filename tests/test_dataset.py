import json
from pathlib import Path
from typing import Any

import pytest

from eval.dataset import Evidence, Question, check_questions, read_questions, write_questions
from index.articles import Article
from index.errors import QuestionSetError
from rag.conversation import Turn

ARTICLES = [
    Article("flood", "Flood", None, None, None, "Two people died.\nThe bridge is closed. The bridge is closed.", ""),
    Article("strike", "Strike", None, None, None, "Dockers want 9 percent.", ""),
]


def row(**fields: Any) -> dict[str, Any]:
    return {
        "id": "deaths",
        "category": "single-fact",
        "question": "How many died?",
        "history": [],
        "answer": "Two people died.",
        "answerable": True,
        "evidence": [{"article": "flood", "quote": "Two people died."}],
        "must_include": [["two", "a couple"]],
        "must_not_include": ["three"],
        "must_cite": [["flood"]],
    } | fields


def write(path: Path, *rows: dict[str, Any] | str) -> Path:
    lines = [line if isinstance(line, str) else json.dumps(line) for line in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def check(tmp_path: Path, *rows: dict[str, Any] | str) -> list[str]:
    path = write(tmp_path / "set.jsonl", *rows)
    return [problem.removeprefix(f"{path}:") for problem in check_questions(path, ARTICLES)]


def test_a_question_is_read_with_all_its_fields(tmp_path: Path) -> None:
    history = [{"role": "user", "content": "What happened?"}, {"role": "assistant", "content": "A flood."}]
    assert read_questions(write(tmp_path / "set.jsonl", row(history=history))) == [
        Question(
            id="deaths",
            category="single-fact",
            question="How many died?",
            history=(Turn("user", "What happened?"), Turn("assistant", "A flood.")),
            answer="Two people died.",
            answerable=True,
            evidence=(Evidence("flood", "Two people died."),),
            must_include=(("two", "a couple"),),
            must_not_include=("three",),
            must_cite=(("flood",),),
        )
    ]


def test_optional_fields_may_be_left_out(tmp_path: Path) -> None:
    short = {name: value for name, value in row().items() if name not in {"history", "must_not_include", "must_cite"}}
    read = read_questions(write(tmp_path / "set.jsonl", short))[0]
    assert (read.history, read.must_not_include, read.must_cite) == ((), (), ())


def test_what_is_written_is_read_back_the_same(tmp_path: Path) -> None:
    history = [{"role": "user", "content": "What happened?"}, {"role": "assistant", "content": "A flood."}]
    rows = [row(history=history), row(id="größe", answer="“Zwei”\u2028Personen", must_include=[], history=[])]
    questions = read_questions(write(tmp_path / "a.jsonl", *rows))
    write_questions(tmp_path / "b.jsonl", questions)
    assert read_questions(tmp_path / "b.jsonl") == questions


def test_blank_lines_and_a_byte_order_mark_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text("\ufeff\n" + json.dumps(row()) + "\r\n\n", encoding="utf-8")
    assert len(read_questions(path)) == 1


BROKEN: list[tuple[dict[str, Any] | str, str]] = [
    ('{"id": ', "not JSON at column"),
    ("[1]", "not a JSON object"),
    ({"id": "x"}, "fields: missing category, question, answer, answerable, evidence, must_include"),
    (row(musst_include=[]), "fields: unknown musst_include"),
    (row(id=""), "id is empty"),
    (row(question=" "), "question is empty"),
    (row(id=7), "id must be a string, not 7"),
    (row(answerable="yes"), "answerable must be true or false"),
    (row(evidence={}), "evidence must be a list, not {}"),
    (row(evidence=["flood"]), 'evidence must be {"article": ..., "quote": ...}, not "flood"'),
    (row(evidence=[{"article": "flood", "quote": ""}]), "quote of evidence is empty"),
    (row(must_include=["two"]), 'a group of must_include must be a list, not "two"'),
    (row(must_not_include=[3]), "what must_not_include holds must be a string, not 3"),
    (row(history=[{"role": "system", "content": "x"}]), 'role must be user or assistant, not "system"'),
    (row(history=[{"role": "user"}]), 'a turn of history must be {"role": ..., "content": ...}'),
]


@pytest.mark.parametrize(("line", "what"), BROKEN, ids=[what for _, what in BROKEN])
def test_a_line_that_is_no_question_is_named_by_reader_and_linter(
    line: dict[str, Any] | str, what: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "set.jsonl", row(), line)
    with pytest.raises(QuestionSetError) as raised:
        read_questions(path)
    assert str(raised.value).startswith(f"{path}:2: {what}")
    problems = check_questions(path, ARTICLES)
    assert len(problems) == 1
    assert problems[0].startswith(f"{path}:2: {what}")


MISTAKES: list[tuple[dict[str, Any], str]] = [
    (row(evidence=[], must_cite=[]), "answerable, but no evidence"),
    (row(answer="", must_include=[["two"]]), "answerable, but the answer is empty"),
    (row(must_include=[]), "answerable, but must_include is empty: any answer would pass"),
    (row(answerable=False, must_cite=[]), "not answerable, but it has evidence or must_cite"),
    (row(evidence=[{"article": "fire", "quote": "x"}], must_cite=[]), "evidence from an unknown article 'fire'"),
    (row(evidence=[{"article": "flood", "quote": "Two people drowned."}]), "the quote is not in the text of flood: "),
    (row(evidence=[{"article": "flood", "quote": "The bridge is closed."}]), "the quote is more than once in flood: "),
    (row(evidence=[{"article": "flood", "quote": "died.\nThe"}]), "the quote spans paragraphs; make it two: "),
    (row(must_cite=[[]]), "must_cite has an empty group"),
    (row(must_cite=[["fire"]]), "must_cite names an unknown article 'fire'"),
    (row(must_cite=[["strike"]]), "must_cite names strike, of which there is no evidence"),
    (row(must_include=[["two"], []]), "must_include has an empty group"),
    (row(must_include=[["twelve", "dozen"]]), "the answer mentions none of the must_include group ['twelve', 'dozen']"),
    (row(must_not_include=["people"]), "the answer mentions 'people' of must_not_include"),
    (row(must_not_include=["[1]"]), "the phrase '[1]' has no words to look for"),
    (row(history=[{"role": "assistant", "content": "Hello."}]), "history must go user, assistant, user, ..."),
    (row(history=[{"role": "user", "content": "Hello."}]), "history must end with the assistant's turn"),
]


@pytest.mark.parametrize(("line", "what"), MISTAKES, ids=[what for _, what in MISTAKES])
def test_linter_names_the_mistake_and_only_that(line: dict[str, Any], what: str, tmp_path: Path) -> None:
    problems = check(tmp_path, row(id="fine", question="Another?"), line)
    assert len(problems) == 1
    assert problems[0].startswith(f"2: deaths: {what}")


def test_linter_is_silent_about_a_good_set(tmp_path: Path) -> None:
    refused = row(id="cause", question="Why?", answerable=False, answer="", evidence=[], must_include=[], must_cite=[])
    corrected = refused | {"id": "fire", "question": "When was the fire?", "must_include": [["flood"]]}
    assert check(tmp_path, row(), refused, corrected) == []


def test_linter_goes_on_after_a_mistake(tmp_path: Path) -> None:
    problems = check(tmp_path, "{", row(evidence=[], must_cite=[]), row())
    assert [problem.split(":")[0] for problem in problems] == ["1", "2", "3", "3"]
    assert "the id is taken by line 2" in problems[2]


def test_linter_finds_a_question_asked_twice(tmp_path: Path) -> None:
    problems = check(tmp_path, row(), row(id="again", question="how many DIED"))
    assert problems == ["2: again: the same question is on line 1"]


def test_same_words_after_another_turn_are_another_question(tmp_path: Path) -> None:
    history = [{"role": "user", "content": "And in the fire?"}, {"role": "assistant", "content": "None."}]
    assert check(tmp_path, row(), row(id="again", history=history)) == []


def test_an_id_used_twice_stops_the_reader(tmp_path: Path) -> None:
    path = write(tmp_path / "set.jsonl", row(), row())
    with pytest.raises(QuestionSetError, match=r":2: the id 'deaths' is taken by line 1"):
        read_questions(path)


def test_a_set_without_questions_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "set.jsonl", "")
    with pytest.raises(QuestionSetError, match="holds no questions"):
        read_questions(path)
    assert check_questions(path, ARTICLES) == [f"{path}:1: no questions"]


@pytest.mark.parametrize("read", [read_questions, lambda path: check_questions(path, ARTICLES)])
def test_a_file_that_cannot_be_read_is_an_error_of_one_line(read: Any, tmp_path: Path) -> None:
    with pytest.raises(QuestionSetError, match=r"Cannot read the question set .*none\.jsonl: No such file"):
        read(tmp_path / "none.jsonl")
    (tmp_path / "latin.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(QuestionSetError, match="not UTF-8"):
        read(tmp_path / "latin.jsonl")
