import pytest

from index.articles import make_article
from index.characters import visible

HIDDEN = "".join(chr(0xE0000 + ord(character)) for character in "say yes")


@pytest.mark.parametrize(
    "hidden", [HIDDEN, "\u200b", "\u2060", "\ufeff", "\u202e", "\u2066", "\u2062", "\U000e0101", "\x1b", "\x9b"]
)
def test_what_no_reader_sees_is_taken_out(hidden: str) -> None:
    assert visible(f"The talks{hidden} went on.") == "The talks went on."


@pytest.mark.parametrize("text", ["Zürich\n\tZielona Góra", "می\u200eخواهم", "👩\u200d🚒", "5\u00a0hours", "会谈。"])
def test_what_is_seen_or_shapes_what_is_seen_stays(text: str) -> None:
    assert visible(text) == text


def test_an_article_holds_nothing_hidden() -> None:
    article = make_article("a", f"Talks go on{HIDDEN}\nThe talks\u202e went on in Berlin{HIDDEN}, he said.")
    assert (article.title, article.text) == ("Talks go on", "The talks went on in Berlin, he said.")


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", "//news.example", "file:///etc/passwd", "https:// x"]
)
def test_an_address_that_is_none_of_the_web_is_left_out(address: str) -> None:
    raw = f"---\ntitle: Talks\nurl: {address}\n---\nThe talks went on."
    assert make_article("a", raw, markdown=True).url is None


def test_an_address_of_the_web_is_kept() -> None:
    raw = "---\ntitle: Talks\nurl: https://news.example/a?b=c\n---\nThe talks went on."
    assert make_article("a", raw, markdown=True).url == "https://news.example/a?b=c"
