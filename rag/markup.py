"""Markup: any text as markdown or HTML that shows exactly its characters and does nothing else.

Every character that markdown or HTML could read as more than itself is written as a character reference; Byline's own
markup is added as edits of the same text, never by reading what came out.
"""

import html
import re
from collections.abc import Iterable
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from index.articles import Article
from index.passages import Passage

LONGEST_LABEL: Final = 160
"""Longest text, in characters, of a citation's label: title, outlet, date."""

_CONTROLS: Final = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
"""Characters that move the cursor, colour a terminal or turn the direction of text around."""

_SPECIAL: Final = re.compile(r"[<>&\[\]`*_~|\\$@{}]|:(?=//)|(?<=www)\.", re.IGNORECASE)
_LINE_START: Final = re.compile(r"^[^\S\n]*(?:(?P<number>\d{1,9})(?=[.)])|(?P<mark>[-+=#]))", re.MULTILINE)
_INDENT: Final = re.compile(r"^[^\S\n]+", re.MULTILINE)
_CONTROL: Final = re.compile(_CONTROLS)


class Edit(NamedTuple):
    """Replace the characters from `start` to `end` of a text; `order` ranks edits at the same place."""

    start: int
    end: int
    order: int
    replacement: str


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
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


def markdown_escapes(text: str) -> list[Edit]:
    """Edits that leave nothing for markdown or HTML to read as markup."""
    edits = [Edit(match.start(), match.end(), 9, _reference(match.group())) for match in _SPECIAL.finditer(text)]
    edits += [Edit(match.start(), match.end(), 9, "") for match in _CONTROL.finditer(text)]
    edits += [Edit(match.start(), match.end(), 8, "") for match in _INDENT.finditer(text)]
    for match in _LINE_START.finditer(text):
        if match["mark"]:
            edits.append(Edit(match.start("mark"), match.end("mark"), 9, _reference(match["mark"])))
        else:
            end = match.end("number")
            edits.append(Edit(end, end + 1, 9, _reference(text[end])))
    return edits


def html_escapes(text: str) -> list[Edit]:
    """Edits that leave nothing for HTML to read as markup."""
    edits = [
        Edit(match.start(), match.end(), 9, html.escape(match.group())) for match in re.finditer(r"[<>&\"']", text)
    ]
    return edits + [Edit(match.start(), match.end(), 9, "") for match in _CONTROL.finditer(text)]


def escape_text(text: str) -> str:
    """What a person or an error message says, as markdown that shows exactly these characters."""
    return apply_edits(text, markdown_escapes(text))


def escape_html(text: str) -> str:
    """A text as HTML that shows exactly these characters."""
    return html.escape(without_controls(text))


def attribute(value: str) -> str:
    """A text as the value of an attribute or of a markdown link's title."""
    return re.sub(r"[^\w\s,.;:?!'’“”–—…-]", lambda match: _reference(match.group()), value)


def one_line(text: str) -> str:
    """A text without control characters and line breaks."""
    return " ".join(without_controls(text).split())


def without_controls(text: str) -> str:
    """A text without the characters that command a terminal or turn the direction of text around."""
    return _CONTROL.sub("", text)


def label(item: Passage | Article) -> str:
    """Title, outlet and date of an article, or of a passage's, those that are known, in one line."""
    parts = (item.title, item.source, item.published)
    return shortened(", ".join(one_line(part) for part in parts if part))


def shortened(line: str, most: int = LONGEST_LABEL) -> str:
    """A line of at most `most` characters, cut between words where there is a place near the end."""
    if len(line) <= most:
        return line
    cut = line[: most - 1]
    words, _, rest = cut.rpartition(" ")
    return (words if words and len(rest) < most // 4 else cut).rstrip(" ,;:–—-") + "…"


def web_address(url: str | None) -> str | None:
    """`url` where it is an http(s) address a person may be sent to, else None."""
    if not url or re.search(r"\s|" + _CONTROLS, url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.hostname else None


def _reference(characters: str) -> str:
    return "".join(f"&#{ord(character)};" for character in characters)
