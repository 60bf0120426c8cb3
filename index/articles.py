"""Article: one piece of news; reading files into articles."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Article:
    """One piece of news, its text cleaned of what is not content.

    Attributes:
        id: its path under the folder it was added from, with `/`, without the ending.
        title: the headline found in the text, else its first words.
        source: the outlet, where the text states it, else None.
        url: where the original is, where known.
        published: an ISO date, or None; never invented.
        text: what passages and citations point into; offsets count its characters.
        content_hash: SHA-256 (hex) of everything above but the id.
    """

    id: str
    title: str
    source: str | None
    url: str | None
    published: str | None
    text: str
    content_hash: str
