"""What a news text says about itself: headline, outlet, date, author; and which of its lines are not content.

Every rule takes what stands in the text and moves or drops it whole; nothing is guessed. A headline is a short first
or last line without a full stop. An outlet counts where news agencies put it: in the dateline (`BERLIN (AP) —`), in
a closing credit (`— Agencies`) or after `Source:`. An author counts in a line `By Jane Doe` near the top, which stays.
A date counts where it is whole and stands in the dateline or alone in a line near the top or the end; a date within a
sentence is the story's, not the article's.
"""

import datetime
import re
import unicodedata
from collections.abc import Mapping
from typing import NamedTuple

from index.characters import visible

_TITLE_CHARACTERS = 150
_DERIVED_TITLE_CHARACTERS = 80


class Stated(NamedTuple):
    """What is said of an article outside its text, and where."""

    value: str
    where: str


class Found(NamedTuple):
    """The parts of an article's text; `text` is empty where there is no content.

    `found_in` says of each part that is known, but the text, where it stood: see `index.articles.Article`.
    """

    title: str
    source: str | None
    url: str | None
    published: str | None
    text: str
    author: str | None
    found_in: Mapping[str, str]


def find_parts(raw: str, *, markdown: bool = False, stated: Mapping[str, Stated] | None = None) -> Found:
    """Take a text apart.

    Args:
        raw: the text as it came.
        markdown: whether it is written in Markdown.
        stated: what is said of it elsewhere, such as by its page: title, source, url, published, author. It counts
            more than what the text says.
    """
    known = {part: one for part, one in (stated or {}).items() if one.value.strip()}
    raw = _uniform(raw)
    if markdown:
        fields, raw = _front_matter(raw)
        known = {part: Stated(value, "front matter") for part, value in fields.items()} | known
        raw = _plain_markdown(raw)
    known = {part: one for part, one in ((name, _usable(name, one)) for name, one in known.items()) if one.value}
    nothing = Stated("", "")
    lines = _trim([line.rstrip() for line in raw.split("\n") if not is_boilerplate(line)])
    date_line, lines = _take_date_line(lines)
    lines, credit = _take_closing_credit(lines)
    if markdown and "title" in known:
        lines = [line.removeprefix("# ") for line in lines]
    headline, lines = (
        ("", _without_title(lines, known["title"].value)) if "title" in known else _take_title(lines, markdown=markdown)
    )
    if "author" in known:
        lines = _without_byline(lines, known["author"].value)
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(_trim(lines)))
    dateline = find_dateline(text)
    found_in: dict[str, str] = {}

    def first(part: str, *candidates: tuple[str | None, str]) -> str | None:
        value, found_in[part] = next((one for one in candidates if one[0]), (None, ""))
        return value

    found = Found(
        title=first("title", known.get("title", nothing), (headline, "headline"),
                    (_first_words(text[dateline.end :]), "first words")) or "",
        source=first("source", known.get("source", nothing), (dateline.outlet, "dateline"), (credit, "closing credit")),
        url=first("url", known.get("url", nothing)),
        published=first("published", known.get("published", nothing), (date_line, "date line"),
                        (dateline.date, "dateline")),
        text=text,
        author=first("author", known.get("author", nothing), (_byline(lines), "byline")),
        found_in={},
    )  # fmt: skip
    return found._replace(found_in={part: place for part, place in sorted(found_in.items()) if place})


# What a page or file says of itself is cut here, at a word where it can be.
_LONGEST = {"title": 300, "source": 100, "author": 200, "url": 2000}


def _usable(part: str, stated: Stated) -> Stated:
    """A value in one line of a bearable length; empty where it is no address or no whole date."""
    value = " ".join(_uniform(stated.value[:10_000]).split())
    if part == "url":
        value = _web_address(value) or "" if len(value) <= _LONGEST["url"] else ""
    elif part == "published":
        value = as_iso(value) or ""
    elif len(value) > _LONGEST[part]:
        value = value[: _LONGEST[part]].rsplit(None, 1)[0].rstrip(" ,;:–—-") + "…"
    return Stated(value, stated.where)


# --- characters -------------------------------------------------------------------------------------------------


def _uniform(raw: str) -> str:
    """One kind of line end, ordinary spaces, composed letters, nothing invisible."""
    text = re.sub(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]", "\n", raw)
    text = re.sub("[\u00a0\u202f\u2007]", " ", visible(text))
    # Half a surrogate pair, as broken JSON holds, is no character that can be stored.
    return unicodedata.normalize("NFC", re.sub("[\ud800-\udfff]", "\ufffd", text))


def _trim(lines: list[str]) -> list[str]:
    """Drop the blank lines at both ends."""
    full = [number for number, line in enumerate(lines) if line.strip()]
    return lines[full[0] : full[-1] + 1] if full else []


# --- Markdown ---------------------------------------------------------------------------------------------------


def _front_matter(raw: str) -> tuple[dict[str, str], str]:
    """The `key: value` lines between two `---` at the very top, under our names, and what follows them."""
    match = re.match(r"---[ \t]*\n(.*?)\n---[ \t]*(?:\n|$)", raw.lstrip("\n"), re.DOTALL)
    if not match:
        return {}, raw
    names = {"title": "title", "source": "source", "outlet": "source", "url": "url", "link": "url", "date": "published"}
    names |= {"published": "published", "author": "author", "byline": "author"}
    fields = {}
    for line in match[1].split("\n"):
        key, _, value = line.partition(":")
        value = value.strip().strip("\"'")
        if key.strip().lower() in names and value:
            fields[names[key.strip().lower()]] = value
    return fields, raw.lstrip("\n")[match.end() :]


def _web_address(value: str) -> str | None:
    """An address of the web; anything else, such as `javascript:`, is no place to send a reader to."""
    return value if re.fullmatch(r"https?://[^\s/]\S*", value, re.IGNORECASE) else None


def _plain_markdown(text: str) -> str:
    """Without emphasis, links' addresses and pictures; headings keep one `#` until the title is chosen."""
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", text)
    text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1", r"\2", text)
    text = re.sub(r"(?<![\w*])([*_])(?=[^\s*_])([^*_\n]+?)(?<=\S)\1(?![\w*])", r"\2", text)
    return re.sub(r"(?m)^ {0,3}#{1,6}[ \t]+(.*?)[ \t]*#*$", r"# \1", text)


# --- lines that are not content ---------------------------------------------------------------------------------

_LABELLED = re.compile(
    r"\s*[>*•»\[(-]*\s*(?:read (?:more|also|next)|read|also read|see also|also see|more on this|related(?: \w+)?"
    r"|recommended(?: for you)?|don['’]t miss|must read|watch(?: also)?|also watch|listen|in pictures)\s*[:|]\s*\S.*",
    re.IGNORECASE,
)
_ALONE = re.compile(
    r"\W*(?:advertisement|advertising|sponsored(?: content)?|promoted content|read more|also read|read also"
    r"|related(?: stories| articles| news| coverage| topics)?|recommended(?: for you| stories)?|more on this story"
    r"|skip (?:advertisement|past newsletter promotion)|(?:story|article) continues (?:below|after)(?: this)?"
    r"(?: advertisement| ad)?|continue reading(?: below)?|share(?: this)?(?: article| story)?|(?:tap|click) here.{0,60}"
    r"|(?:sign up|subscribe)(?: now)?(?: (?:for|to) (?:our|the|daily|free|breaking)\b.{0,80})?|follow us on .{0,60}"
    r"|loading|leave a comment|comments?|print|all rights reserved|(?:copyright )?©.{0,120})\W*",
    re.IGNORECASE,
)


def is_boilerplate(line: str) -> bool:
    """Whether a line is a pointer to other pages, an advertisement's mark or the like, and no part of the article."""
    if len(line) > 300 or not line.strip():
        return False
    return bool(_ALONE.fullmatch(line) or _LABELLED.fullmatch(line))


# --- outlet -----------------------------------------------------------------------------------------------------

_AGENCIES = (
    r"Agencies|News Agencies|Reuters|Associated Press|AP|Agence France-Presse|AFP|PA Media|PA|dpa|DPA|Xinhua|TASS"
    r"|Interfax|RIA Novosti|Ukrinform|Anadolu(?: Agency)?|AA|ANSA|EFE|Kyodo(?: News)?|Yonhap|PTI|ANI|IANS|UNI|APP"
    r"|UPI|CNN|BBC|DW|RT|TDI|NPR|Bloomberg|Al Jazeera|Web Desk|News Desk|Monitoring Desk|Staff Report"
)
_OUTLET = (
    rf"(?:{_AGENCIES}|(?!USA\b|UAE\b|USSR\b)[A-Z]{{3,6}}"
    r"|(?:[A-Z][\w.&’']*[ -]){0,4}(?:News|Times|Post|Press|Journal|Herald|Tribune|Gazette|Independent|Guardian"
    r"|Telegraph|Today|Agency|Desk|Wire|Media|Observer|Chronicle|Mail))"
)
_OUTLETS = rf"{_OUTLET}(?:\s?[/,&]\s?{_OUTLET}){{0,2}}"
_PLACE = r"[A-Z][\w.’'-]*(?:[ /][A-Z][\w.’'-]*){0,3}(?:, [A-Z][\w.’'-]*(?: [A-Z][\w.’'-]*)?)?"
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
            "september sep sept", "october oct", "november nov", "december dec",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH = "(?:" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\b\.?"
_DATE = (
    rf"(?:(?P<iso>\d{{4}}-\d\d-\d\d)(?:[T ]\d\d:\d\d\S*)?|(?P<day>\d{{1,2}})(?:st|nd|rd|th)? (?P<month>{_MONTH}),? "
    rf"(?P<year>\d{{4}})|(?P<month2>{_MONTH}) (?P<day2>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<year2>\d{{4}}))"
)
_SHORT_DATE = rf"(?:\d{{1,2}} {_MONTH}|{_MONTH} \d{{1,2}})"
_DATELINE = re.compile(
    rf"(?P<place>{_PLACE})?(?:, (?P<when>(?i:{_DATE}|{_SHORT_DATE})))?\s*(?:\((?P<outlet>{_OUTLETS})\))?\s*"
    r"(?P<mark>:|[—–-]{1,2})\s+(?=\S)"
)


class Dateline(NamedTuple):
    """Place, outlet and date before a story's first sentence; `end` is where that sentence begins."""

    end: int
    outlet: str | None
    date: str | None


def find_dateline(text: str) -> Dateline:
    """The dateline at the start of `text`; `end` is 0 where there is none."""
    match = _DATELINE.match(text)
    if not match or not (match["outlet"] or match["when"] or (match["place"] or "").isupper()):
        return Dateline(0, None, None)
    if match["mark"] == ":" and not match["outlet"]:
        return Dateline(0, None, None)
    return Dateline(match.end(), match["outlet"], as_iso(match["when"] or ""))


def _take_closing_credit(lines: list[str]) -> tuple[list[str], str | None]:
    """An outlet named at the very end, in a line of its own or behind the last sentence."""
    if not lines:
        return lines, None
    *rest, last = lines
    alone = re.fullmatch(rf"\s*[(—–-]*\s*({_OUTLETS})\s*[)]?\.?\s*", last)
    named = re.fullmatch(r"\s*(?i:sources?|courtesy|via)\s?: *([A-Z][\w.&’' /,-]{1,60}?)\.?\s*", last)
    behind = re.search(rf"(?<=[.!?”\"’'])\s+(?:[—–-]{{1,2}}\s*({_OUTLETS})|\(({_OUTLETS})\))\.?$", last)
    own_line = alone or named
    if rest and own_line:
        return _trim(rest), own_line[1]
    if behind:
        return [*rest, last[: behind.start()]], behind[1] or behind[2]
    return lines, None


# --- date -------------------------------------------------------------------------------------------------------

_WEEKDAY = r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|mon|tue|wed|thu|fri|sat|sun)\.?,?"
_DATE_LINE = re.compile(
    rf"\W*(?:(?:first |last )?(?:published|updated|posted|modified|date)(?: on| at)?\s*:?\s*)?(?:{_WEEKDAY}\s+)?{_DATE}"
    r"(?:[,\s|—–-]*(?:at )?\d{1,2}[:.]\d\d(?: ?[ap]\.?m\.?)?(?: ?\(?[a-z]{2,4}\)?)?)?\W*",
    re.IGNORECASE,
)


def as_iso(words: str) -> str | None:
    """The first date that `words` hold, whole and possible, as `YYYY-MM-DD`."""
    match = re.search(_DATE, words, re.IGNORECASE)
    if not match:
        return None
    try:
        if match["iso"]:
            return datetime.date.fromisoformat(match["iso"]).isoformat()
        month = _MONTHS[(match["month"] or match["month2"]).rstrip(".").lower()]
        year, day = int(match["year"] or match["year2"]), int(match["day"] or match["day2"])
        return datetime.date(year, month, day).isoformat()
    except ValueError:
        return None


def _take_date_line(lines: list[str]) -> tuple[str | None, list[str]]:
    """A date alone in one of the first five lines or in the last, which then is no content."""
    full = [number for number, line in enumerate(lines) if line.strip()]
    for number in [*full[:5], *full[-1:]]:
        if len(full) > 1 and _DATE_LINE.fullmatch(lines[number]) and (published := as_iso(lines[number])):
            return published, _trim(lines[:number] + lines[number + 1 :])
    return None, lines


# --- author -----------------------------------------------------------------------------------------------------

_NAME = (
    r"(?!(?:The|A|An|All|His|Her|Its|Our|Their|\w+day)\b)[A-ZÀ-Þ][\w’'-]*"
    r"(?: (?:[A-ZÀ-Þ][\w’'-]*\.?|de|da|van|von|der|den|bin|al|el|la|le)){1,4}"
)
_BYLINE = re.compile(
    rf"\s*(?:By|BY|Written by|Reporting by)\s+({_NAME}(?:(?:, {_NAME}){{0,4}},? (?:and|&) {_NAME})?)"
    r"(?:,? (?:in|for) [A-Z][\w ,]{0,60}|, [A-Z][\w ]{0,60}|\s*[|–—-] .{0,80})?\s*"
)


def _byline(lines: list[str]) -> str | None:
    """The names in a line `By Jane Doe` among the first five; the line stays."""
    full = [line for line in lines if line.strip()]
    return next((match[1] for line in full[:5] if (match := _BYLINE.fullmatch(line))), None)


def _without_byline(lines: list[str], author: str) -> list[str]:
    """Without a line near the top that names the author again."""
    for number, line in enumerate(lines[:3]):
        if len(lines) > 1 and (match := _BYLINE.fullmatch(line)) and match[1].casefold() in author.casefold():
            return _trim(lines[:number] + lines[number + 1 :])
    return lines


# --- title ------------------------------------------------------------------------------------------------------


def _take_title(lines: list[str], *, markdown: bool) -> tuple[str, list[str]]:
    """The headline, first or last line, and the lines without it; an empty title where there is none."""
    if markdown:
        lines, headings = [line.removeprefix("# ") for line in lines], [line.startswith("# ") for line in lines]
        if headings and headings[0] and len(lines) > 1:
            return lines[0], lines[1:]
    if len([line for line in lines if line.strip()]) < 2:
        return "", lines
    first, last = lines[0].strip(), lines[-1].strip()
    if is_headline(first) and any(line.strip() and not is_headline(line.strip()) for line in lines[1:]):
        return first, lines[1:]
    before_last = next(line.strip() for line in lines[-2::-1] if line.strip())
    if is_headline(last) and not is_headline(before_last) and _shares_words(last, lines[:-1]):
        return last, lines[:-1]
    return "", lines


def _without_title(lines: list[str], title: str) -> list[str]:
    """Without a first line that says the title again."""
    said = [re.sub(r"\W+", "", words).casefold() for words in (*lines[:1], title)]
    return lines[1:] if len(lines) > 1 and said[0] and said[0] == said[1] else lines


def is_headline(line: str) -> bool:
    """Whether a line reads like a headline or a heading: short, begun like one, not ended like a sentence."""
    words = line.split()
    if len(words) < 2 or len(line) > _TITLE_CHARACTERS or find_dateline(line + " x").end:
        return False
    if re.match(r"(?:By|Reporting by|Edited by|Written by|Photo|Image|Picture|File)\b[ :]", line):
        return False
    return not re.search(r"(?:[.:;,…]|[.!?]?[”\"])$", line) and bool(re.match(r"[\"“‘'(€£$]?[A-Z0-9À-Þ]", line))


def _shares_words(line: str, body: list[str]) -> bool:
    """Whether at least half of a line's longer words occur in the body: a headline speaks of its story."""
    words = set(re.findall(r"\w{4,}", line.lower()))
    known = set(re.findall(r"\w{4,}", "\n".join(body).lower()))
    return bool(words) and len(words & known) * 2 >= len(words)


def _first_words(text: str) -> str:
    """The first line, cut at a word where it is long."""
    line = next((line.strip() for line in text.split("\n") if line.strip()), "")
    if len(line) <= _DERIVED_TITLE_CHARACTERS:
        return line
    head = line[: _DERIVED_TITLE_CHARACTERS + 1].rsplit(None, 1)[0][:_DERIVED_TITLE_CHARACTERS]
    return head.rstrip(' ,;:–—-.“"') + "…"
