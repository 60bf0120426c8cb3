from pathlib import Path

from rag.suggestions import suggest_questions
from tests.fake_engine import make_article

SEEDS = [
    make_article(path.stem, path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parent.parent / "seeds").glob("*.txt"))
]


def test_people_who_speak_and_shared_phrases_make_questions() -> None:
    first = make_article("a", "Mayor Anna van Dijk said the bridge repairs go on. The bridge repairs cost a lot.")
    second = make_article("b", "The bridge repairs began in May. Anna van Dijk added that bridge repairs take long.")
    assert suggest_questions([first, second])[0] == "What did Anna van Dijk say about bridge repairs?"


def test_a_surname_counts_for_the_person_named_in_full() -> None:
    article = make_article("a", "Ann Lee said no. Bo Kim said yes. Lee said so twice. Lee added a third reason.")
    assert suggest_questions([article])[:2] == ["What did Ann Lee say?", "What did Bo Kim say?"]


def test_ministries_are_no_people() -> None:
    article = make_article(
        "a", "The Defense Ministry said no. Russia’s Foreign Ministry said yes.", title="Two ministries"
    )
    assert suggest_questions([article]) == ["What is “Two ministries” about?"]


def test_the_same_articles_give_the_same_questions() -> None:
    assert suggest_questions(SEEDS) == suggest_questions(list(SEEDS))


def test_the_articles_that_ship_give_three_different_questions() -> None:
    questions = suggest_questions(SEEDS)
    assert len(set(questions)) == 3
    assert any("Umerov" in question or "Zelensk" in question for question in questions)


def test_no_articles_give_no_questions() -> None:
    assert suggest_questions([]) == []


def test_a_large_corpus_is_sampled_in_bounded_time() -> None:
    assert len(suggest_questions(SEEDS * 400, 3)) == 3
