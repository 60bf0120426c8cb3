"""The word index alone: analysis, ranking, change, damage."""

from dataclasses import replace
from pathlib import Path

import pytest

from index.articles import make_article
from index.lexical import Entry, WordIndex, words_of
from index.passages import Passage, cut_passages

TEXTS = {
    "bridge": "The council voted for a new bridge. The bridge opens in 2027 and costs 138,000 euros.",
    "river": "The river rose by five metres. Ukraine's envoys and U.S. officials crossed the river.",
    "opera": "The opera reopened. Singers from Zürich and O’Brien’s choir sang for President Zelenskyy.",
}


def article(article_id: str) -> tuple[Entry, list[Passage]]:
    made = make_article(article_id, TEXTS[article_id])
    passages = cut_passages(made, max_tokens=128)
    return Entry(made.id, made.content_hash, len(passages)), passages


@pytest.fixture
def words(tmp_path: Path) -> WordIndex:
    index = WordIndex(tmp_path / "words")
    index.change(remove=[], add=[article(article_id) for article_id in TEXTS])
    return index


def found(words: WordIndex, query: str) -> list[str]:
    by_id = {passage.id: article_id for article_id in TEXTS for passage in article(article_id)[1]}
    return [by_id[match.passage_id] for match in words.search(query, 10)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The talks were talking", ["talk", "talk"]),
        ("Ukraine’s Ukraine's envoys'", ["ukrain", "ukrain", "envoy"]),
        ("U.S. officials; the US; U.S.-led", ["us", "offici", "us", "us", "led"]),
        ("Who is in the U.N?", ["un"]),
        ("138,000 and 3.5% of 20-point", ["138000", "3.5", "20", "point"]),
        ("five hours, 5 hours", ["5", "hour", "5", "hour"]),
        ("Zelenskyy Zelensky", ["zelenski", "zelenski"]),
        ("Zürich naïve ﬁnal", ["zurich", "naiv", "final"]),
        ("They didn’t; it won't", []),
        ("O’Brien", ["obrien"]),
        ("What did he say of it?", []),
        ("", []),
    ],
)
def test_words_are_analysed(text: str, expected: list[str]) -> None:
    assert words_of(text) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("When does the BRIDGE open?", ["bridge"]),
        ("5 metres", ["river"]),
        ("138000", ["bridge"]),
        ("Zurich", ["opera"]),
        ("What did Zelensky hear?", ["opera"]),
        ("US officials in Ukraine", ["river"]),
        ("giraffe", []),
        ("what was it", []),
        ('AND ( " OR *', []),
    ],
)
def test_query_and_text_agree(words: WordIndex, query: str, expected: list[str]) -> None:
    assert found(words, query) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("brigde", ["bridge"]),
        ("Who was Zelenski’s envoi", ["river", "opera"]),
        ("presidant", ["opera"]),
        ("rivet", ["river"]),
        ("oprea", ["opera"]),
        ("rver", []),
        ("13800", []),
    ],
)
def test_longer_word_that_is_unknown_may_be_misspelt(words: WordIndex, query: str, expected: list[str]) -> None:
    assert sorted(found(words, query)) == sorted(expected)


def test_known_word_is_never_taken_for_another(words: WordIndex) -> None:
    assert found(words, "river rivers") == ["river"]
    assert found(words, "bridge brigde") == ["bridge"]


def test_more_of_the_words_and_rarer_ones_rank_higher(words: WordIndex) -> None:
    assert found(words, "river officials bridge") == ["river", "bridge"]


def test_words_of_the_title_find_every_passage(tmp_path: Path) -> None:
    index = WordIndex(tmp_path / "words")
    made = make_article("a", "Tunnel under the mountain\n" + "They dug for a year. It rained a lot. " * 20)
    passages = cut_passages(made, max_tokens=64)
    index.change(remove=[], add=[(Entry("a", "h", len(passages)), passages)])
    assert len(passages) > 1
    assert {match.passage_id for match in index.search("tunnel", 10)} == {passage.id for passage in passages}


def test_outlet_and_day_find_an_article(tmp_path: Path) -> None:
    index = WordIndex(tmp_path / "words")
    river = make_article("river", TEXTS["river"])
    first = replace(river, id="first", source="Sky News", published="2023-10-06")
    second = replace(river, id="second", source="The Age", published="2023-10-07")
    cut = {one.id: cut_passages(one, max_tokens=128) for one in (first, second)}
    index.change(remove=[], add=[(Entry(id_, "h", 1), passages) for id_, passages in cut.items()])
    ids = {id_: passages[0].id for id_, passages in cut.items()}
    assert [match.passage_id for match in index.search("What did Sky report?", 9)] == [ids["first"]]
    assert [match.passage_id for match in index.search("on October 7, 2023", 9)] == [ids["second"]]
    assert index.search("river on October 7, 2023", 9)[0].passage_id == ids["second"]
    assert index.search("on October 8, 2023", 9) == []
    assert index.search("river", 9, days=["2023-10-07"])[0].passage_id == ids["second"]


def test_words_spoken_before_are_looked_up_in_titles_alone(tmp_path: Path) -> None:
    index = WordIndex(tmp_path / "words")
    texts = {"bridge": "Council votes\nThe bridge is old.", "opera": "Bridge opens\nThe choir sang."}
    cut = {id_: cut_passages(make_article(id_, text), max_tokens=128) for id_, text in texts.items()}
    index.change(remove=[], add=[(Entry(id_, "h", 1), passages) for id_, passages in cut.items()])
    assert [match.passage_id for match in index.search("", 9, about="the bridge")] == [cut["opera"][0].id]
    assert len(index.search("choir", 9, about="council")) == 2


def test_ties_are_in_order_of_ids_and_the_limit_holds(tmp_path: Path) -> None:
    index = WordIndex(tmp_path / "words")
    made = [make_article(f"a{number}", TEXTS["river"]) for number in range(8)]
    cut = [cut_passages(one, max_tokens=128) for one in made]
    index.change(
        remove=[],
        add=[(Entry(one.id, one.content_hash, 1), passages) for one, passages in zip(made, cut, strict=True)],
    )
    ids = sorted(passages[0].id for passages in cut)
    assert [match.passage_id for match in index.search("river", 8)] == ids
    assert [match.passage_id for match in index.search("river", 3)] == ids[:3]


def test_search_among_some_articles(words: WordIndex) -> None:
    assert len(words.search("bridge river", 10, article_ids=["river", "opera"])) == 1
    assert words.search("bridge", 10, article_ids=[]) == []


def test_document_frequency_counts_what_is_there_now(words: WordIndex) -> None:
    assert words.document_frequency(["river", "presid", "giraff"]) == {"river": 1, "presid": 1, "giraff": 0}
    words.change(remove=["river"], add=[])
    assert words.document_frequency(["river"]) == {"river": 0}


def test_article_put_in_again_replaces_itself(words: WordIndex) -> None:
    words.change(remove=[], add=[article("river")])
    assert words.count() == 3
    assert words.entries() == {article(article_id)[0] for article_id in TEXTS}


def test_index_is_kept_on_disk(words: WordIndex, tmp_path: Path) -> None:
    again = WordIndex(tmp_path / "words")
    assert again.entries() == words.entries()
    assert found(again, "bridge") == ["bridge"]


def test_article_ids_may_hold_any_character(tmp_path: Path) -> None:
    index = WordIndex(tmp_path / "words")
    made = make_article('a "b"/\n[ü', TEXTS["river"])
    entry = Entry(made.id, made.content_hash, 1)
    index.change(remove=[], add=[(entry, cut_passages(made, max_tokens=128))])
    assert index.entries() == {entry}
    index.change(remove=[made.id], add=[])
    assert (index.entries(), index.count()) == (set(), 0)


@pytest.mark.parametrize("damage", ["meta", "folder"])
def test_damaged_index_begins_anew(words: WordIndex, tmp_path: Path, damage: str) -> None:
    assert words.count() == 3
    folder = tmp_path / "words"
    if damage == "meta":
        (folder / "meta.json").write_text("{")
    else:
        for path in folder.iterdir():
            path.unlink()
    assert WordIndex(folder).count() == 0
