"""Marker forms: how models write a citation, and how to tell one from a number that is none.

`Scanner.scan` takes the markers out of a line and remembers where they stood; `safe_length` says how much of an
unfinished line cannot change any more.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

_WORD = (
    r"(?:sources?|src|passages?|articles?|refs?|references?|citations?|cite|docs?|documents?|"
    r"quellen?|fuentes?|fontes?|fonti)"
)
_NUMBER = r"(?<!\d)\d{1,2}(?!\d)"
_ITEM = rf"(?:{_WORD}\s*[:#._]?\s*|[#^]|no\.\s*)?{_NUMBER}(?::\d{{1,3}}(?=†))?(?:†[^\]】\n,;]{{0,60}})?"
_JOIN = r"(?:\s*(?:[,;&、，+]\s*(?:and\s+|&\s*)?|\band\s+|\bund\s+|\bet\s+|\by\s+|[-–—]\s*|\bto\s+))"
_ITEMS = rf"{_ITEM}(?:{_JOIN}{_ITEM})*"
_LABEL = r"(?:\s*[:|,–—-]\s*[^\[\]【】()\n\d][^\[\]【】()\n]{0,80})?"
_SQUARE = (
    rf"(?:\[\s*\^?\[\s*{_ITEMS}\s*\]\s*\]"
    rf"|\\?[\[【［]\s*(?:{_ITEMS}|{_WORD}\s*[:#]?\s*{_NUMBER}{_LABEL}|{_NUMBER}\s*:\s[^\[\]\n]{{1,80}})\s*\\?[\]】］])"
)
MARKER = re.compile(
    r"(?P<verbatim>`[^`\n]*`|https?://[^\s\])>]+|!?\[(?!\^?\d{1,2}\]|\[)[^\[\]\n]*\]\([^)\s]*\))"
    r"|(?P<artefact>\[cite_start\])"
    rf"|(?P<wrapped>\(\s*(?:see\s+|from\s+|via\s+)?(?:{_WORD}\s*:?\s*)?{_SQUARE}(?:{_JOIN}?\s*{_SQUARE})*\s*\))"
    rf"|(?P<square>(?P<stars>\*{{1,2}}|\^)?{_SQUARE}(?(stars)(?P=stars)?)(?:\((?:https?://|\#|/)[^)\s]*\))?)"
    rf"|(?P<named>\(\s*(?:see\s+|from\s+|via\s+)?(?:sources?|src|passages?|refs?|references?|citations?|cite)"
    rf"\s*[:#.]?\s*{_ITEMS}{_LABEL}\s*\))"
    rf"|(?P<round>\(\s*{_NUMBER}(?:\s*[,;–-]\s*{_NUMBER})*\s*\))"
    rf"|(?P<html><sup>\s*\[?\s*{_ITEMS}\s*\]?\s*</sup>)"
    rf"|(?P<caret>\^{_NUMBER}(?:,{_NUMBER})*\^?)"
    r"|(?P<raised>[⁰¹²³⁴⁵⁶⁷⁸⁹]+(?:[,⸴ ][⁰¹²³⁴⁵⁶⁷⁸⁹]+)*)"
    rf"|(?P<bare>(?<![\[(])\bSources?\s+{_NUMBER}(?:{_JOIN}{_NUMBER})*)",
    re.IGNORECASE,
)
_SQUARES = re.compile(_SQUARE, re.IGNORECASE)
_FIRST_ITEMS = re.compile(_ITEMS, re.IGNORECASE)
_BETWEEN = re.compile(r"\s*(?:[,;&、，+]?\s*(?:and|und|et|y|&)?)\s*")
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_RANGE = re.compile(r"(\d{1,2})\s*(?:[-–—]|\bto\b)\s*(?:[a-z]+\s*)?(\d{1,2})", re.IGNORECASE)

_NEAR = 60  # characters before a marker that tell what it is

# Where a marker is a word of its sentence: "according to [1]", "[1] says that ...".
_LEADS_TO_MARKER = re.compile(
    r"\b(?:to|in|by|from|per|of|see|with|both|as|than|while|whereas|but|laut|selon|según)\s*$", re.IGNORECASE
)
_FOLLOWS_MARKER = re.compile(
    r"\s*(?:also\s+)?(?:says?|said|reports?|reported|states?|stated|notes?|adds?|mentions?|describes?|claims?|confirms?"
    r"|quotes?|puts|gives|does|do|is|are|has|have|only|however)\b",
    re.IGNORECASE,
)
_LIST_PREFIX = re.compile(r"\s*(?:>\s*)*(?:(?:[-*+•–]|\d{1,2}[.)]|\(\d{1,2}\)|#{1,6})\s+)?")


class Mark(NamedTuple):
    """Where a marker stood in the text without markers, and its numbers."""

    place: int
    numbers: tuple[int, ...]


@dataclass
class ScannedLine:
    """A line without its markers: `prefix` is a bullet or number, `body` the rest; places count in `body`."""

    prefix: str
    body: str
    marks: list[Mark] = field(default_factory=list)


def list_prefix(line: str) -> int:
    """How many characters of `line` are a bullet, a number of a list, a quote or heading mark."""
    match = _LIST_PREFIX.match(line)
    return match.end() if match else 0


def write_markers(numbers: Iterable[int]) -> str:
    """`[1][2]`."""
    return "".join(f"[{number}]" for number in numbers)


def marker_numbers(text: str) -> tuple[int, ...]:
    """The numbers a marker names, ranges written out, in order."""
    found: list[int] = []
    for part in [match[0] for match in _SQUARES.finditer(text)] or [text]:
        items = _FIRST_ITEMS.search(part)
        named = re.sub(r"(?::\d+)?†[^\]】,;]*", "", items[0]) if items else ""
        found += [int(number) for number in re.findall(r"\d{1,2}", _RANGE.sub(_write_out, named))]
    return tuple(found)


def _write_out(span: re.Match[str]) -> str:
    first, last = int(span[1]), int(span[2])
    return ", ".join(str(number) for number in range(first, last + 1)) if first < last else span[0]


@dataclass
class Scanner:
    """Takes markers out of lines; remembers what form of marker the answer uses.

    Attributes:
        sources: how many sources there are.
        square_seen: once a marker in square brackets was seen, a number in round ones is not a citation.
        unresolved: numbers that name no source, in order.
    """

    sources: int
    square_seen: bool = False
    unresolved: list[int] = field(default_factory=list)

    def copy(self) -> "Scanner":
        """One that has read the same and can read on by itself."""
        return Scanner(self.sources, self.square_seen, list(self.unresolved))

    def scan(self, line: str) -> ScannedLine:
        """Split a line into prefix, text and marks."""
        start = list_prefix(line)
        result = ScannedLine(line[:start], "")
        table = line.lstrip().startswith("|")
        at = start
        for begin, end, numbers, bare in self._runs(line, start):
            result.body += line[at:begin]
            at = end
            known = tuple(n for n in numbers if 1 <= n <= self.sources)
            self.unresolved += [n for n in numbers if n not in known]
            if known and (table or bare or is_a_word(result.body, line[end:])):
                gap = "" if not result.body or result.body[-1] in ' \t([“"' else " "
                result.body += gap + write_markers(known)
                continue
            at = self._close_gap(result, line, end)
            if known:
                result.marks.append(Mark(len(result.body.rstrip(" \t")), known))
        result.body += line[at:]
        return result

    @staticmethod
    def _close_gap(result: ScannedLine, line: str, end: int) -> int:
        """Leave at most one space where a marker was; returns where in `line` the text goes on."""
        body = result.body.rstrip(" \t")
        after = line[end:].lstrip(" \t" if body else " \t:–-")
        spaced_after = len(after) < len(line) - end
        closes = after[:1] in ".,;:!?…)]}。，！？" or (after[0] in "”’\"'»*_" and not spaced_after)
        if not body or closes:
            result.body = body
        elif spaced_after or body != result.body or (after[0].isalnum() and after[0] < "\u2e80"):
            result.body = body + " "
        return len(line) - len(after)

    def _runs(self, line: str, start: int) -> Iterable[tuple[int, int, tuple[int, ...], bool]]:
        """Markers with nothing but a separator between them, joined: (begin, end, numbers, part of the grammar)."""
        run: tuple[int, int, tuple[int, ...], bool] | None = None
        for match in MARKER.finditer(line, start):
            numbers = self._accepted(match, line)
            if numbers is None:
                continue
            bare = match.lastgroup == "bare"
            if run and _BETWEEN.fullmatch(line, run[1], match.start()):
                run = (run[0], match.end(), run[2] + numbers, run[3] or bare)
                continue
            if run:
                yield run
            run = (match.start(), match.end(), numbers, bare)
        if run:
            yield run

    def _accepted(self, match: re.Match[str], line: str) -> tuple[int, ...] | None:
        """The numbers of a marker, or None where the match is no citation."""
        kind = next(name for name, text in match.groupdict().items() if text is not None and name != "stars")
        before, after = line[max(0, match.start() - _NEAR) : match.start()], line[match.end() :]
        if kind == "verbatim":
            return None
        if kind == "artefact":
            return ()
        if kind == "raised":
            return self._raised(match[0], before)
        numbers = marker_numbers(match[0])
        if kind == "round":
            return numbers if self._round_is_citation(numbers, line, match) else None
        if kind == "caret":
            return None if re.search(r"(?:\d|\b\w|[)\]])$", before) else numbers
        if kind == "bare":
            return numbers if all(1 <= n <= self.sources for n in numbers) else None
        if kind == "square":
            if _is_code(before, match[0], after, numbers):
                return None
            self.square_seen |= any(1 <= n <= self.sources for n in numbers)
        return numbers

    def _raised(self, text: str, before: str) -> tuple[int, ...] | None:
        """Superscript digits are markers after a word, not after a number or a unit."""
        if not before.strip() or re.search(r"(?:\d\s?|\b(?:[kcdmµ]?m|ft|in|mi|yd|[a-zA-Z]))$", before):
            return None
        numbers: list[int] = []
        for group in re.findall(r"\d+", text.translate(_RAISED)):
            numbers += [int(group)] if int(group) <= self.sources else [int(digit) for digit in group]
        return tuple(numbers)

    def _round_is_citation(self, numbers: Sequence[int], line: str, match: re.Match[str]) -> bool:
        """`(1)` counts where it ends a sentence, in an answer that has no square brackets."""
        before, after = line[: match.start()].rstrip(), line[match.end() :]
        if self.square_seen or not before or before[-1].isdigit() or not all(1 <= n <= self.sources for n in numbers):
            return False
        rest = re.sub(r"^(?:\s*[,;]?\s*\(\d{1,2}\))+", "", after)
        ends = bool(re.match(r"\s*(?:[.!?…]|$)", rest)) or (
            before[-1] in '.!?”"' and bool(re.match(r"\s+[A-Z“\"]", rest))
        )
        # A number in brackets that is followed by something else shows that they count things here.
        counting = re.search(r"\(\d{1,2}\)(?!\s*(?:[.!?…(]|[,;]\s*\(|$))", line[: match.end()] + after[:1])
        return ends and not (counting and counting.start() < match.start() and before[-1] not in '.!?”"')


def _is_code(before: str, brackets: str, after: str, numbers: Sequence[int]) -> bool:
    """Whether brackets directly after a name are an index into it: `a[1]`, `rows[0]`, `x[2] = 3`."""
    name = re.search(r"[A-Za-z_][\w.]*$", before)
    if not name or not re.match(r"\[\d", brackets):
        return False
    return (
        0 in numbers
        or bool(re.match(r"\s*(?:=|\+=|\.[a-z_]+\()", after))
        or "_" in name[0]
        or (len(name[0]) == 1 and name[0].islower())
    )


def is_a_word(before: str, after: str) -> bool:
    """Whether a marker between `before` and `after` is a word of its sentence ("according to [1]", "[1] says ...")."""
    if _LEADS_TO_MARKER.search(before[-_NEAR:]):
        return True
    starts = not before.strip() or before.rstrip()[-1] in ".!?”"
    return starts and bool(_FOLLOWS_MARKER.match(after))


_OPENED = re.compile(r"(?=([\[【［][^\[\]【】\n]{0,100}$|\([^()\n]{0,100}$|<[^>\n]{0,30}$))")
_RUN_AT_END = re.compile(r"[\s,;&]*(?:\b(?:and|und|et|y)\s*)?$")


def unfinished_marker(line: str) -> int:
    """Where in `line` a marker begins that has not been closed; the length of the line if there is none."""
    for opened in _OPENED.finditer(line):
        if _could_be_marker(opened[1]):
            return opened.start()
    return len(line)


def safe_length(line: str) -> int:
    """How much of an unfinished line cannot change by what follows: whole words, no marker at the end."""
    length = min(max(line.rfind(" "), line.rfind("\t"), 0), unfinished_marker(line))
    if line.count("`") % 2:
        length = min(length, line.rfind("`"))
    if source := re.search(r"\bSources?\s+(?:\d[\d\s,&–-]*(?:and|to|a|t)?\s*)?$", line[: length + 1], re.IGNORECASE):
        length = min(length, source.start())
    # A marker needs the word after it: it may go on, be part of the grammar or count things.
    for match in reversed([match for match in MARKER.finditer(line) if not match["verbatim"]]):
        if match.start() < length and (match.end() > length or _RUN_AT_END.fullmatch(line, match.end(), length)):
            length = match.start()
    return length


def _could_be_marker(opened: str) -> bool:
    """Whether an unclosed bracket may still become a marker."""
    inside = opened[1:].lstrip().lower()
    if opened[0] == "<":
        return "sup>".startswith(inside[:4])
    words = re.findall(r"[a-z_]+", re.split(r"\d", inside, maxsplit=1)[0])
    known = all(any(opening.startswith(word) for opening in _OPENING_WORDS) for word in words)
    return known and not re.match(r"\D*\d{3}", inside)


_OPENING_WORDS = ("see", "from", "via", "no", "sources", "passages", "articles", "references", "refs", "src",
                  "citations", "cite_start", "documents", "docs", "quellen", "fuentes", "fontes", "fonti")  # fmt: skip
