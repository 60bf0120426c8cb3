"""Cutting articles into passages."""

import random

import pytest

from index.articles import Article, make_article
from index.passages import Passage, cut_passages
from index.reading.places import read_articles
from index.tokens import count_tokens
from tests.conftest import SEEDS


def article_of(text: str) -> Article:
    return Article("a", "Title", "Outlet", "https://x.org", "2025-12-15", text, "hash")


def assert_covered(article: Article, passages: list[Passage]) -> None:
    assert "".join(passage.text for passage in passages) == article.text
    assert [passage.start for passage in passages] == [0, *(passage.end for passage in passages)][:-1]
    assert all(article.text[passage.start : passage.end] == passage.text != "" for passage in passages)


@pytest.mark.parametrize("max_tokens", [32, 128, 1024])
def test_passages_of_the_seeds_cover_them_within_the_limit(max_tokens: int) -> None:
    for article in read_articles(SEEDS).articles:
        passages = cut_passages(article, max_tokens=max_tokens)
        assert_covered(article, passages)
        assert all(count_tokens(passage.text) <= max_tokens for passage in passages)


def test_random_texts_are_covered_within_the_limit() -> None:
    random_ = random.Random(7)
    parts = [
        *("word ", "Sentence one. ", "“Quoted,” he said. ", "\n", "\n\n", "U.S. ", "…", "é", "漢字", "🙂", " "),
        *("x" * 90, "Heading Here\n", "3.5% ", "\t", "\u2028", "a" * 300 + " "),
    ]
    for _ in range(150):
        text = "".join(random_.choices(parts, k=random_.randint(1, 120)))
        limit = random_.choice([32, 50, 128])
        passages = cut_passages(article_of(text), max_tokens=limit)
        assert_covered(article_of(text), passages)
        assert all(count_tokens(passage.text) <= limit for passage in passages), repr(text)


def test_passages_end_at_paragraph_ends_where_that_is_possible() -> None:
    paragraph = "One two three four five six. Seven eight nine ten eleven twelve.\n"
    passages = cut_passages(article_of(paragraph * 8), max_tokens=40)
    assert all(passage.text.count("\n") and passage.text.endswith("\n") for passage in passages)


def test_no_passage_ends_with_a_heading() -> None:
    text = ("One two three four five six seven eight.\n" * 3 + "What Comes Next\n") * 5 + "The end."
    passages = cut_passages(article_of(text), max_tokens=48)
    assert len(passages) > 3
    assert not any(passage.text.endswith("What Comes Next\n") for passage in passages)


def test_no_scrap_is_left_at_the_end() -> None:
    text = " ".join(["One two three four five six seven eight."] * 11)
    sizes = [count_tokens(passage.text) for passage in cut_passages(article_of(text), max_tokens=50)]
    assert min(sizes) >= 18


def test_sentence_beyond_the_limit_is_cut_at_words() -> None:
    article = article_of("word " * 200)
    passages = cut_passages(article, max_tokens=32)
    assert_covered(article, passages)
    assert all(passage.text.startswith("word") for passage in passages)


def test_passage_carries_what_its_article_says_of_itself() -> None:
    passage = cut_passages(article_of("One sentence."), max_tokens=32)[0]
    assert (passage.title, passage.source, passage.url) == ("Title", "Outlet", "https://x.org")
    assert (passage.article_id, passage.published) == ("a", "2025-12-15")


def test_ids_are_the_same_every_time_and_change_with_article_content_and_place() -> None:
    body = "One sentence here. Another one there. " * 20
    first = cut_passages(make_article("a", body), max_tokens=32)
    assert first == cut_passages(make_article("a", body), max_tokens=32)
    ids = [passage.id for passage in first]
    assert len(set(ids)) == len(ids)
    assert all(len(one) == 32 and int(one, 16) >= 0 for one in ids)
    for other in (make_article("b", body), make_article("a", body + "More.")):
        assert not set(ids) & {passage.id for passage in cut_passages(other, max_tokens=32)}


def test_empty_text_has_no_passages() -> None:
    assert cut_passages(article_of(""), max_tokens=32) == []
