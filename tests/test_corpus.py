from rag.corpus import Suggestions, find_listed, outlets_of
from tests.fake_engine import ARTICLES, FakeEngine, make_article

TEXT = "Mayor Anna Berg said shops lost money. Anna Berg said again that shops lost money.\n"
LISTED = [
    make_article("a", TEXT, title="Bridge closed", source="Ledger", published="2024-03-02"),
    make_article("b", TEXT, title="bridge opens", source="Gale", published="2024-09-01"),
    make_article("c", TEXT, title="Ferry (late)", source="Ledger"),
]


def ids(query: str, order: str = "newest") -> list[str]:
    listed = FakeEngine(LISTED).store.articles()
    return [one.id for one in find_listed(listed, query, order)]  # type: ignore[arg-type]  # a test's parameter


def test_articles_are_found_by_the_beginnings_of_words_of_headline_and_outlet() -> None:
    assert ids("brid") == ["b", "a"]
    assert ids("ledger bridge") == ["a"]
    assert ids("(late") == ["c"]
    assert ids("idge") == []
    assert ids("") == ["b", "a", "c"]


def test_articles_are_sorted_by_day_those_without_one_last_or_by_headline() -> None:
    assert ids("", "oldest") == ["a", "b", "c"]
    assert ids("", "title") == ["a", "b", "c"]


def test_outlets_are_counted() -> None:
    assert outlets_of(FakeEngine(LISTED).store.articles()) == [
        {"name": "Ledger", "articles": 2},
        {"name": "Gale", "articles": 1},
    ]


def test_suggestions_change_with_the_articles() -> None:
    engine = FakeEngine(ARTICLES)
    suggestions = Suggestions(engine.store)
    before = suggestions.questions()
    assert suggestions.questions() is before
    engine.store = FakeEngine(LISTED[:1]).store
    suggestions = Suggestions(engine.store)
    assert suggestions.questions() != before
