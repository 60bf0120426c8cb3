"""Answer -> safe markdown for the page, plain text for the terminal, HTML for reports.

Text of articles, models and people never becomes markup. For the page every character that markdown or HTML could
read as more than itself is written as a character reference; only then are Byline's own links, lists and bold added.
The whole text is rendered at each update: a filter that sees one piece at a time misses a link cut in two.
"""

import html
import re
from collections.abc import Sequence
from typing import Final

from index.sentences import Span
from rag.answers import Answer
from rag.citations import Citation
from rag.interface import phrase
from rag.markup import (
    Edit,
    apply_edits,
    attribute,
    escape_html,
    escape_text,
    html_escapes,
    label,
    markdown_escapes,
    one_line,
    web_address,
    without_controls,
)
from rag.retrieval import ScoredPassage
from rag.spending import took_in_words
from rag.standing import standing_html, standing_markdown, standing_plain
from rag.support import SentenceSupport

_MARKER: Final = re.compile(r"\[(\d{1,3})\]")
_BULLET: Final = re.compile(r"^[^\S\n]*[-*•][^\S\n]+(?=\S)", re.MULTILINE)
_NUMBERED: Final = re.compile(r"^[^\S\n]*(\d{1,3})[.)][^\S\n]+(?=\S)", re.MULTILINE)
_HEADING: Final = re.compile(r"^[^\S\n]*#{1,6}[^\S\n]+(\S[^\n]*)", re.MULTILINE)
_BOLD: Final = re.compile(r"\*\*(?=[^\s*])([^\n*]{1,400}?)(?<=[^\s*])\*\*")

_OWN_FOUND: Final = re.compile(r"\[[^\[\]]{0,80}\]\(#s-[0-9a-f.]*\)\s*")
_OWN_CITATION: Final = re.compile(r'\[(\d{1,3})\]\(#c-[0-9a-f]+-\d+-\d+(?: "[^"]*")?\)')
_OWN_RATING: Final = re.compile(r"\(#f-([\w-]{1,64})-up\)")
_BELOW: Final = '<span class="byline-below"'
"""Stands between an answer and what the page says of it, with the answer's id; no text of others can hold it."""
_OWN_TAG: Final = re.compile(r"</?(?:span|strong)\b[^<>]{0,400}>")


def to_markdown(
    text: str,
    citations: Sequence[Citation] = (),
    *,
    sentences: Sequence[SentenceSupport] = (),
    highlights: Sequence[Span] = (),
    notice: str = "",
    writing: bool = False,
) -> str:
    """The text of an answer as markdown in which only Byline's own markup has an effect.

    Args:
        text: the whole text so far, its markers in canonical form.
        citations: those of the text; a marker without one stays plain characters.
        sentences: verdicts; what is not supported is underlined and carries the reason.
        highlights: characters of the text in bold.
        notice: what the reader must know of how the answer came to be.
        writing: True while more text is to come: a caret stands at the end.
    """
    structure = _structure(text)
    edits = [
        Edit(match.start(), match.end(), 1, citation_link(citation))
        for match in _MARKER.finditer(text)
        if (citation := _citation_at(match, citations)) is not None
    ]
    for sentence in sentences:
        if sentence.support != "supported" and sentence.start < sentence.end:
            # A list's dash has to stay first on its line.
            start = next((edit.end for edit in structure if edit.start <= sentence.start < edit.end), sentence.start)
            edits.append(Edit(start, start, 2, _doubt_tag(sentence)))
            edits.append(Edit(sentence.end, sentence.end, 0, "</span>"))
    for start, end in highlights:
        edits += [Edit(start, start, 3, "<strong>"), Edit(end, end, 0, "</strong>")]
    markdown = apply_edits(text, structure + edits + markdown_escapes(text))
    if notice:
        markdown += f'\n\n<span class="byline-notice">{escape_text(one_line(notice))}</span>'
    if writing:
        markdown += '<span class="byline-caret"></span>'
    return markdown


def answer_markdown(
    answer: Answer,
    *,
    answer_id: str = "",
    rated: bool = True,
    searched: str = "",
) -> str:
    """A whole answer as the page's message: what was found, the text, and below it who stands behind it.

    Args:
        answer: the answer.
        answer_id: under which the page's script finds it again, and readers rate it.
        rated: whether readers can rate it.
        searched: which articles were searched, in words, where not all.
    """
    found = "" if answer.refused or not answer.passages else f"{found_link(answer.passages)}\n\n"
    text = to_markdown(
        answer.text,
        answer.citations,
        sentences=answer.sentences,
        highlights=answer.highlights,
        notice=answer.notice,
    )
    below = [
        _looked_for(answer) if answer.refused else standing_markdown(answer),
        _last_row(answer, answer_id, rated=rated, took=_took(answer, searched)) if answer_id else "",
    ]
    mark = f' id="byline-answer-{answer_id}"' if answer_id else ""
    return "\n\n".join([found + text, f"{_BELOW}{mark}></span>", *(part for part in below if part)])


def plain_message(markdown: str) -> str:
    """The plain text of a message as the page shows it: what `to_markdown` or `escape_text` was given.

    Messages come back from the browser, which may send anything: the result is text, nothing more.
    """
    text = _OWN_FOUND.sub("", markdown.partition(_BELOW)[0])
    text = _OWN_CITATION.sub(r"[\1]", text)
    return html.unescape(_OWN_TAG.sub("", text)).strip()


def rated_id(markdown: str) -> str:
    """The id under which the answer of a message can be rated; "" where the message has none."""
    rated = _OWN_RATING.search(markdown.partition(_BELOW)[2])
    return rated[1] if rated else ""


def citation_link(citation: Citation) -> str:
    """A citation as a markdown link: the page's script opens the article at the quoted words."""
    address = f"#c-{citation.passage.id}-{citation.start}-{citation.end}"
    return f'[{citation.marker}]({address} "{attribute(label(citation.passage))}")'


def found_link(passages: Sequence[ScoredPassage]) -> str:
    """The passages found, as a link that carries their ids in the order of their ranks."""
    articles = len({scored.passage.article_id for scored in passages})
    told = phrase(
        "found",
        passages=phrase("passages", count=len(passages)),
        articles=phrase("article count", count=articles),
    )
    return _found(told, passages)


def _found(text: str, passages: Sequence[ScoredPassage]) -> str:
    ids = ".".join(scored.passage.id for scored in sorted(passages, key=lambda scored: scored.rank))
    return f"[{text}](#s-{ids})"


def _looked_for(answer: Answer) -> str:
    """What was looked for in vain, and the passages that came nearest."""
    asked = escape_text(one_line(answer.standalone_question))
    near = phrase("nothing near")
    if answer.passages:
        near = _found(phrase("none answers", count=len(answer.passages)), answer.passages)
    return f'<span class="byline-standing byline-refused">{phrase("looked for", question=asked)} {near}</span>'


def _last_row(answer: Answer, answer_id: str, *, rated: bool, took: str) -> str:
    """What a reader may say and do of an answer, as links that the page's script makes buttons, and what it took."""
    offered = {"up": "helpful", "down": "not helpful"} | ({"wrong": "wrong source"} if answer.citations else {})
    links = [f"[{phrase(key)}](#f-{answer_id}-{name})" for name, key in offered.items()] if rated else []
    links.append(f"[{phrase('copy link')}](#l-question)")
    return f'<span class="byline-rating">{" ".join(links)} <span class="byline-took">{took}</span></span>'


def _took(answer: Answer, searched: str) -> str:
    """Who answered and what it took; which articles were searched where not all."""
    parts = (
        answer.model if answer.mode == "llm" else "" if answer.refused else phrase("quoted"),
        took_in_words(answer),
        phrase("searched only", what=searched) if searched else "",
    )
    return escape_text(one_line(" · ".join(part for part in parts if part)))


def to_plain(answer: Answer) -> str:
    """An answer for a terminal: its text, its numbered sources with the quoted words, and what it took."""
    blocks = [without_controls(answer.text)]
    if answer.notice:
        blocks.append(f"Note: {one_line(answer.notice)}")
    doubts = [
        f"Check: {one_line(answer.text[sentence.start : sentence.end])}\n       ({one_line(sentence.reason)})"
        for sentence in answer.sentences
        if sentence.support != "supported" and sentence.reason
    ]
    if doubts:
        blocks.append("\n".join(doubts))
    blocks += standing_plain(answer)
    if answer.citations:
        blocks.append("Sources:\n" + "\n".join(_plain_sources(answer.citations)))
    blocks.append(took_in_words(answer))
    return "\n\n".join(block for block in blocks if block)


def to_html(answer: Answer, *, anchor: str = "source") -> str:
    """An answer as an HTML fragment for reports: escaped text, citations as links to the list of sources below it.

    Args:
        answer: the answer.
        anchor: start of the ids in the fragment; give each answer on a page its own.
    """
    anchor = html.escape(re.sub(r"[^\w-]", "-", anchor))
    paragraphs = [
        "<p>" + "<br>".join(_html_lines(answer, match.start(), match.end(), anchor)) + "</p>"
        for match in re.finditer(r"[^\n]+(?:\n[^\n]+)*", answer.text)
    ]
    if answer.notice:
        paragraphs.append(f'<p class="byline-notice">{escape_html(answer.notice)}</p>')
    paragraphs += standing_html(answer)
    if answer.citations:
        items = "\n".join(_html_source(marker, group, anchor) for marker, group in by_marker(answer.citations).items())
        paragraphs.append(f'<ol class="byline-sources">\n{items}\n</ol>')
    return "\n".join(paragraphs)


def _structure(text: str) -> list[Edit]:
    """Edits that keep what a model may use: lists, bold, headings (shown bold)."""
    edits = [Edit(match.start(), match.end(), 3, "- ") for match in _BULLET.finditer(text)]
    edits += [Edit(match.start(), match.end(), 3, f"{match[1]}. ") for match in _NUMBERED.finditer(text)]
    for match in _HEADING.finditer(text):
        edits.append(Edit(match.start(), match.start(1), 3, "<strong>"))
        edits.append(Edit(match.end(1), match.end(1), 1, "</strong>\n"))
    for match in _BOLD.finditer(text):
        edits.append(Edit(match.start(), match.start() + 2, 4, "<strong>"))
        edits.append(Edit(match.end() - 2, match.end(), 4, "</strong>"))
    return edits


def _citation_at(match: re.Match[str], citations: Sequence[Citation]) -> Citation | None:
    number = int(match[1])
    for citation in citations:
        if citation.marker == number and citation.answer_start <= match.start() < citation.answer_end:
            return citation
    return None


def _doubt_tag(sentence: SentenceSupport) -> str:
    reason = attribute(one_line(sentence.reason) or phrase("not fully"))
    return f'<span class="byline-doubt byline-{sentence.support}" tabindex="0" title="{reason}">'


def by_marker(citations: Sequence[Citation]) -> dict[int, list[Citation]]:
    """Citations under their marker, in the order of the numbers; the same words under one number stand once."""
    groups: dict[int, list[Citation]] = {}
    for citation in sorted(citations, key=lambda citation: citation.marker):
        group = groups.setdefault(citation.marker, [])
        if all((citation.start, citation.end) != (other.start, other.end) for other in group):
            group.append(citation)
    return groups


def _plain_sources(citations: Sequence[Citation]) -> list[str]:
    lines: list[str] = []
    for marker, group in by_marker(citations).items():
        passage = group[0].passage
        margin = " " * len(f"[{marker}] ")
        lines.append(f"[{marker}] {label(passage)}")
        lines += [f"{margin}“{one_line(citation.quote).strip('“”')}”" for citation in group]
        lines.append(f"{margin}{web_address(passage.url) or one_line(passage.article_id)}")
    return lines


def _html_lines(answer: Answer, start: int, end: int, anchor: str) -> list[str]:
    """The lines of a stretch of the answer's text, markers as links, doubts with their reason."""
    edits = [
        Edit(match.start(), match.end(), 1, f'<a class="byline-citation" href="#{anchor}-{match[1]}">[{match[1]}]</a>')
        for match in _MARKER.finditer(answer.text, start, end)
        if _citation_at(match, answer.citations) is not None
    ]
    edits += html_escapes(answer.text)
    for sentence in answer.sentences:
        if sentence.support != "supported" and start <= sentence.start < sentence.end <= end:
            reason = html.escape(one_line(sentence.reason))
            tag = f'<span class="byline-doubt byline-{sentence.support}" title="{reason}">'
            edits.append(Edit(sentence.start, sentence.start, 2, tag))
            edits.append(Edit(sentence.end, sentence.end, 0, "</span>"))
    inside = [
        edit._replace(start=edit.start - start, end=edit.end - start)
        for edit in edits
        if start <= edit.start and edit.end <= end
    ]
    return apply_edits(answer.text[start:end], inside).split("\n")


def _html_source(marker: int, group: Sequence[Citation], anchor: str) -> str:
    passage = group[0].passage
    quotes = " ".join(f"<q>{escape_html(citation.quote)}</q>" for citation in group)
    address = web_address(passage.url)
    link = f' <a href="{html.escape(address)}" rel="noopener noreferrer">Open the original</a>' if address else ""
    return f'<li id="{anchor}-{marker}" value="{marker}">{html.escape(label(passage))} {quotes}{link}</li>'
