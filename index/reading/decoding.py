"""Bytes -> text: the encoding is told by a mark, by what a server or page says, or by the letters themselves."""

import codecs
import re

from index.errors import ArticleError
from index.languages import tell_language

_BYTE_ORDER_MARKS = ((b"\xff\xfe\x00\x00", "utf-32"), (b"\x00\x00\xfe\xff", "utf-32"), (b"\xff\xfe", "utf-16"),
                     (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))  # fmt: skip
# Files of other kinds under a wrong ending, told by how they begin.
_OTHER_KINDS = ((b"%PDF-", "a PDF"), (b"PK\x03\x04", "a zip or DOCX file"), (b"\x1f\x8b", "a gzip file"),
                (b"\x89PNG", "a picture"), (b"\xff\xd8\xff", "a picture"), (b"GIF8", "a picture"),
                (b"\xd0\xcf\x11\xe0", "an old Office file"), (b"{\\rtf", "an RTF file"))  # fmt: skip
# What text on the web is written in, where it is not Unicode.
_LEGACY = ("cp1252", "cp1250", "cp1251", "koi8_r", "cp1253", "cp1254", "cp1255", "cp1256", "cp932", "euc_jp",
           "gb18030", "big5", "cp949")  # fmt: skip
_WESTERN = {"en", "de", "fr", "es", "it", "pt", "nl", "sv"}
_BYTES_WEIGHED = 100_000


def decode(data: bytes, *, said: str = "") -> str:
    """The text of `data`.

    Args:
        data: as they came.
        said: the encoding that a server or page names, which is believed where it fits.

    Raises:
        ArticleError: they are no text; the message is the reason alone.
    """
    for mark, kind in _OTHER_KINDS:
        if data.startswith(mark):
            raise ArticleError(f"is not text but {kind}")
    marked = next((name for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), None)
    for encoding in filter(None, (marked, _unmarked_utf16(data), "utf-8", _known(said))):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not looks_binary(text):
            return text
    if looks_binary(data.decode("latin-1")):
        raise ArticleError("is not text but binary data")
    return _by_letters(data)


def looks_binary(text: str) -> bool:
    """A stray control character happens in a text; a zero or one in fifty does not."""
    return "\x00" in text or len(re.findall(r"[\x01-\x08\x0e-\x1f]", text)) > len(text) // 50


def _known(name: str) -> str | None:
    try:
        found = codecs.lookup(name.strip().strip("\"'")).name if name else None
    except (LookupError, ValueError):
        return None
    # What pages call Latin-1 is Windows' encoding, which holds it (WHATWG Encoding Standard).
    return {"iso8859-1": "cp1252", "ascii": "cp1252", "gb2312": "gb18030", "gbk": "gb18030"}.get(found or "", found)


def _unmarked_utf16(data: bytes) -> str | None:
    """UTF-16 without a mark: nearly every second byte of a Latin text is zero."""
    head = data[:2000]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) * 10 < len(head) * 4 or min(even, odd) * 20 > len(head):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _by_letters(data: bytes) -> str:
    try:
        western = data.decode("cp1252")
    except UnicodeDecodeError:
        western = ""
    # In words of a western language the few other letters settle nothing; Windows' encoding is by far the commonest.
    if western and tell_language(western) in _WESTERN:
        return western
    from charset_normalizer import from_bytes  # loaded late: hardly any article needs it

    best = from_bytes(data[:_BYTES_WEIGHED], cp_isolation=list(_LEGACY)).best()
    if best is None:
        raise ArticleError("is in no encoding that can be told; save it as UTF-8")
    if western and (data[:_BYTES_WEIGHED].decode("cp1252", "replace") == str(best)):
        return western
    return data.decode(best.encoding, "replace")
