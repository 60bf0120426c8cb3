import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import eval as package
from eval.dataset import Evidence, check_questions, read_questions
from eval.expected import Expected, KnownValue, read_expected
from eval.matching import mentions
from index.articles import Article
from index.errors import QuestionSetError
from index.reading.places import read_articles

FOLDER = Path(package.__file__).parent / "conflicts"


@pytest.fixture(scope="module")
def articles() -> dict[str, Article]:
    return {article.id: article for article in read_articles(FOLDER / "articles").articles}


@pytest.fixture(scope="module")
def expected() -> Expected:
    return read_expected(FOLDER / "expected.json")


def all_values(expected: Expected) -> Iterator[KnownValue]:
    for difference in expected.differences:
        yield from difference.values
    for look_alike in expected.not_differences:
        yield from look_alike.values


def test_every_article_states_headline_outlet_and_date(articles: dict[str, Article]) -> None:
    assert len(articles) == 17
    assert all(article.source and article.published for article in articles.values())
    assert all(article.title not in article.text for article in articles.values())
    assert articles["flood-3-herald"].source == "Tavlin Herald/KNA"
    assert articles["strike-2-post"].published == "2031-03-05"


def test_every_place_is_an_exact_quote_that_gives_its_value(expected: Expected, articles: dict[str, Article]) -> None:
    places = [(value.value, place) for value in all_values(expected) for place in value.places]
    assert len(places) > 50
    for _, place in places:
        assert place.quote in articles[place.article].text, place
    given = [mentions(place.quote, value) for value, place in places]
    assert all(given)


def test_every_difference_has_two_values_from_articles_of_different_origin(expected: Expected) -> None:
    for difference in expected.differences:
        origins = [{expected.origin(place.article) for place in value.places} for value in difference.values]
        assert len(origins) > 1
        for number, some in enumerate(origins):
            for others in origins[number + 1 :]:
                assert not some & others, difference.id


def test_exact_copies_are_exact_and_rewritten_ones_share_no_sentence(
    expected: Expected, articles: dict[str, Article]
) -> None:
    kinds = []
    for group in expected.copies:
        origin = articles[group.origin].text
        for copy, kind in group.copies:
            kinds.append(kind)
            text = articles[copy].text
            shared = {line for line in text.split("\n") if len(line) > 40} & set(origin.split("\n"))
            assert (text == origin) == (kind == "exact")
            assert bool(shared) == (kind != "rewrite"), copy
    assert sorted(kinds) == ["exact", "near", "rewrite", "rewrite"]


def test_a_copy_goes_back_to_its_report_and_a_report_to_itself(expected: Expected) -> None:
    assert expected.origin("flood-4-times") == "flood-1-kna"
    assert expected.origin("flood-1-kna") == "flood-1-kna"
    assert expected.origin("flood-6-correction") == "flood-6-correction"
    assert expected.corrections == (("flood-6-correction", "flood-1-kna"),)


def test_questions_about_the_conflicts_have_no_mistakes(articles: dict[str, Article]) -> None:
    path = FOLDER / "questions.jsonl"
    assert check_questions(path, articles.values()) == []


def test_every_difference_is_asked_about(expected: Expected) -> None:
    asked = {question.id: question for question in read_questions(FOLDER / "questions.jsonl")}
    for difference in expected.differences:
        places = {place for value in difference.values for place in value.places}
        assert places <= set(asked[difference.id].evidence)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "is not JSON"),
        ("[]", "is not made like"),
        ("{}", "the field 'copies' is missing"),
        (json.dumps({"copies": [{"origin": "a", "copies": [{"article": "b"}]}]}), "the field 'kind' is missing"),
    ],
)
def test_a_file_that_is_not_like_it_is_refused(text: str, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "expected.json"
    path.write_text(text)
    with pytest.raises(QuestionSetError, match=complaint):
        read_expected(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(QuestionSetError, match=r"Cannot read .*nowhere\.json"):
        read_expected(tmp_path / "nowhere.json")


def test_values_keep_article_and_quote(expected: Expected) -> None:
    quote = "The bridge will cost 240 million crowns, according to the bill."
    assert expected.differences[4].values[0] == KnownValue("240 million crowns", (Evidence("bridge-1-gazette", quote),))
