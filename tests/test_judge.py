"""The judge: grades are read strictly, what cannot be read is unscored, and agreement is told."""

from dataclasses import replace
from pathlib import Path

import pytest

from eval.judge import Grade, agreements, judge_run, read_grade, with_grades
from eval.runs import read_run
from index.errors import ModelError
from tests.evaluation import json_lines, made_up_run, result
from tests.fakes import ScriptedLLM


@pytest.mark.parametrize(
    ("reply", "grade"),
    [
        ('{"reason": "same", "grade": "correct"}', "correct"),
        ('```json\n{"reason": "same", "grade": "Correct "}\n```', "correct"),
        ('First I thought {"grade": "incorrect"}, but: {"reason": "it says so", "grade": "partly"}', "partly"),
        ('{"reason": "a brace { in words", "grade": "incorrect"}', "incorrect"),
        ('{"grade": "correct"} The rest {"note": "x"}', "correct"),
        ("The answer is correct.", None),
        ('{"grade": "yes"}', None),
        ('{"grade": null}', None),
        ('{"reason": "cut off", "gra', None),
        ("", None),
    ],
)
def test_only_a_known_grade_in_json_counts(reply: str, grade: str | None) -> None:
    read, reason = read_grade(reply, "correctness")
    assert read == grade
    if grade is None:
        assert reason == reply.strip()


def test_deep_nonsense_is_unscored() -> None:
    assert read_grade('{"a":' * 5000, "correctness")[0] is None


def test_grades_of_the_other_kind_do_not_count() -> None:
    assert read_grade('{"grade": "faithful"}', "correctness")[0] is None
    assert read_grade('{"grade": "faithful", "reason": "r"}', "faithfulness") == ("faithful", "r")


def test_unreadable_grade_is_neither_right_nor_wrong() -> None:
    graded = with_grades(
        [result("a"), result("b")],
        [Grade("a", "correctness", "partly", ""), Grade("b", "correctness", None, "I like it.")],
    )
    assert graded[0].scores["judged_correct"] == (0.5, 1.0)
    assert "judged_correct" not in graded[1].scores


def test_new_grades_take_the_place_of_old_ones() -> None:
    once = with_grades([result("a")], [Grade("a", "correctness", "correct", "")])
    assert "judged_correct" not in with_grades(once, [])[0].scores


def test_agreement_is_kappa_of_full_marks_with_correct() -> None:
    # Judge: yes yes yes no; counted: yes yes no no. Alike 3/4; expected 3/4 * 1/2 + 1/4 * 1/2 = 1/2; kappa 1/2.
    results = [result(name, correct=name in "ab") for name in "abcd"]
    grades = [Grade(name, "correctness", "incorrect" if name == "d" else "correct", "") for name in "abcd"]
    agreement = agreements(with_grades(results, grades))[0]
    assert (agreement.kind, agreement.count, agreement.share, agreement.kappa) == ("correctness", 4, 0.75, 0.5)


def test_run_is_judged_and_a_stopped_judge_goes_on(tmp_path: Path) -> None:
    run = made_up_run(tmp_path)
    given = [asked for asked in run.questions if not run.answers[asked.id].refused]
    calls = sum(asked.answerable + bool(run.answers[asked.id].citations) for asked in given)
    assert calls == 6
    judge = ScriptedLLM()
    judge.enqueue('{"reason": "r", "grade": "correct"}')
    judge.enqueue("I cannot say.")
    judge.enqueue(ConnectionError("gone"))
    with pytest.raises(ModelError):
        judge_run(run, judge, label="tests/judge", concurrency=1)
    assert [row["grade"] for row in json_lines(run.folder / "judge.jsonl")] == ["correct", None]
    asked_before = len(judge.history)

    for _ in range(calls - 1):  # all but the one that could be read
        judge.enqueue('{"reason": "r", "grade": "partly"}')
    summary = judge_run(run, judge, label="tests/judge", concurrency=1)
    assert len(judge.history) - asked_before == calls - 1
    assert (summary["graded"], summary["unscored"]) == (calls, 0)
    again = read_run(run.folder)
    assert again.info["judge"] == summary
    assert again.info["figures"]["all"]["metrics"]["judged_correct"]["count"] == sum(one.answerable for one in given)


def test_judge_sees_question_reference_answer_and_sources_as_data(tmp_path: Path) -> None:
    run = made_up_run(tmp_path)
    only = replace(run, questions=run.questions[:1])
    judge = ScriptedLLM()
    judge.enqueue('{"reason": "r", "grade": "correct"}')
    judge.enqueue('{"reason": "r", "grade": "faithful"}')
    judge_run(only, judge, label="tests/judge", concurrency=1)
    correctness, faithfulness = (messages[0].content or "" for messages in judge.history)
    assert "How many soldiers did the army send?" in correctness
    assert "250 soldiers." in correctness
    assert "The army sent 250 soldiers and 12 boats." in faithfulness
    assert "Flood in Tavlin" in faithfulness
