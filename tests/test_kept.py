import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from index.errors import QuestionSetError, UserError
from rag.coverage import Report
from rag.feedback import RecentAnswers
from rag.kept import MAX_KEPT_TURNS, from_kept, read_conversation, to_kept
from rag.page import restore
from rag.support import SentenceSupport
from tests.test_answers import ANSWER

DOUBT = SentenceSupport(0, 15, (1,), "partial", "Not quite.", matched=True)
REPORT = Report("south/talks", "Meeting", None, "b" * 32, 0, 12, "Six hours it was.")
WHOLE = replace(ANSWER, sentences=(DOUBT,), notice="Short.", coverage=replace(ANSWER.coverage, reports=(REPORT,)))


def through_the_browser(data: Any) -> Any:
    return json.loads(json.dumps(data))


def test_an_answer_comes_back_as_it_was() -> None:
    back = from_kept(through_the_browser(to_kept(WHOLE)))
    assert to_kept(back) == to_kept(WHOLE)
    assert back.sentences == (DOUBT,)
    assert back.coverage.reports == (REPORT,)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data["citations"][0].update(passage_id=') <b>"'),
        lambda data: data["citations"][0].update(title={"a": 1}, source={"b": 2}),
        lambda data: data["passages"][0].update(passage_id="../etc"),
        lambda data: data["coverage"]["differences"][0]["values"][0].update(passage_id="x"),
        lambda data: data["coverage"]["differences"][0]["values"][0].update(start="0) <b>"),
        lambda data: data["reports"][0].update(passage_id="javascript:1"),
        lambda data: data["reports"][0].update(end=-1),
        lambda data: data["reports"][0].update(title=["x"]),
        lambda data: data["sentences"][0].update(support="<b>"),
        lambda data: data["sentences"][0].update(start=None),
        lambda data: data["sentences"][0].update(unknown=1),
        lambda data: data.update(sentences=data["sentences"] * 500),
        lambda data: data.update(text="x" * 30_000),
        lambda data: data.update(sentences=5),
        lambda data: data.pop("citations"),
    ],
)
def test_what_no_answer_has_is_refused(spoil: Callable[[Any], Any]) -> None:
    data = through_the_browser(to_kept(WHOLE))
    spoil(data)
    with pytest.raises(QuestionSetError, match="Not an answer of Byline"):
        from_kept(data)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{]",
        "[]",
        "{}",
        '{"turns": [{"question": ""}]}',
        '{"turns": [{"question": "q", "answer_id": "<b>"}]}',
        json.dumps({"turns": [{"question": "q"}] * (MAX_KEPT_TURNS + 1)}),
        json.dumps({"turns": [{"question": "q" * 900_000}]}),
    ],
)
def test_no_conversation_is_one_readable_line(text: str) -> None:
    with pytest.raises(UserError, match=r"^This conversation [^\n]+\.$"):
        read_conversation(text)


def test_an_answer_that_is_still_known_is_drawn_as_it_was_given_and_can_be_rated() -> None:
    answers = RecentAnswers()
    answer_id = answers.keep(WHOLE)
    forged = through_the_browser(to_kept(replace(WHOLE, text="Forged [1].")))
    turns = [
        {"question": "How <long>?", "answer": forged, "answer_id": answer_id},
        {"question": "How?", "answer": forged, "answer_id": "unknown"},
        {"question": "Slow?", "text": "<b>half"},
    ]
    shown = [message["content"] for message in restore(answers, json.dumps({"turns": turns}))]
    assert shown[0] == "How &#60;long&#62;?"
    assert "Five hours" in shown[1]
    assert f"#f-{answer_id}-up" in shown[1]
    assert "Forged" in shown[3]
    assert "#f-" not in shown[3]
    assert 'id="byline-answer-unknown"' in shown[3]
    assert shown[5].startswith("&#60;b&#62;half\n\n<span")
