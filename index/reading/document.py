"""Document: the bytes of one file or web page, before they are read into articles."""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from index.articles import Article, Skipped
from index.errors import ArticleError
from index.headlines import Stated

# An article is a few thousand characters; a novel has under two million.
MAX_TEXT_BYTES = 8_000_000
# A page, PDF or DOCX holds pictures, scripts and fonts beside its text.
MAX_DOCUMENT_BYTES = 50_000_000


@dataclass(frozen=True, slots=True)
class Document:
    """Bytes to be read.

    Attributes:
        name: path or address, for messages; its ending says what it is.
        article_id: id of its article; where it holds several, their ids begin with it.
        size: bytes, as far as they are told before reading.
        open: opens them; reading may raise `OSError`.
        stated: what is known of its article from elsewhere, such as from a feed.
        encoding: what its server says of it, or an empty string.
    """

    name: str
    article_id: str
    size: int
    open: Callable[[], BinaryIO]
    stated: Mapping[str, Stated] = field(default_factory=dict)
    encoding: str = ""

    def data(self, max_bytes: int) -> bytes:
        """All its bytes.

        Raises:
            ArticleError: there are more than `max_bytes` of them, none, or they cannot be read.
        """
        too_large = ArticleError(f"is larger than {max_bytes // 1_000_000} MB, too large for one article")
        if self.size > max_bytes:
            raise too_large
        try:
            with self.open() as stream:
                data = stream.read(max_bytes + 1)
        except OSError as exc:
            raise ArticleError(f"cannot be read ({exc.strerror or exc})") from exc
        if len(data) > max_bytes:  # a size told before is not always true
            raise too_large
        if not data.strip():
            raise ArticleError("is empty")
        return data


def of_bytes(
    data: bytes, name: str, article_id: str, *, stated: Mapping[str, Stated] | None = None, encoding: str = ""
) -> Document:
    """A document that is in memory already."""
    return Document(name, article_id, len(data), lambda: io.BytesIO(data), stated or {}, encoding)


Reader = Callable[[Document], Iterator[Article | Skipped]]
"""Reads a document into articles; what gives none is skipped with its reason, or raised as an `ArticleError`."""
