"""Markers: every way a model writes a citation becomes `[n]` at the end of its sentence, while the answer streams.

What a line says without its markers is split into sentences, and each sentence's markers go before its full stop
(`five hours [1][2].`), or after the closing quotation mark where the full stop stands inside it (`“We agree.” [1]`).
A marker that is part of the grammar (`according to [1], ...`) stays where it is, as do those in tables. Code, links and
addresses are left alone.
"""

import re
from collections.abc import Sequence

from index.sentences import Span, split_sentences
from rag.marker_forms import (
    MARKER,
    Mark,
    ScannedLine,
    Scanner,
    marker_numbers,
    safe_length,
    unfinished_marker,
    write_markers,
)

# A canonical marker: after white space, the start of the line or another marker, so that `a[1]` is none.
CANONICAL = re.compile(r"(?:(?<=[\s\]])|^)\[(\d{1,2})\]", re.MULTILINE)
CODE = re.compile(r"`[^`\n]*`")

_FENCE = re.compile(r"\s*(?:```|~~~)")
_END_STOPS = re.compile(r"[.!?…:;,。！？：；，]+$")
_STOPS = ".!?…:;,。！？：；， \t"
_ABBREVIATION = re.compile(r"(?:\b[A-Za-z]\.(?:[A-Za-z]\.)+|\b(?:Jr|Sr|Inc|Ltd|Co|Corp|etc|al)\.)$")
_STOP_BEFORE = re.compile(r"[.!?…][\"”’'»)\]*_]*$")
_STOPS_AT = re.compile(r"[.!?…]+")
_LEFT_OVER = re.compile(r"[*_\"”’'»)\]]+")  # `**` after a full stop
_START_AFTER = re.compile(r"\s+[\"“‘'«(*_]*[A-ZÀ-ÖØ-ÞА-Я]")
_WIDE_STOP = re.compile(r"[。！？]+[”’」』）]*")

# A line of these words alone heads a list of sources, or holds nothing but markers.
_SOURCE_LINE_WORDS = {"source", "sources", "reference", "references", "citation", "citations", "footnote", "footnotes",
                      "bibliography", "works", "cited", "used", "and", "see", "quellen", "fuentes"}  # fmt: skip
_ENTRY = re.compile(
    r"\s*(?:[-*+•]\s+|\**(?:\[\^?\d{1,2}\]|\d{1,2}[.):]\s|\(\d{1,2}\)|source\s+\d|【\d|[¹²³⁴⁵⁶⁷⁸⁹]|https?://))",
    re.IGNORECASE,
)
_FOOTNOTE = re.compile(r"\s*\[\^?\d{1,2}\]:\s")


def prose_sentences(text: str, marks: Sequence[int] = ()) -> list[Span]:
    """The sentences of a text without markers.

    Full-width stops end a sentence even where no space follows.

    Args:
        text: the text.
        marks: where markers stood; one beside a stop that a capital letter follows ends a sentence ("5 p.m. [1] He").
    """
    cuts = {stop.end() for stop in _WIDE_STOP.finditer(text)}
    for place in marks:
        stop = _STOPS_AT.match(text, place)
        after = stop.end() if stop else place
        if (stop or _STOP_BEFORE.search(text[:place])) and _START_AFTER.match(text, after):
            cuts.add(after)
    spans: list[Span] = []
    for span in split_sentences(text):
        start = span.start
        for end in [*sorted(cut for cut in cuts if span.start < cut < span.end), span.end]:
            while start < end and text[start].isspace():
                start += 1
            if spans and _LEFT_OVER.fullmatch(text, start, end):
                spans[-1] = Span(spans[-1].start, end)
            elif start < end:
                spans.append(Span(start, end))
            start = end
    return spans


def _render(line: ScannedLine, *, open_end: bool) -> str:
    """A line with its markers at the ends of its sentences.

    Args:
        line: the scanned line.
        open_end: whether more of its last sentence may come; then neither its markers nor its stop is shown.
    """
    body = line.body.rstrip()
    spans = prose_sentences(body, [mark.place for mark in line.marks])
    if not spans:
        return (line.prefix + body).rstrip()
    wanted = _assign(line.marks, spans)
    pieces = [line.prefix]
    at = 0
    for index, span in enumerate(spans):
        pieces.append(body[at : span.start])
        sentence = body[span.start : span.end]
        at = span.end
        if open_end and index == len(spans) - 1:
            pieces.append(sentence.rstrip(_STOPS))
            return "".join(pieces).rstrip()
        shown = {int(number) for number in CANONICAL.findall(sentence)}
        numbers = [n for n in dict.fromkeys(wanted[index]) if n not in shown]
        pieces.append(_with_markers(sentence, numbers))
    return "".join(pieces) + body[at:]


def _assign(marks: Sequence[Mark], spans: Sequence[Span]) -> list[list[int]]:
    """The numbers of each sentence."""
    wanted: list[list[int]] = [[] for _ in spans]
    leading = bool(marks) and marks[0].place <= spans[0].start
    for mark in marks:
        begun = [index for index, span in enumerate(spans) if span.start < mark.place]
        index = begun[-1] if begun else 0
        between = bool(begun) and mark.place >= spans[index].end
        if between and leading and index + 1 < len(spans):
            index += 1
        wanted[index] += mark.numbers
    return wanted


def _with_markers(sentence: str, numbers: Sequence[int]) -> str:
    if not numbers:
        return sentence
    stop = _END_STOPS.search(sentence)
    if not stop or _ABBREVIATION.search(sentence):
        return f"{sentence} {write_markers(numbers)}"
    return f"{sentence[: stop.start()].rstrip()} {write_markers(numbers)}{stop.group()}"


class MarkerStream:
    """Reads an answer piece by piece and gives it back with canonical markers only.

    What `feed` returns only ever grows, is a beginning of what `finish` returns, and does not depend on how the answer
    was cut into pieces. A list of sources that the model adds under its answer is left out.
    """

    def __init__(self, source_count: int) -> None:
        self._scanner = Scanner(source_count)
        self._settled = ""
        self._tail: ScannedLine | None = None  # the last line of prose: markers on the next line may be its own
        self._gap = ""  # what stands between the tail and the next line
        self._open = ""  # the line that has not ended
        self._references: list[str] = []  # lines under a heading such as "Sources:"
        self._ahead: tuple[int, ...] = ()  # markers on a line before the first line of prose
        self._fenced = False
        self._last: tuple[str, str] = ("", "")  # what of the open line was shown last, and all the text with it

    @property
    def unresolved(self) -> list[int]:
        """The numbers read so far that name no source, in order, with repeats."""
        return list(self._scanner.unresolved)

    def feed(self, piece: str) -> str:
        """Take the next piece; returns all text so far that is safe to show."""
        self._open += piece.replace("\r", "")
        while "\n" in self._open:
            line, _, self._open = self._open.partition("\n")
            self._take(line)
        return self._shown()

    def finish(self) -> str:
        """The answer is at its end; returns the whole text."""
        if self._open:
            line, self._open = self._open, ""
            self._take(line)
        self._references.clear()
        self._settle()
        return self._settled.strip()

    def _settle(self) -> None:
        if self._tail:
            self._settled += _render(self._tail, open_end=False)
            self._tail = None
        self._settled += self._gap
        self._gap = ""

    def _take(self, line: str) -> None:
        """Read a line that has ended."""
        self._last = ("", "")
        if self._fenced or _FENCE.match(line):
            self._release()
            self._settle()
            self._settled += line + "\n"
            self._fenced = not self._fenced if _FENCE.match(line) else self._fenced
        elif not line.strip():
            if self._references:
                self._references.append(line)
            elif self._tail or self._settled:
                self._gap += "\n"
        elif self._references and (_ENTRY.match(line) or _FOOTNOTE.match(line)):
            self._references.append(line)
        elif _FOOTNOTE.match(line) and (self._tail or self._settled):
            return
        elif _only_source_words(line):
            self._take_source_line(line)
        else:
            self._release()
            self._take_prose(line)

    def _take_prose(self, line: str) -> None:
        self._settle()
        self._tail = self._scanner.scan(line[: unfinished_marker(line)])
        if self._ahead:
            self._tail.marks.insert(0, Mark(0, self._ahead))
            self._ahead = ()
        self._gap = "\n"

    def _take_source_line(self, line: str) -> None:
        """A line of markers belongs to the prose before it; a heading of sources starts a list to leave out."""
        numbers = marker_numbers(line)
        if not numbers:
            if re.search(r"[^\W\d_]", line):
                self._references.append(line)
            else:
                self._take_prose(line)
            return
        known = tuple(n for n in numbers if 1 <= n <= self._scanner.sources)
        self._scanner.unresolved += [n for n in numbers if n not in known]
        if self._tail:
            self._tail.marks.append(Mark(len(self._tail.body.rstrip()), known))
        else:
            self._ahead += known

    def _release(self) -> None:
        """What looked like a list of sources goes on as prose: give it back."""
        lines, self._references = self._references, []
        for line in lines:
            if line.strip():
                self._take_prose(line)
            else:
                self._gap += "\n"

    def _shown(self) -> str:
        settled = self._settled
        if self._fenced:
            return settled.strip()
        line = self._open[: safe_length(self._open)]
        undecided = (
            self._references
            or _FENCE.match(self._open)
            or (_FOOTNOTE.match(self._open) and (self._tail or self._settled))
            or _only_source_words(line)
            or not line.strip()
        )
        if undecided:
            return (settled + (_render(self._tail, open_end=True) if self._tail else "")).strip()
        if self._last[0] == line and self._last[1]:
            return self._last[1]
        if self._tail:
            settled += _render(self._tail, open_end=False)
        opened = self._scanner.copy().scan(line)
        if self._ahead:
            opened.marks.insert(0, Mark(0, self._ahead))
        self._last = line, (settled + self._gap + _render(opened, open_end=True)).strip()
        return self._last[1]


def _only_source_words(line: str) -> bool:
    """Whether a line holds nothing but markers, numbers and words such as "Sources"."""
    words = re.findall(r"[^\W\d_]+", MARKER.sub(_digits_only, line).lower())
    return all(word in _SOURCE_LINE_WORDS for word in words)


def _digits_only(match: re.Match[str]) -> str:
    return match[0] if match["verbatim"] else " ".join(re.findall(r"\d+", match[0]))
