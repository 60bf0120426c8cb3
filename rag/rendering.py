"""Answer -> safe markdown for the page, plain text for the terminal, HTML for reports.

Text of articles, models and people never becomes markup. For the page every character that markdown or HTML could
read as more than itself is written as a character reference; only then are Byline's own links, lists and bold added.
The whole text is rendered at each update: a filter that sees one piece at a time misses a link cut in two.
"""

import html
import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from index.passages import Passage
from rag.answers import Answer
from rag.citations import Citation
from rag.retrieval import ScoredPassage
from rag.support import SentenceSupport

LONGEST_LABEL: Final = 160
"""Longest text, in characters, of a citation's label: title, outlet, date."""

_CONTROLS: Final = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
"""Characters that move the cursor, colour a terminal or turn the direction of text around."""

_MARKER: Final = re.compile(r"\[(\d{1,3})\]")
_SPECIAL: Final = re.compile(r"[<>&\[\]`*_~|\\$@{}]|:(?=//)|(?<=www)\.", re.IGNORECASE)
_LINE_START: Final = re.compile(r"^[^\S\n]*(?:(?P<number>\d{1,9})(?=[.)])|(?P<mark>[-+=#]))", re.MULTILINE)
_INDENT: Final = re.compile(r"^[^\S\n]+", re.MULTILINE)
_CONTROL: Final = re.compile(_CONTROLS)
_BULLET: Final = re.compile(r"^[^\S\n]*[-*•][^\S\n]+(?=\S)", re.MULTILINE)
_NUMBERED: Final = re.compile(r"^[^\S\n]*(\d{1,3})[.)][^\S\n]+(?=\S)", re.MULTILINE)
_HEADING: Final = re.compile(r"^[^\S\n]*#{1,6}[^\S\n]+(\S[^\n]*)", re.MULTILINE)
_BOLD: Final = re.compile(r"\*\*(?=[^\s*])([^\n*]{1,400}?)(?<=[^\s*])\*\*")

_OWN_FOUND: Final = re.compile(r"\[[^\[\]]{0,80}\]\(#s-[0-9a-f.]*\)\s*")
_OWN_CITATION: Final = re.compile(r'\[(\d{1,3})\]\(#c-[0-9a-f]+-\d+-\d+(?: "[^"]*")?\)')
_OWN_TAG: Final = re.compile(r"</?(?:span|strong)\b[^<>]{0,400}>")


class _Edit(NamedTuple):
    """Replace the characters from `start` to `end` of a text; `order` ranks edits at the same place."""

    start: int
    end: int
    order: int
    replacement: str


def to_markdown(
    text: str,
    citations: Sequence[Citation] = (),
    *,
    sentences: Sequence[SentenceSupport] = (),
    notice: str = "",
    writing: bool = False,
) -> str:
    """The text of an answer as markdown in which only Byline's own markup has an effect.

    Args:
        text: the whole text so far, its markers in canonical form.
        citations: those of the text; a marker without one stays plain characters.
        sentences: verdicts; what is not supported is underlined and carries the reason.
        notice: what the reader must know of how the answer came to be.
        writing: True while more text is to come: a caret stands at the end.
    """
    structure = _structure(text)
    edits = [
        _Edit(match.start(), match.end(), 1, citation_link(citation))
        for match in _MARKER.finditer(text)
        if (citation := _citation_at(match, citations)) is not None
    ]
    for sentence in sentences:
        if sentence.support != "supported" and sentence.start < sentence.end:
            # A list's dash has to stay first on its line.
            start = next((edit.end for edit in structure if edit.start <= sentence.start < edit.end), sentence.start)
            edits.append(_Edit(start, start, 2, _doubt_tag(sentence)))
            edits.append(_Edit(sentence.end, sentence.end, 0, "</span>"))
    markdown = _apply(text, structure + edits + _escapes(text))
    if notice:
        markdown += f'\n\n<span class="byline-notice">{escape_text(_one_line(notice))}</span>'
    if writing:
        markdown += '<span class="byline-caret"></span>'
    return markdown


def escape_text(text: str) -> str:
    """What a person or an error message says, as markdown that shows exactly these characters."""
    return _apply(text, _escapes(text))


def plain_message(markdown: str) -> str:
    """The plain text of a message as the page shows it: what `to_markdown` or `escape_text` was given.

    Messages come back from the browser, which may send anything: the result is text, nothing more.
    """
    text = _OWN_FOUND.sub("", markdown)
    text = _OWN_CITATION.sub(r"[\1]", text)
    return html.unescape(_OWN_TAG.sub("", text)).strip()


def citation_link(citation: Citation) -> str:
    """A citation as a markdown link: the page's script opens the article at the quoted words."""
    address = f"#c-{citation.passage.id}-{citation.start}-{citation.end}"
    return f'[{citation.marker}]({address} "{_attribute(label(citation.passage))}")'


def found_link(passages: Sequence[ScoredPassage]) -> str:
    """The passages found, as a link that carries their ids in the order of their ranks."""
    articles = len({scored.passage.article_id for scored in passages})
    words = f"{_count(len(passages), 'passage')} in {_count(articles, 'article')}"
    ids = ".".join(scored.passage.id for scored in sorted(passages, key=lambda scored: scored.rank))
    return f"[{words}](#s-{ids})"


def label(passage: Passage) -> str:
    """Title, outlet and date of the article of a passage, those that are known, in one line."""
    parts = (passage.title, passage.source, passage.published)
    line = ", ".join(_one_line(part) for part in parts if part)
    return line if len(line) <= LONGEST_LABEL else line[: LONGEST_LABEL - 1].rstrip() + "…"


def web_address(url: str | None) -> str | None:
    """`url` where it is an http(s) address a person may be sent to, else None."""
    if not url or re.search(r"\s|" + _CONTROLS, url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.hostname else None


def to_plain(answer: Answer) -> str:
    """An answer for a terminal: its text, then its numbered sources with the quoted words."""
    blocks = [_without_controls(answer.text)]
    if answer.notice:
        blocks.append(f"Note: {_one_line(answer.notice)}")
    doubts = [
        f"Check: {_one_line(answer.text[sentence.start : sentence.end])}\n       ({_one_line(sentence.reason)})"
        for sentence in answer.sentences
        if sentence.support != "supported" and sentence.reason
    ]
    if doubts:
        blocks.append("\n".join(doubts))
    if answer.citations:
        blocks.append("Sources:\n" + "\n".join(_plain_sources(answer.citations)))
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
        paragraphs.append(f'<p class="byline-notice">{_html_text(answer.notice)}</p>')
    if answer.citations:
        items = "\n".join(_html_source(marker, group, anchor) for marker, group in _by_marker(answer.citations).items())
        paragraphs.append(f'<ol class="byline-sources">\n{items}\n</ol>')
    return "\n".join(paragraphs)


def _escapes(text: str) -> list[_Edit]:
    """Edits that leave nothing for markdown or HTML to read as markup."""
    edits = [_Edit(match.start(), match.end(), 9, _reference(match.group())) for match in _SPECIAL.finditer(text)]
    edits += [_Edit(match.start(), match.end(), 9, "") for match in _CONTROL.finditer(text)]
    edits += [_Edit(match.start(), match.end(), 8, "") for match in _INDENT.finditer(text)]
    for match in _LINE_START.finditer(text):
        if match["mark"]:
            edits.append(_Edit(match.start("mark"), match.end("mark"), 9, _reference(match["mark"])))
        else:
            end = match.end("number")
            edits.append(_Edit(end, end + 1, 9, _reference(text[end])))
    return edits


def _structure(text: str) -> list[_Edit]:
    """Edits that keep what a model may use: lists, bold, headings (shown bold)."""
    edits = [_Edit(match.start(), match.end(), 3, "- ") for match in _BULLET.finditer(text)]
    edits += [_Edit(match.start(), match.end(), 3, f"{match[1]}. ") for match in _NUMBERED.finditer(text)]
    for match in _HEADING.finditer(text):
        edits.append(_Edit(match.start(), match.start(1), 3, "<strong>"))
        edits.append(_Edit(match.end(1), match.end(1), 1, "</strong>\n"))
    for match in _BOLD.finditer(text):
        edits.append(_Edit(match.start(), match.start() + 2, 4, "<strong>"))
        edits.append(_Edit(match.end() - 2, match.end(), 4, "</strong>"))
    return edits


def _apply(text: str, edits: Iterable[_Edit]) -> str:
    """Carry out edits from left to right; one that begins inside what was already replaced is left out."""
    pieces: list[str] = []
    done = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end > edit.start, edit.order)):
        if edit.start < done:
            # A tag that would open inside replaced text still has to be opened, or its end would stand alone.
            if edit.start == edit.end:
                pieces.append(edit.replacement)
            continue
        pieces += (text[done : edit.start], edit.replacement)
        done = edit.end
    pieces.append(text[done:])
    return "".join(pieces)


def _citation_at(match: re.Match[str], citations: Sequence[Citation]) -> Citation | None:
    number = int(match[1])
    for citation in citations:
        if citation.marker == number and citation.answer_start <= match.start() < citation.answer_end:
            return citation
    return None


def _doubt_tag(sentence: SentenceSupport) -> str:
    reason = _attribute(_one_line(sentence.reason) or "The cited words do not fully say this.")
    return f'<span class="byline-doubt byline-{sentence.support}" tabindex="0" title="{reason}">'


def _reference(characters: str) -> str:
    return "".join(f"&#{ord(character)};" for character in characters)


def _attribute(value: str) -> str:
    """A text as the value of an attribute or of a markdown link's title."""
    return re.sub(r"[^\w\s,.;:?!'’“”–—…-]", lambda match: _reference(match.group()), value)


def _one_line(text: str) -> str:
    return " ".join(_without_controls(text).split())


def _without_controls(text: str) -> str:
    return _CONTROL.sub("", text)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _by_marker(citations: Sequence[Citation]) -> dict[int, list[Citation]]:
    """Citations under their marker, in the order of the numbers; the same words under one number stand once."""
    groups: dict[int, list[Citation]] = {}
    for citation in sorted(citations, key=lambda citation: citation.marker):
        group = groups.setdefault(citation.marker, [])
        if all((citation.start, citation.end) != (other.start, other.end) for other in group):
            group.append(citation)
    return groups


def _plain_sources(citations: Sequence[Citation]) -> list[str]:
    lines: list[str] = []
    for marker, group in _by_marker(citations).items():
        passage = group[0].passage
        margin = " " * len(f"[{marker}] ")
        lines.append(f"[{marker}] {label(passage)}")
        lines += [f"{margin}“{_one_line(citation.quote).strip('“”')}”" for citation in group]
        lines.append(f"{margin}{web_address(passage.url) or _one_line(passage.article_id)}")
    return lines


def _html_text(text: str) -> str:
    return html.escape(_without_controls(text))


def _html_lines(answer: Answer, start: int, end: int, anchor: str) -> list[str]:
    """The lines of a stretch of the answer's text, markers as links, doubts with their reason."""
    edits = [
        _Edit(match.start(), match.end(), 1, f'<a class="byline-citation" href="#{anchor}-{match[1]}">[{match[1]}]</a>')
        for match in _MARKER.finditer(answer.text, start, end)
        if _citation_at(match, answer.citations) is not None
    ]
    edits += [
        _Edit(match.start(), match.end(), 9, html.escape(match.group()))
        for match in re.finditer(r"[<>&\"']", answer.text)
    ]
    edits += [_Edit(match.start(), match.end(), 9, "") for match in _CONTROL.finditer(answer.text)]
    for sentence in answer.sentences:
        if sentence.support != "supported" and start <= sentence.start < sentence.end <= end:
            reason = html.escape(_one_line(sentence.reason))
            tag = f'<span class="byline-doubt byline-{sentence.support}" title="{reason}">'
            edits.append(_Edit(sentence.start, sentence.start, 2, tag))
            edits.append(_Edit(sentence.end, sentence.end, 0, "</span>"))
    inside = [
        edit._replace(start=edit.start - start, end=edit.end - start)
        for edit in edits
        if start <= edit.start and edit.end <= end
    ]
    return _apply(answer.text[start:end], inside).split("\n")


def _html_source(marker: int, group: Sequence[Citation], anchor: str) -> str:
    passage = group[0].passage
    quotes = " ".join(f"<q>{_html_text(citation.quote)}</q>" for citation in group)
    address = web_address(passage.url)
    link = f' <a href="{html.escape(address)}" rel="noopener noreferrer">Open the original</a>' if address else ""
    return f'<li id="{anchor}-{marker}" value="{marker}">{html.escape(label(passage))} {quotes}{link}</li>'
