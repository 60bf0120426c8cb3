import re

from markdown_it import MarkdownIt

from rag.export import Exchange, conversation_html, conversation_markdown
from tests.test_kept import WHOLE
from tests.test_rendering import HOSTILE

EXCHANGES = [Exchange("How <long>?", WHOLE), Exchange("And?", None, "Half a\n\nsentence")]


def test_as_markdown_every_answer_has_its_sources_their_words_its_doubts_and_its_differences() -> None:
    text = conversation_markdown("Talks", EXCHANGES, day="2026-01-31")
    assert text.startswith("# Talks\n\n*Asked of Byline, 2026-01-31*\n\n## How &#60;long&#62;?\n\nFive hours [1].\n\n")
    assert "[1] Talks, The North, 2025-12-15\n\n> “The talks lasted five hours.”" in text
    assert "- Doubtful: “Five hours &#91;1&#93;.” (Not quite.)" in text
    assert "Sources differ: length of the talks" in text
    assert text.endswith("## And?\n\nHalf a\n\nsentence\n")


def test_as_a_page_it_stands_alone() -> None:
    page = conversation_html("Talks & <more>", EXCHANGES, day="2026-01-31")
    assert page.startswith("<!doctype html>")
    assert "<title>Talks &amp; &lt;more&gt;</title>" in page
    assert "<q>The talks lasted five hours.</q>" in page
    assert 'href="#source-1-1"' in page
    assert 'id="source-1-1"' in page
    assert "Not quite." in page
    assert not re.search(r"<(?:script|img|link|iframe)|src=|url\(|@import", page)


def test_hostile_text_stays_text_in_both() -> None:
    for hostile in HOSTILE:
        exchanges = [Exchange(hostile, None, hostile)]
        page = conversation_html(hostile, exchanges, day="2026-01-31")
        assert set(re.findall(r"<([a-z1-9]+)", page.partition("<body>")[2])) <= {"main", "h1", "h2", "p"}
        tokens = MarkdownIt("commonmark").parse(conversation_markdown(hostile, exchanges, day="2026-01-31"))
        inside = [one for token in tokens for one in (token, *(token.children or []))]
        assert {one.type for one in inside} & {"html_inline", "html_block", "image", "link_open", "fence"} == set()
