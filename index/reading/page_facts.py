"""What a web page says of its article: title, outlet, address, date, author, language, each with where it stands.

Pages say it to search engines (JSON-LD of schema.org's NewsArticle), to those who share them (Open Graph and other
`meta` tags) and to readers (`<time>`, `rel=author`, the heading). They are asked in that order. What none of them says
stays unknown; an address that holds a day (`/2025/12/15/`) says the date, and the host's name the outlet.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from lxml.html import HtmlElement

from index.headlines import Stated, as_iso

_STRUCTURED, _META, _PAGE, _ADDRESS = "structured data", "page metadata", "page", "address"
_ARTICLE_TYPES = re.compile(r"(?:\w*Article|\w*BlogPosting|Report|ClaimReview|WebPage)")
_META_NAMES = {
    "title": ("og:title", "twitter:title", "dc.title", "title", "parsely-title"),
    "source": ("og:site_name", "application-name", "dc.publisher", "publisher", "citation_journal_title"),
    "url": ("og:url",),
    "published": (
        "article:published_time", "og:published_time", "datepublished", "date", "dc.date", "dc.date.issued",
        "dcterms.created", "dcterms.date", "pubdate", "publishdate", "publish-date", "publish_date", "sailthru.date",
        "parsely-pub-date", "citation_publication_date", "cxenseparse:recs:publishtime",
    ),
    "author": ("author", "article:author", "dc.creator", "parsely-author", "byl", "sailthru.author"),
    "language": ("og:locale", "content-language", "dc.language"),
}  # fmt: skip
_MAX_SCRIPT_CHARACTERS = 200_000
_MAX_OBJECTS = 500


def page_facts(tree: HtmlElement, address: str | None) -> dict[str, Stated]:
    """What the page says.

    Args:
        tree: the parsed page.
        address: where it was fetched from, or None for a file; then the page's own word is taken for its address.
    """
    found: dict[str, Stated] = {}
    sources = (_structured(tree), _meta(tree), _visible(tree))
    for part in ("title", "source", "url", "published", "author", "language"):
        for said, where in sources:
            if part not in found and (value := said.get(part, "").strip()) and _fits(part, value):
                found[part] = Stated(value, where)
    if address:
        found["url"] = Stated(_own_address(found.get("url"), address), _ADDRESS)
    url = found["url"].value if "url" in found else ""
    host = (urlsplit(url).hostname or "").removeprefix("www.") if url.startswith("http") else ""
    if "source" not in found and "." in host and not re.fullmatch(r"[\d.]+", host):
        found["source"] = Stated(host, _ADDRESS)
    day = re.search(r"/(\d{4})[/-](\d\d?)[/-](\d\d?)(?=[/-])", url)
    if "published" not in found and day and as_iso(iso := f"{day[1]}-{day[2]:0>2}-{day[3]:0>2}"):
        found["published"] = Stated(iso, _ADDRESS)
    if "title" in found:
        outlet = found["source"].value if "source" in found else ""
        found["title"] = found["title"]._replace(value=_without_outlet(found["title"].value, outlet))
    return found


def _fits(part: str, value: str) -> bool:
    if part == "published":
        return as_iso(value) is not None
    if part == "url":
        return bool(re.match(r"https?://", value, re.IGNORECASE))
    # An author's page instead of a name; a name that is an account.
    return not (part == "author" and re.match(r"https?://|@", value))


def _own_address(said: Stated | None, address: str) -> str:
    """The address fetched, or the one the page calls its own where that is on the same host."""
    if said is not None:
        own = urljoin(address, said.value)
        if urlsplit(own).hostname == urlsplit(address).hostname and urlsplit(own).path not in {"", "/"}:
            return own
    return address


def _without_outlet(title: str, outlet: str) -> str:
    """`Council votes | The Bugle` without what follows the last mark, where that is the outlet."""
    title = title[:1000]
    marks = [match.start() for match in re.finditer(r"\s[|–—·-]\s", title)]
    if not marks:
        return title
    tail, name = (re.sub(r"\W|\.\w+$", "", words).casefold() for words in (title[marks[-1] :], outlet))
    return title[: marks[-1]].strip() if name and tail and (tail in name or name in tail) else title


# --- for search engines -------------------------------------------------------------------------------------------


def _structured(tree: HtmlElement) -> tuple[dict[str, str], str]:
    said: dict[str, str] = {}
    for script in tree.iter("script"):
        kind = (script.get("type") or "").lower()
        text = script.text or ""
        if "ld+json" not in kind or len(text) > _MAX_SCRIPT_CHARACTERS:
            continue
        try:
            value = json.loads(text, strict=False)
        except (ValueError, RecursionError):
            continue
        for thing in _articles_in(value):
            for part, known in _from_schema(thing).items():
                said.setdefault(part, known)
    return said, _STRUCTURED


def _articles_in(value: Any) -> Iterator[Mapping[str, Any]]:
    """Objects that describe an article, those that are one before those that are its page."""
    waiting = [value]
    met: list[tuple[bool, int, Mapping[str, Any]]] = []
    while waiting and len(met) < _MAX_OBJECTS:
        one = waiting.pop(0)
        if isinstance(one, list):
            waiting += one[:_MAX_OBJECTS]
        elif isinstance(one, dict):
            kinds = one.get("@type")
            kinds = kinds if isinstance(kinds, list) else [kinds]
            if any(isinstance(kind, str) and _ARTICLE_TYPES.fullmatch(kind) for kind in kinds):
                met.append(("WebPage" in kinds, len(met), one))
            waiting += [
                one[key] for key in ("@graph", "mainEntity", "mainEntityOfPage", "itemListElement") if key in one
            ]
    yield from (one for _, _, one in sorted(met, key=lambda entry: entry[:2]))


def _from_schema(thing: Mapping[str, Any]) -> dict[str, str]:
    said = {
        "title": _names(thing.get("headline")) or _names(thing.get("name")),
        "source": _names(thing.get("publisher")),
        "url": _text(thing.get("url")) or _text(thing.get("mainEntityOfPage")),
        "published": _text(thing.get("datePublished")) or _text(thing.get("dateCreated")),
        "author": _names(thing.get("author")),
        "language": _text(thing.get("inLanguage")),
    }
    return {part: value for part, value in said.items() if value}


def _text(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("@id") or value.get("url")
    return value if isinstance(value, str) else ""


def _names(value: Any) -> str:
    """A name, or several with commas between."""
    values = value if isinstance(value, list) else [value]
    names = [one.get("name") if isinstance(one, dict) else one for one in values[:10]]
    return ", ".join(dict.fromkeys(name.strip() for name in names if isinstance(name, str) and name.strip()))


# --- for those who share it ---------------------------------------------------------------------------------------


def _meta(tree: HtmlElement) -> tuple[dict[str, str], str]:
    tags: dict[str, list[str]] = {}
    for tag in tree.iter("meta"):
        name = tag.get("property") or tag.get("name") or tag.get("itemprop") or tag.get("http-equiv") or ""
        if value := (tag.get("content") or "").strip():
            tags.setdefault(name.strip().lower(), []).append(value)
    said = {}
    for part, names in _META_NAMES.items():
        values = next((tags[name] for name in names if name in tags and _fits(part, tags[name][0])), [])
        if values:
            said[part] = ", ".join(dict.fromkeys(values[:10])) if part == "author" else values[0]
    for link in tree.iter("link"):
        if (link.get("rel") or "").lower() == "canonical" and link.get("href"):
            said["url"] = link.get("href")
    return said, _META


# --- for readers --------------------------------------------------------------------------------------------------


def _visible(tree: HtmlElement) -> tuple[dict[str, str], str]:
    said: dict[str, str] = {}
    headings = [_words(one) for one in tree.iter("h1")]
    titles = [_words(one) for one in tree.iter("title")]
    if len(headings) == 1 and headings[0]:
        said["title"] = headings[0]
    elif titles:
        said["title"] = titles[0]
    for time in tree.iter("time"):
        if as_iso(time.get("datetime") or _words(time)) and not _beside(time):
            said["published"] = time.get("datetime") or _words(time)
            break
    for element in tree.iter("a", "span", "p", "div", "address"):
        own = (element.get("rel") or "").lower() == "author" or (element.get("itemprop") or "").lower() == "author"
        named = {"byline__name", "author-name", "byline-name", "p-author", "author"} & set(
            (element.get("class") or "").lower().split()
        )
        if (own or named) and not _beside(element):
            name = re.sub(r"^(?:by|von|par|por|di)\s+", "", _words(element), flags=re.IGNORECASE)
            if 0 < len(name) <= 80:
                said["author"] = name
                break
    said["language"] = tree.get("lang") or tree.get("{http://www.w3.org/XML/1998/namespace}lang") or ""
    return said, _PAGE


def _words(element: HtmlElement) -> str:
    return " ".join("".join(element.itertext()).split())[:1000]


def _beside(element: HtmlElement) -> bool:
    """Whether it stands beside the article, in a list of other ones or among comments."""
    around = [element, *element.iterancestors()]
    if any(one.tag in {"aside", "footer", "nav"} for one in around):
        return True
    return any(
        re.search(r"comment|related|sidebar|teaser|promo", one.get("class") or "", re.IGNORECASE) for one in around
    )
