"""Passage: a stretch of an article; cutting articles into passages with exact character offsets."""

import hashlib
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from index.articles import Article
from index.headlines import is_headline
from index.sentences import split_sentences
from index.tokens import count_tokens


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


class _Piece(NamedTuple):
    """A sentence with the white space behind it, or a part of a sentence too long for one passage."""

    start: int
    end: int
    tokens: int
    cost_of_end: float  # how bad it is to end a passage here


# Passages should be full (a passage's cost is its empty part, squared) and end where the text pauses.
_PARAGRAPH_END, _SENTENCE_END, _WITHIN_SENTENCE, _AFTER_HEADING = 0.0, 0.4, 0.8, 2.0


def cut_passages(article: Article, *, max_tokens: int) -> list[Passage]:
    """Cut an article into passages of whole sentences, each of `max_tokens` tokens at most.

    A sentence longer than that is cut at words, a word longer than that at characters. Among all ways to cut, the one
    with the fullest passages and the most ends at paragraph ends is taken, so that no scrap is left over at the end.
    """
    if not article.text:
        return []
    pieces = _split(article.text, max_tokens)
    return [_passage(article, start, end) for start, end in _pack(article.text, pieces, max_tokens)]


def _passage(article: Article, start: int, end: int) -> Passage:
    place = "\x1f".join((article.id, article.content_hash, str(start), str(end)))
    return Passage(
        id=hashlib.sha256(place.encode("utf-8", "surrogatepass")).hexdigest()[:32],
        article_id=article.id,
        start=start,
        end=end,
        text=article.text[start:end],
        title=article.title,
        source=article.source,
        url=article.url,
        published=article.published,
    )


def _split(text: str, max_tokens: int) -> list[_Piece]:
    """Sentences with the white space behind them, covering `text`; those over the limit in parts."""
    starts = [0, *(span.start for span in split_sentences(text)[1:]), len(text)]
    pieces: list[_Piece] = []
    for start, end in pairwise(starts):
        sentence = text[start:end]
        parts = _cut_at_words(text, start, end, max_tokens=max_tokens)
        pieces += [_Piece(*part, _WITHIN_SENTENCE) for part in parts]
        pieces[-1] = pieces[-1]._replace(cost_of_end=_cost_of_end(sentence))
    return pieces


def _cost_of_end(sentence: str) -> float:
    line_ends = sentence[len(sentence.rstrip()) :].count("\n") > 0
    if line_ends and is_headline(sentence.strip()):
        return _AFTER_HEADING
    return _PARAGRAPH_END if line_ends else _SENTENCE_END


def _cut_at_words(text: str, start: int, end: int, *, max_tokens: int) -> list[tuple[int, int, int]]:
    """Halve a stretch, between words where it has any, until each part is small enough; each with its tokens."""
    tokens = count_tokens(text[start:end])
    if end - start == 1 or tokens <= max_tokens:
        return [(start, end, tokens)]
    middle = (start + end) // 2
    blank = max(text.rfind(mark, start, middle) for mark in " \n\t")
    after_word = blank + 1 if blank > start + (end - start) // 4 else middle
    return [
        *_cut_at_words(text, start, after_word, max_tokens=max_tokens),
        *_cut_at_words(text, after_word, end, max_tokens=max_tokens),
    ]


def _pack(text: str, pieces: list[_Piece], max_tokens: int) -> list[tuple[int, int]]:
    """The cheapest way to join neighbouring pieces into passages (a shortest path over the places to cut)."""
    best: list[tuple[float, int]] = [(0.0, 0)]  # cost of the first n pieces, and where their last passage begins
    for last, piece in enumerate(pieces):
        choices: list[tuple[float, int]] = []
        tokens = 0
        for first in range(last, -1, -1):
            # Tokens of the parts add up to a little more than those of the whole, in nearly all texts.
            tokens += pieces[first].tokens
            if first < last and tokens > max_tokens:
                break
            cost = best[first][0] + max(0.0, 1 - tokens / max_tokens) ** 2 + piece.cost_of_end
            choices.append((cost, first))
        best.append(min(choices))
    groups: list[list[_Piece]] = []
    count = len(pieces)
    while count:
        first = best[count][1]
        groups.append(pieces[first:count])
        count = first
    return [span for group in groups[::-1] for span in _spans(text, group, max_tokens)]


def _spans(text: str, group: list[_Piece], max_tokens: int) -> list[tuple[int, int]]:
    """One passage of a group of pieces; two where its tokens are, for once, more than those of its parts."""
    start, end = group[0].start, group[-1].end
    if len(group) == 1 or count_tokens(text[start:end]) <= max_tokens:
        return [(start, end)]
    half = len(group) // 2
    return [*_spans(text, group[:half], max_tokens), *_spans(text, group[half:], max_tokens)]
