import html
import re
from dataclasses import replace
from typing import Any

import pytest
from markdown_it import MarkdownIt

from index.passages import Passage
from index.sentences import Span
from rag.answers import Answer
from rag.citations import Citation
from rag.coverage import Coverage, Difference, DifferingValue, Report
from rag.markup import escape_text, label, web_address
from rag.rendering import answer_markdown, found_link, plain_message, to_html, to_markdown, to_plain
from rag.retrieval import ScoredPassage
from rag.support import SentenceSupport

HOSTILE = [
    '<img src="http://evil.example/x.png" onerror="alert(1)">',
    "<script>alert(1)</script>",
    "![spy](http://evil.example/x.png)",
    "[press here](javascript:alert(1))",
    "[press here](http://evil.example)",
    "[press here][x]\n\n[x]: http://evil.example",
    "<http://evil.example>",
    "see http://evil.example and www.evil.example and a@evil.example",
    "```mermaid\ngraph TD; A-->B\n```",
    "$$\\href{javascript:alert(1)}{x}$$ and \\(x\\)",
    '<form action="http://evil.example"><button>Sign in</button></form>',
    '<div style="position:fixed;background:url(http://evil.example)">',
    "    indented code <b>",
    "\tTab indented",
    "~~~html\n<b>\n~~~",
    "A heading\n=========",
    "A heading\n---------",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "${document.title} {{7*7}}",
    "&lt;b&gt; &#60;b&#62;",
    "1) one\n+ two\n> three",
    "`code` *emphasis* _emphasis_ ~~struck~~",
    "Fish \\[1\\] and \\<b>",
]
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
HARMLESS = {"paragraph_open", "paragraph_close", "bullet_list_open", "bullet_list_close", "ordered_list_open",
            "ordered_list_close", "list_item_open", "list_item_close", "inline", "text", "text_special", "softbreak",
            "html_inline"}  # fmt: skip
# What markdown-it does not read and the page's own parser does: addresses without brackets, formulas.
ADDRESS = re.compile(r"://|www\.\w|\w@\w|\$")


def active_parts(markdown: str) -> list[str]:
    """What a markdown parser makes of a text beyond paragraphs, lists and our own tags for bold."""
    tokens = [token for block in PARSER.parse(markdown) for token in (block, *(block.children or []))]
    found = [token.type for token in tokens if token.type not in HARMLESS]
    found += [token.content for token in tokens if token.type == "html_inline" and "strong" not in token.content]
    return found + ADDRESS.findall(markdown)


def a_passage(rank: int = 1, *, title: str = "A headline", **known: str | None) -> Passage:
    return Passage(
        id=f"{rank:032x}",
        article_id=f"article-{rank}",
        start=100,
        end=200,
        text="x" * 100,
        title=title,
        source=known.get("source"),
        url=known.get("url"),
        published=known.get("published"),
    )


def a_citation(text: str, sentence: str, marker: int, *, passage: Passage | None = None) -> Citation:
    start = text.index(sentence)
    return Citation(
        marker, passage or a_passage(marker), 110, 150, "the quoted words", start, start + len(sentence), "supported"
    )


def an_answer(text: str, **fields: Any) -> Answer:
    return replace(Answer("q", "q", text, False, "llm", "openai/gpt-4o-mini"), **fields)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_keeps_no_active_character(hostile: str) -> None:
    for markdown in (to_markdown(hostile), escape_text(hostile)):
        assert active_parts(markdown) == []


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_stays_inactive_however_it_is_cut(hostile: str) -> None:
    for end in range(len(hostile)):
        assert active_parts(to_markdown(hostile[:end])) == []
        assert active_parts(escape_text(hostile[:end])) == []


@pytest.mark.parametrize("hostile", [text for text in HOSTILE if not re.search(r"^[ \t]|&|\*|^\d", text)])
def test_what_a_person_typed_comes_back_as_typed(hostile: str) -> None:
    assert plain_message(escape_text(hostile)) == hostile


@pytest.mark.parametrize(
    "question", ["What did Rustem Umerov say?", "How much - in €, per year (2024/25)?", "Dr. No: why?"]
)
def test_an_ordinary_question_is_not_changed(question: str) -> None:
    assert escape_text(question) == question


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_is_shown_as_it_is(hostile: str) -> None:
    shown = re.sub(r"<[^>]*>", "", PARSER.render(escape_text(hostile)))
    assert html.unescape(shown).split() == hostile.split()


def test_a_marker_becomes_a_link_that_names_the_words() -> None:
    text = "It lasted five hours [1]."
    passage = a_passage(source="The Ledger", published="2025-12-15")
    markdown = to_markdown(text, [a_citation(text, text, 1, passage=passage)])
    link = f'[1](#c-{passage.id}-110-150 "A headline, The Ledger, 2025-12-15")'
    assert markdown == f"It lasted five hours {link}."


def test_a_marker_without_citation_stays_text() -> None:
    assert to_markdown("The report [2] says so.") == "The report &#91;2&#93; says so."


def test_the_same_marker_on_two_sentences_links_to_each_ones_words() -> None:
    text = "One [1]. Two [1]."
    first = a_citation(text, "One [1].", 1)
    second = Citation(1, first.passage, 160, 180, "other words", 9, 17, "supported")
    markdown = to_markdown(text, [first, second])
    assert re.findall(r"-(\d+)-\d+ ", markdown) == ["110", "160"]


def test_a_hostile_title_stays_inside_the_link() -> None:
    text = "So [1]."
    passage = a_passage(title='x" onmouseover="alert(1)\n) ![a](http://evil.example) <img src=x>')
    markdown = to_markdown(text, [a_citation(text, text, 1, passage=passage)])
    assert markdown.count('"') == 2
    assert "<" not in markdown
    assert "![" not in markdown
    assert markdown.startswith("So [1](#c-")
    assert markdown.endswith('").')


def test_lists_and_bold_are_kept() -> None:
    assert to_markdown("**Two** things:\n- one\n* two\n\n1. first\n2) second") == (
        "<strong>Two</strong> things:\n- one\n- two\n\n1. first\n2. second"
    )


@pytest.mark.parametrize("hostile", HOSTILE)
def test_words_that_answer_are_bold_and_as_harmless_as_the_rest(hostile: str) -> None:
    text = f"It lasted {hostile} at least."
    markdown = to_markdown(text, highlights=[Span(10, 10 + len(hostile))])
    assert markdown.startswith("It lasted <strong>")
    assert "</strong> at least." in markdown
    assert active_parts(markdown) == []


def test_a_heading_is_shown_bold() -> None:
    assert to_markdown("## The talks\nThey went on.") == "<strong>The talks</strong>\n\nThey went on."


def test_a_sentence_that_is_not_supported_carries_its_reason() -> None:
    text = "Sure [1]. Not sure [1]."
    doubt = SentenceSupport(10, 23, (1,), "partial", 'says "some", not all')
    markdown = to_markdown(text, sentences=[SentenceSupport(0, 9, (1,), "supported"), doubt])
    opening = '<span class="byline-doubt byline-partial" tabindex="0" title="says &#34;some&#34;, not all">'
    assert markdown == f"Sure &#91;1&#93;. {opening}Not sure &#91;1&#93;.</span>"


def test_a_doubt_inside_a_list_leaves_the_list_a_list() -> None:
    doubt = SentenceSupport(0, 11, (), "unsupported", "no source")
    assert to_markdown("- Not sure.", sentences=[doubt]).startswith('- <span class="byline-doubt byline-unsupported"')


def test_a_text_still_being_written_ends_with_a_caret() -> None:
    assert to_markdown("So", writing=True) == 'So<span class="byline-caret"></span>'


def test_a_message_comes_back_as_the_text_it_was_made_from() -> None:
    text = "It lasted **five** hours & more [1].\n\n“A <b> [x] quote” [2]"
    citations = [a_citation(text, text[:38], 1), a_citation(text, text[36:], 2)]
    doubt = SentenceSupport(0, 36, (1,), "partial", "why")
    found = found_link([ScoredPassage(a_passage(1), 0.9, 1), ScoredPassage(a_passage(2), 0.8, 2)])
    message = f"{found}\n\n" + to_markdown(text, citations, sentences=[doubt])
    assert plain_message(message) == text.replace("**", "")


def test_the_passages_found_are_named_in_the_order_of_their_ranks() -> None:
    found = [ScoredPassage(a_passage(2), 0.5, 2), ScoredPassage(a_passage(1), 0.9, 1)]
    assert found_link(found) == f"[2 passages in 2 articles](#s-{1:032x}.{2:032x})"
    assert found_link(found[:1]).startswith("[1 passage in 1 article](")


def test_a_label_is_one_line_of_bounded_length() -> None:
    line = label(a_passage(title="long " * 100, source="The\nLedger"))
    assert "\n" not in line
    assert len(line) <= 160


@pytest.mark.parametrize("url", ["https://news.example/a?b=1#c", "http://news.example"])
def test_a_web_address_is_kept(url: str) -> None:
    assert web_address(url) == url


@pytest.mark.parametrize(
    "url", [None, "", "javascript:alert(1)", "data:text/html,x", "//evil", "http://", "file:///etc/passwd", "http://[",
            "java\nscript:alert(1)", "https://a b"]
)  # fmt: skip
def test_anything_else_is_no_web_address(url: str | None) -> None:
    assert web_address(url) is None


def test_plain_text_lists_numbered_sources_with_their_words() -> None:
    text = "It lasted five hours [2]."
    passage = a_passage(2, source="The Ledger", published="2025-12-15", url="https://news.example/a")
    answer = an_answer(text, citations=(a_citation(text, text, 2, passage=passage),))
    assert to_plain(answer) == (
        "It lasted five hours [2].\n\nSources:\n[2] A headline, The Ledger, 2025-12-15\n"
        "    “the quoted words”\n    https://news.example/a"
    )


def test_plain_text_says_what_is_not_supported() -> None:
    text = "Not sure."
    answer = an_answer(
        text, sentences=(SentenceSupport(0, 9, (), "unsupported", "nothing cited"),), notice="Cut short."
    )
    assert to_plain(answer) == "Not sure.\n\nNote: Cut short.\n\nCheck: Not sure.\n       (nothing cited)"


def test_plain_text_of_a_refusal_is_its_text_alone() -> None:
    assert to_plain(an_answer("The articles do not say.", refused=True)) == "The articles do not say."


def test_plain_text_sends_no_commands_to_the_terminal() -> None:
    text = "Red \x1b[31malert\x1b[0m \u202eback [1]"
    answer = an_answer(text, citations=(a_citation(text, text, 1, passage=a_passage(title="A\x07 title")),))
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202e]", to_plain(answer))


def test_html_is_escaped_and_links_to_its_sources() -> None:
    text = "It <b>lasted</b> “five” [1].\nAnd so on.\n\nNext."
    passage = a_passage(title="<i>Title</i>", url="https://news.example/?a=1&b=2")
    answer = an_answer(text, citations=(a_citation(text, text[:29], 1, passage=passage),))
    fragment = to_html(answer, anchor="q1")
    assert '<a class="byline-citation" href="#q1-1">[1]</a>' in fragment
    assert '<li id="q1-1" value="1">&lt;i&gt;Title&lt;/i&gt; <q>the quoted words</q>' in fragment
    assert 'href="https://news.example/?a=1&amp;b=2"' in fragment
    assert "&lt;b&gt;lasted&lt;/b&gt;" in fragment
    assert fragment.count("<p>") == 2
    assert "<br>" in fragment


@pytest.mark.parametrize("hostile", HOSTILE)
def test_html_holds_only_our_own_tags(hostile: str) -> None:
    answer = an_answer(
        hostile,
        citations=(
            Citation(1, a_passage(title=hostile, url="javascript:x"), 1, 2, hostile, 0, len(hostile), "partial"),
        ),
        sentences=(SentenceSupport(0, len(hostile.split("\n")[0]), (), "partial", hostile),),
        notice=hostile,
    )
    tags = set(re.findall(r"</?([a-z]+)", to_html(answer)))
    assert tags <= {"p", "br", "a", "span", "ol", "li", "q"}
    assert "javascript:x" not in to_html(answer)


# --- who stands behind an answer ------------------------------------------------------------------------------------


LEDGER = a_passage(1, title="Storm", source="The Ledger")
TEXT = "The storm cut off 300 homes [1]."


def a_report(rank: int = 2, *, title: str = "Gale", source: str | None = "The Post") -> Report:
    return Report(f"article-{rank}", title, source, f"{rank:032x}", 5, 25, "Some 300 homes went dark.")


def a_difference(value: str = "500 homes", *, title: str = "Gale") -> Difference:
    return Difference(
        "homes without power",
        (
            DifferingValue("300 homes", "article-1", "Storm", "The Ledger", f"{1:032x}", 110, 150, "Off: 300 homes."),
            DifferingValue(value, "article-2", title, None, f"{2:032x}", 5, 25, "Off: 500 homes."),
        ),
    )


def a_reported_answer(text: str = TEXT, **coverage: Any) -> Answer:
    known: dict[str, Any] = {"origins": 2, "also_reported_by": ("article-2",), "reports": (a_report(),)}
    return an_answer(
        text,
        citations=(a_citation(text, TEXT, 1, passage=LEDGER),),
        coverage=Coverage(**({"differences": ()} | known | coverage)),
    )


def test_who_reports_an_answer_stands_below_it_each_a_link_to_the_words() -> None:
    below = answer_markdown(a_reported_answer()).partition('<span class="byline-below"></span>')[2]
    assert below.strip() == (
        '<span class="byline-standing">Reported by 2 independent sources: '
        f"[The Ledger](#w-{1:032x}-110-150); [The Post](#w-{2:032x}-5-25)</span>"
    )


def test_one_source_alone_is_not_counted() -> None:
    alone = a_reported_answer(origins=1, also_reported_by=(), reports=())
    assert "Reported" not in answer_markdown(alone) + to_plain(alone) + to_html(alone)


def test_copies_count_once_and_the_line_says_so() -> None:
    copied = a_reported_answer(also_reported_by=("article-2", "article-3"), reports=(a_report(), a_report(3)))
    assert (
        to_plain(copied)
        .partition("\n\n")[2]
        .startswith("Reported by 2 independent sources, copies counted once: The Ledger; Gale; Gale")
    )


def test_an_article_whose_words_are_not_known_is_named_without_a_link() -> None:
    read_back = a_reported_answer(reports=())
    assert "The Ledger; article-2" in to_plain(read_back)
    assert f"[The Ledger](#w-{1:032x}-110-150); article-2</span>" in answer_markdown(read_back)
    assert "<q></q>" not in to_html(read_back)


def test_what_several_sentences_say_need_not_be_said_by_each_source() -> None:
    two = a_reported_answer(f"{TEXT} It passed [1].")
    two = replace(two, citations=(*two.citations, a_citation(two.text, "It passed [1].", 1, passage=LEDGER)))
    assert "Reported, whole or in part, by 2 independent sources: The Ledger; The Post" in to_plain(two)


def test_a_citation_that_does_not_carry_its_sentence_stands_behind_nothing() -> None:
    answer = a_reported_answer(reports=(a_report(), a_report(3, source="The Mail")))
    answer = replace(answer, citations=(replace(answer.citations[0], support="unsupported"),))
    assert "The Ledger" not in answer_markdown(answer).partition("byline-below")[2]


def test_a_difference_is_a_table_of_value_and_source_each_value_a_link() -> None:
    markdown = answer_markdown(a_reported_answer(differences=(a_difference(),)))
    assert markdown.endswith(
        "Sources differ: homes without power</span>\n\n| They say | Source |\n| --- | --- |\n"
        f"| [300 homes](#w-{1:032x}-110-150) | The Ledger |\n"
        f"| [500 homes](#w-{2:032x}-5-25) | Gale |"
    )
    html_table = to_html(a_reported_answer(differences=(a_difference(),)))
    assert "<tr><td>500 homes</td><td>Gale <q>Off: 500 homes.</q></td></tr>" in html_table
    assert "Sources differ: homes without power\n  300 homes: The Ledger\n    “Off: 300 homes.”" in to_plain(
        a_reported_answer(differences=(a_difference(),))
    )


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_values_and_titles_stay_inside_their_cells(hostile: str) -> None:
    answer = a_reported_answer(
        differences=(a_difference(hostile, title=hostile),), reports=(a_report(title=hostile, source=None),)
    )
    markdown = answer_markdown(answer)
    tokens = [token for block in PARSER.parse(markdown) for token in (block, *(block.children or []))]
    links = [str(token.attrs["href"]) for token in tokens if token.type == "link_open"]
    assert all(re.fullmatch(r"#[cw]-[0-9a-f]{32}-\d+-\d+", link) for link in links)
    assert len(links) == 5
    assert sum(token.type == "tr_open" for token in tokens) == 3
    assert {token.content for token in tokens if token.type == "html_inline"} <= {
        '<span class="byline-below">', '<span class="byline-standing">', "</span>"
    }  # fmt: skip
    assert not ADDRESS.search(markdown)
    tags = set(re.findall(r"</?([a-z]+)", to_html(answer)))
    assert tags <= {"p", "br", "a", "span", "ol", "li", "q", "table", "caption", "tr", "th", "td"}


def test_an_answer_is_rated_under_its_id_and_nothing_below_it_is_part_of_the_conversation() -> None:
    markdown = answer_markdown(a_reported_answer(differences=(a_difference(),)), answer_id="Ab-1_x")
    assert "[Helpful](#f-Ab-1_x-up) [Not helpful](#f-Ab-1_x-down) [Wrong source](#f-Ab-1_x-wrong)" in markdown
    assert plain_message(markdown) == TEXT
    refused = answer_markdown(an_answer("The articles do not say.", refused=True), answer_id="x")
    assert "Wrong source" not in refused
    assert plain_message(refused) == "The articles do not say."


def test_what_an_answer_took_is_said_last() -> None:
    answer = an_answer("Five.", usage={"prompt_tokens": 412, "completion_tokens": 96})
    assert to_plain(answer).endswith("\n\n412 tokens read, 96 written")
    assert to_plain(an_answer("Five.")) == "Five."
