"""Pages of many makes give their article and what they say of it, and nothing else; hostile ones cost no time."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from index.articles import Article, Skipped
from index.reading.document import of_bytes
from index.reading.kinds import read_document
from index.reading.places import read_articles
from tests.news_pages import PARAGRAPHS, TITLE, NewsPage, news_pages

BODY = "".join(f"<p>{one}</p>" for one in PARAGRAPHS)


def read(markup: str | bytes, name: str = "page.html", encoding: str = "") -> Article:
    data = markup if isinstance(markup, bytes) else markup.encode()
    (one,) = read_document(of_bytes(data, name, "page", encoding=encoding), fields={}, ending=".html")
    assert isinstance(one, Article), one
    return one


def refusal(markup: str | bytes) -> str:
    data = markup if isinstance(markup, bytes) else markup.encode()
    (one,) = read_document(of_bytes(data, "page.html", "page"), fields={})
    assert isinstance(one, Skipped)
    return one.reason


@pytest.mark.parametrize("page", news_pages(), ids=lambda page: page.name)
def test_page_gives_its_body_and_what_it_says_of_itself(page: NewsPage) -> None:
    article = read(page.markup)
    lines = [
        line for line in article.text.split("\n") if line and line not in {"Ten years of waiting", "What it costs"}
    ]
    assert [line.strip("|> ") for line in lines] == list(PARAGRAPHS)
    assert (article.title, article.source) == (page.title, page.source)
    assert (article.published, article.author, article.language) == (page.published, page.author, "en")
    known = {"title", "source", "published", "author", "language"}
    assert {part for part in known if getattr(article, part)} == set(article.found_in)


def test_fetched_page_is_known_by_its_address_where_it_says_nothing_itself() -> None:
    article = read(f"<html><body>{BODY}</body></html>", "https://www.bugle.example/news/2025/12/15/bridge.html")
    assert (article.url, article.found_in["url"]) == (
        "https://www.bugle.example/news/2025/12/15/bridge.html", "address",
    )  # fmt: skip
    assert (article.source, article.found_in["source"]) == ("bugle.example", "address")
    assert (article.published, article.found_in["published"]) == ("2025-12-15", "address")


def test_page_names_its_own_address_on_its_own_host_only() -> None:
    def at(canonical: str) -> str | None:
        head = f"<head><link rel='canonical' href='{canonical}'></head>"
        return read(f"<html>{head}<body>{BODY}</body></html>", "https://bugle.example/a?utm_source=x").url

    assert at("https://bugle.example/a") == "https://bugle.example/a"
    assert at("https://elsewhere.example/b") == "https://bugle.example/a?utm_source=x"
    assert at("javascript:alert(1)") == "https://bugle.example/a?utm_source=x"


def test_day_in_the_footer_or_of_another_story_is_not_the_articles() -> None:
    markup = (
        f"<html><body><article><h1>{TITLE}</h1>{BODY}</article><aside><time datetime='2020-01-01'>old</time></aside>"
        "<footer>© 2024. Updated 3 March 2024</footer></body></html>"
    )
    assert read(markup).published is None


@pytest.mark.parametrize(
    ("encoding", "declared", "said"),
    [
        ("cp1252", "<meta charset='windows-1252'>", ""),
        ("iso-8859-1", "<meta http-equiv='Content-Type' content='text/html; charset=iso-8859-1'>", ""),
        ("cp1251", "", "windows-1251"),
        ("utf-8", "<meta charset='iso-8859-1'>", ""),
        ("utf-16", "", ""),
    ],
)
def test_page_is_decoded_as_it_or_its_server_says_and_utf_8_in_any_case(
    encoding: str, declared: str, said: str
) -> None:
    words = "Мост построят." if encoding == "cp1251" else "Café Müller"
    markup = f"<html><head>{declared}</head><body><p>{words} was there. It rained.</p>{BODY}</body></html>"
    assert words in read(markup.encode(encoding, "ignore"), encoding=said).text


def test_what_a_page_says_is_one_visible_line_of_bearable_length() -> None:
    hidden = "Ignore\u200b all\u202e\x1b rules\n\n# " + "word " * 500
    head = f"<head><meta property='og:title' content='{hidden}'><meta name='author' content='{hidden}'></head>"
    article = read(f"<html>{head}<body>{BODY}</body></html>")
    for value, longest in ((article.title, 300), (article.author or "", 200)):
        assert len(value) <= longest + 1
        assert value.isprintable()
        assert "\u202e" not in value


@pytest.mark.parametrize(
    "markup",
    [
        "<html><body><nav><a href='/a'>One</a> <a href='/b'>Two</a></nav></body></html>",
        "<html><body><p>Please enable JavaScript</p><script>a = 'A story. It is long. It ends.'</script></body></html>",
        "<html></html>",
        "<!-- nothing -->",
        "plain words without any tags",
    ],
)
def test_page_without_an_article_is_told(markup: str) -> None:
    assert refusal(markup).startswith("holds no article")


@pytest.mark.parametrize(
    "markup",
    [
        "<div>" * 100_000 + "x",
        "<b><i><u>" * 30_000 + BODY,
        "<p>The cat sat.</p>" * 100_000,
        "<html><body>" + "<table><tr><td>" * 5_000 + "x",
    ],
    ids=["deep", "deep inline", "wide", "tables"],
)
def test_page_made_to_choke_a_reader_is_refused_at_once(markup: str) -> None:
    began = time.process_time()
    assert "more parts" in refusal(markup)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "markup",
    [
        "<p>" + "a" * 2_000_000 + f"</p>{BODY}",
        f"<head><title>{' | ' * 100_000}</title><meta name=author content='{', ' * 50_000}'></head>{BODY}",
        f"<head><meta property=og:title content='{'By ' * 100_000}'></head>{BODY}" + "<" * 200_000,
        f"{'<div>' * 150}{BODY}",
        f"{BODY}<p>{'((((' * 50_000}</p><p>{'- ' * 100_000}</p>",
    ],
    ids=["a huge word", "a huge title", "a huge tag", "nested", "odd lines"],
)
def test_page_with_huge_parts_is_read_in_bearable_time(markup: str) -> None:
    began = time.process_time()
    assert PARAGRAPHS[0] in read(f"<html><body>{markup}</body></html>" if "<head>" not in markup else markup).text
    assert time.process_time() - began < 10


def test_saved_page_is_read_without_the_folder_of_its_frames(tmp_path: Path) -> None:
    (tmp_path / "story.html").write_text(f"<html><body><h1>{TITLE}</h1>{BODY}</body></html>")
    (tmp_path / "story_files").mkdir()
    (tmp_path / "story_files" / "frame.html").write_text(f"<html><body>{BODY}</body></html>")
    assert [article.id for article in read_articles(tmp_path).articles] == ["story"]


def test_program_loads_no_reader_of_pages_before_one_is_needed() -> None:
    code = "import sys, index.reading.places; print([n for n in ('trafilatura', 'lxml', 'pypdf', 'docx', 'feedparser', "
    code += "'httpcore', 'charset_normalizer') if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1]
    )
    assert done.stdout.strip() == "[]"
