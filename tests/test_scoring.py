"""Scoring: one answer against its question, each verdict with its fault in words."""

from dataclasses import replace
from typing import Any

import pytest

from eval.coverage_metrics import coverage_parts, difference_parts, differences_asked_for, origins_right
from eval.dataset import Evidence, Question
from eval.places import Place
from eval.scoring import Gold, cited_sentences, find_gold, gold_json, read_gold, score_answer
from rag.support import SentenceSupport
from tests.evaluation import FLOOD, answer, passage, question

SOLDIERS = passage("p2", "flood", 20, 60)
DROWNED = passage("p1", "flood", 0, 20)
ELSEWHERE = passage("p9", "strike", 0, 20)
UNANSWERABLE: dict[str, Any] = {
    "answerable": False, "evidence": (), "must_include": (), "must_not_include": (), "must_cite": ()
}  # fmt: skip


def gold(asked: Question) -> Gold:
    places = {"flood": [("p1", Place("flood", 0, 20)), ("p2", Place("flood", 20, 60)), ("p3", Place("flood", 60, 103))]}
    return find_gold(asked, {"flood": FLOOD}, places)


def test_right_answer_with_the_right_source_has_no_fault() -> None:
    asked = question("q")
    scored = score_answer(asked, answer("The army sent 250 soldiers [1].", (1, SOLDIERS, "supported")), gold(asked))
    expected = {"correct": 1, "correct_and_cited": 1, "must_include": 1, "must_cite": 1, "evidence_recall": 1,
                "support_recall": 1, "support_precision": 1, "ndcg@10": 1, "all_evidence@10": 1}  # fmt: skip
    assert {name: scored.scores[name] for name in expected} == {name: (float(v), 1.0) for name, v in expected.items()}
    assert scored.scores["wrong_source"] == (0.0, 1.0)
    assert scored.scores["evidence_density"] == (40.0, 40.0)
    assert (scored.faults, scored.remarks, scored.correct) == ((), (), True)
    assert (scored.confidence, scored.latency_ms) == (0.9, 12)


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (answer("The army sent help [1].", (1, SOLDIERS, "supported")), "Does not say “250”."),
        (
            answer("The army sent 250, no, 300 soldiers [1].", (1, SOLDIERS, "supported")),
            "Says what is wrong here: “300 soldiers”.",
        ),
        (answer("The articles do not say.", refused=True), "Refused, though the articles answer it."),
    ],
)
def test_wrong_answer_says_why(given: Any, fault: str) -> None:
    asked = question("q")
    scored = score_answer(asked, given, gold(asked))
    assert scored.correct is False
    assert scored.scores["correct_and_cited"] == (0.0, 1.0)
    assert scored.faults[0] == fault


def test_right_words_from_the_wrong_article_are_correct_but_not_rightly_cited() -> None:
    asked = question("q")
    scored = score_answer(asked, answer("It sent 250 soldiers [1].", (1, ELSEWHERE, "supported")), gold(asked))
    assert scored.correct is True
    assert scored.scores["correct_and_cited"] == (0.0, 1.0)
    assert scored.scores["wrong_source"] == (1.0, 1.0)
    assert scored.faults == ("Does not cite “flood”.", "Cites strike, which holds no evidence.")


def test_right_words_without_a_citation_are_not_rightly_cited() -> None:
    asked = question("q", must_cite=())
    scored = score_answer(asked, answer("It sent 250 soldiers."), gold(asked))
    assert scored.faults == ("Cites nothing.",)
    assert scored.scores["support_recall"] == (0.0, 1.0)
    assert scored.scores["support_precision"] == (0.0, 1.0)


def test_refusing_what_cannot_be_answered_is_correct() -> None:
    scored = score_answer(question("q", **UNANSWERABLE), answer("The articles do not say.", refused=True), Gold())
    assert scored.correct is True
    assert scored.confidence is None
    assert scored.scores["refusal_f1"] == (2.0, 2.0)
    assert "ndcg@10" not in scored.scores
    assert "support_recall" not in scored.scores


def test_answering_what_cannot_be_answered_is_wrong_and_so_is_every_source() -> None:
    given = answer("It sent 250 soldiers [1].", (1, SOLDIERS, "supported"))
    scored = score_answer(question("q", **UNANSWERABLE), given, Gold())
    assert scored.correct is False
    assert scored.faults == ("Answered, though the articles do not say.",)
    assert scored.scores["wrong_source"] == (1.0, 1.0)
    assert scored.scores["refusal_recall"] == (0.0, 1.0)


def test_putting_a_false_premise_right_is_correct_and_no_refusal() -> None:
    asked = question("q", **(UNANSWERABLE | {"must_include": (("250",),)}))
    given = answer("Not 300, it was 250 soldiers [1].", (1, SOLDIERS, "supported"))
    scored = score_answer(asked, given, Gold())
    assert scored.correct is True
    assert not {"refusal_f1", "refusal_recall", "wrong_source"} & set(scored.scores)


def test_answer_nobody_can_call_right_is_not_judged() -> None:
    asked = question("q", must_include=())
    scored = score_answer(asked, answer("Something [1].", (1, SOLDIERS, "supported")), gold(asked))
    assert scored.correct is None
    assert "correct" not in scored.scores


def test_remarks_name_what_is_worth_a_look() -> None:
    asked = question("q")
    given = answer(
        "It sent 250 soldiers [1][9].",
        (1, DROWNED, "unsupported"),
        unresolved_markers=(9,),
        notice="The model stopped.",
    )
    given = replace(given, sentences=(SentenceSupport(0, len(given.text), (1,), "unsupported", "no number 250"),))
    scored = score_answer(asked, given, gold(asked))
    assert scored.remarks == (
        "Not everything needed is among the 1 passages found.",
        "A citation to marked evidence is missing; it may still be right.",
        "The marker [9] names no source.",
        "Unsupported: It sent 250 soldiers [1][9]. (no number 250)",
        "The model stopped.",
    )
    assert scored.scores["unresolved_markers"] == (1.0, 2.0)


def test_sentences_that_claim_nothing_need_no_citation() -> None:
    text = "The articles do not say who paid."
    given = replace(answer(text), sentences=(SentenceSupport(0, len(text), (), "supported"),))
    assert cited_sentences(given) == []


def test_evidence_of_any_article_of_a_group_meets_it() -> None:
    evidence = (
        Evidence("flood", "The army sent 250 soldiers and 12 boats."),
        Evidence("copy", "250 soldiers"),
        Evidence("flood", "Six people drowned."),
    )
    asked = question("q", evidence=evidence, must_cite=(("flood", "copy"),))
    found = find_gold(asked, {"flood": FLOOD, "copy": "The army sent 250 soldiers."}, {})
    assert found.groups == ((0, 1, 2),)
    assert found.places[1] == (Place("copy", 14, 26),)
    assert found.passages == (("not indexed: flood",), ("not indexed: copy",), ("not indexed: flood",))
    needs_both = find_gold(question("q", evidence=evidence, must_cite=(("flood",), ("copy",))), {"flood": FLOOD}, {})
    assert needs_both.groups == ((0, 2), (1,))


def test_gold_reads_back_as_it_was_written() -> None:
    found = gold(question("q"))
    assert found.passages == (("p2",),)
    assert read_gold(gold_json(found)) == found


def test_coverage_counts_articles_rightly_named() -> None:
    # Named b and x; b, c and d carry it, d is cited: 1 of 2 named is right, 1 of the 2 others is named.
    assert coverage_parts(["b", "x"], ["d"], ["b", "c", "d"]) == {
        "coverage_precision": (1.0, 2.0),
        "coverage_recall": (1.0, 2.0),
    }


def test_origins_count_copies_once() -> None:
    origin = {"a": "a", "a-copy": "a", "b": "b"}.__getitem__
    assert origins_right(2, ["a", "a-copy", "b"], origin) == 1.0
    assert origins_right(3, ["a", "a-copy", "b"], origin) == 0.0


KNOWN = [
    [[Place("a", 0, 10), Place("a-copy", 0, 10)], [Place("b", 0, 10)]],
    [[Place("a", 50, 60)], [Place("b", 50, 60)]],
]


def test_difference_exists_where_two_values_stand_at_places_of_two_known_values() -> None:
    shown = [
        [Place("a", 0, 10), Place("b", 2, 10)],  # the first known one
        [Place("a", 0, 10), Place("a-copy", 0, 10)],  # one value twice
        [Place("a", 0, 10), Place("b", 50, 60)],  # values of two subjects
    ]
    assert difference_parts(shown, KNOWN, [0, 1]) == {
        "difference_precision": (1.0, 3.0),
        "difference_recall": (1.0, 2.0),
    }


def test_question_is_about_a_difference_when_its_evidence_gives_two_values() -> None:
    assert differences_asked_for([Place("a", 0, 10), Place("b", 0, 10)], KNOWN) == [0]
    assert differences_asked_for([Place("a", 0, 10), Place("a-copy", 0, 10)], KNOWN) == []
