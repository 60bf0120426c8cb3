"""Passage: a stretch of an article; cutting articles into passages with exact character offsets."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of an article: `article.text[start:end] == text`, always.

    The passages of an article cover its text without a gap or an overlap, so that the article can be stitched back.

    Attributes:
        id: 32 hex digits from article id, content hash and place; the same text at the same place keeps its id.
        article_id: the article it is cut from.
        start: first character, in the article's text.
        end: one past the last character.
        text: the characters between.
        title: the article's title.
        source: the article's outlet or None.
        url: the article's address or None.
        published: the article's ISO date or None.
    """

    id: str
    article_id: str
    start: int
    end: int
    text: str
    title: str
    source: str | None
    url: str | None
    published: str | None
