"""Ids of articles: readable, and the same each time the same file, address or row is read."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

PARTS = ("title", "text", "url", "date", "source", "author", "language", "id")
"""The parts of a dump's row that `--map` may name."""

# Parameters that say how a reader came to a page, not which page it is.
_TRACKING = re.compile(
    r"utm_\w+|(?:fb|g|dcl|msc|y|tw)clid|ref|ref_src|cmp|cmpid|mc_[ce]id|xtor|smid|ocid|ito|igshid|at_\w+|s",
    re.IGNORECASE,
)
_LONGEST_ID = 200


def name_articles(paths: Iterable[PurePosixPath]) -> Iterator[tuple[PurePosixPath, str]]:
    """Ids are paths without the ending, which stays where two files differ in nothing else."""
    by_name: dict[str, list[PurePosixPath]] = {}
    for path in sorted(paths):
        by_name.setdefault(str(path.with_suffix("")), []).append(path)
    for name, same in by_name.items():
        for path in same:
            article_id = name if len(same) == 1 else str(path)
            # A file name need not be text; an id must be.
            yield path, article_id.encode("utf-8", "replace").decode("utf-8")


def name_address(address: str) -> str:
    """The id of the article at an address: host and path, without what does not tell pages apart."""
    parts = urlsplit(address)
    host = (parts.hostname or "").removeprefix("www.") + (f":{parts.port}" if parts.port else "")
    path = re.sub(r"\.(?:html?|php|aspx?|shtml)$|/+$|/index\.(?:html?|php)$", "", unquote(parts.path, errors="replace"))
    query = urlencode([pair for pair in parse_qsl(parts.query) if not _TRACKING.fullmatch(pair[0])])
    name = _one_line(f"{host}{path}{f'?{query}' if query else ''}")
    return name if len(name) <= _LONGEST_ID else f"{name[: _LONGEST_ID - 9]}-{_digest(address)}"


def name_row(row_id: str, url: str, title: str, text: str) -> str:
    """What tells a row of a dump from the others: its own id, else its address, else its title and words."""
    if row_id.strip():
        name = _one_line(row_id)
        return name if len(name) <= _LONGEST_ID else f"{name[: _LONGEST_ID - 9]}-{_digest(name)}"
    if url.strip():
        return name_address(url)
    words = re.sub(r"[^\w]+", "-", unicodedata.normalize("NFKC", title or text[:80]).lower()).strip("-")
    return f"{words[:60].rstrip('-')}-{_digest(title + chr(10) + text)}"


def _one_line(name: str) -> str:
    return re.sub(r"[\s\x00-\x1f\x7f]+", " ", name).strip().encode("utf-8", "replace").decode("utf-8")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
