"""Citation: a marker of the answer bound to the exact words it rests on; markers <-> passages."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from llama_index.core.embeddings import BaseEmbedding

from index.lexical import words_of
from index.passages import Passage
from index.sentences import Span, split_sentences
from rag.marker_forms import is_a_word, list_prefix
from rag.markers import CANONICAL, CODE, MarkerStream, prose_sentences
from rag.retrieval import ScoredPassage

__all__ = ["Citation", "MarkerStream", "Support", "answer_sentences", "cite", "markers_in", "quote_span"]

Support = Literal["supported", "partial", "unsupported"]


@dataclass(frozen=True, slots=True)
class Citation:
    """One marker on one sentence of the answer.

    Attributes:
        marker: the number shown; marker n is the retrieved passage of rank n.
        passage: the passage cited.
        start: first character of the quoted words, in the article's text.
        end: one past their last character.
        quote: the words themselves: `article.text[start:end]`.
        answer_start: first character of the sentence that carries the marker, in the answer's text.
        answer_end: one past the sentence's last character, its markers included.
        support: whether the quoted words say what the sentence says.
    """

    marker: int
    passage: Passage
    start: int
    end: int
    quote: str
    answer_start: int
    answer_end: int
    support: Support


def _marker_spans(text: str) -> list[tuple[Span, int]]:
    """Every canonical marker outside code, with its number."""
    code = [match.span() for match in CODE.finditer(text)]
    return [
        (Span(*match.span()), int(match[1]))
        for match in CANONICAL.finditer(text)
        if not any(start <= match.start() < end for start, end in code)
    ]


def markers_in(text: str) -> list[int]:
    """The numbers of the markers in normalised text, in order, without repeats."""
    return list(dict.fromkeys(number for _, number in _marker_spans(text)))


def answer_sentences(text: str) -> list[Span]:
    """The sentences of a normalised answer, each with the markers that follow it.

    Bullets, numbers of lists, rules, the marks around a code block and headings of a word or two belong to no
    sentence; a row of a table is one. A longer heading and a line of code may claim something, like any other line.
    """
    spans: list[Span] = []
    for line in re.finditer(r"[^\n]+", text):
        content = line.group()
        if not (re.match(r"\s*(?:```|~~~)", content) or _has_no_claim(content)):
            prefix = 0 if content.lstrip().startswith("|") else list_prefix(content)
            spans += [
                Span(line.start() + prefix + span.start, line.start() + prefix + span.end)
                for span in _line_sentences(content[prefix:])
                if re.search(r"\w", content[prefix + span.start : prefix + span.end])
            ]
    return spans


def _has_no_claim(line: str) -> bool:
    """A short heading, a rule or a table's ruled line."""
    stripped = line.strip()
    if not re.search(r"\w", stripped):
        return True
    if len(re.findall(r"\w+", stripped)) > 2:
        return False
    if re.match(r"#{1,6}\s", stripped):
        return True
    bold = re.fullmatch(r"(\*\*|__)(?:(?!\1).)+\1:?", stripped)
    return bool(bold) and not re.search(r"[.!?…][\"”’]?(?:\*\*|__)$", stripped)


_MARKER_GROUP = re.compile(r"[ \t]*((?:\[\d{1,2}\])+)([.!?…:;,。！？：；，]*)")


def _line_sentences(line: str) -> list[Span]:
    """Sentences of a line, split as if its markers were not there.

    A group of markers and the stop after it become the stop and blanks, so that places stay the same.
    """
    if line.lstrip().startswith("|"):
        return [Span(len(line) - len(line.lstrip()), len(line.rstrip()))]
    masked = line
    groups: list[Span] = []
    places: list[int] = []
    at = 0
    for span, _ in _marker_spans(line):
        group = _MARKER_GROUP.match(line, len(line[: span.start].rstrip(" \t")))
        if span.start < at or group is None:
            continue
        at = group.end()
        if is_a_word(line[: span.start], line[group.end(1) :]):
            blank = "A".ljust(len(group[1]), "a")  # a name, to who splits sentences
            masked = masked[: group.start(1)] + blank + masked[group.end(1) :]
            continue
        groups.append(Span(group.start(), group.end()))
        masked = masked[: group.start()] + group[2].ljust(len(group[0])) + masked[group.end() :]
        places.append(group.start() + len(group[2]))
    found = []
    for start, end in prose_sentences(masked, places):
        inside = [group.end for group in groups if start < group.end and group.start <= end]
        found.append(Span(start, max([end, *inside])))
    return found


def cite(text: str, passages: Sequence[ScoredPassage], *, embedding: BaseEmbedding | None = None) -> list[Citation]:
    """Bind every marker of every sentence to the words of its passage that say what the sentence says.

    Args:
        text: the answer, its markers canonical.
        passages: what was retrieved; marker n is rank n.
        embedding: used where the words alone do not tell which sentence of the passage is meant.

    Returns:
        Citations in the order of the text, `supported` until checked.
    """
    by_rank = {scored.rank: scored.passage for scored in passages}
    citations = []
    for span in answer_sentences(text):
        sentence = text[span.start : span.end]
        for marker in markers_in(sentence):
            passage = by_rank.get(marker)
            if passage is None:
                continue
            start, end = quote_span(sentence, passage, embedding=embedding)
            quote = passage.text[start - passage.start : end - passage.start]
            citations.append(Citation(marker, passage, start, end, quote, span.start, span.end, "supported"))
    return citations


_MIN_GAIN = 0.2  # what a second sentence must add to be quoted too, as a share of the answer's sentence
_CLEAR = 0.25  # below this share of shared words the embedding decides


def quote_span(sentence: str, passage: Passage, *, embedding: BaseEmbedding | None = None) -> tuple[int, int]:
    """The whole sentence of a passage, or two neighbours, that best carry a sentence of the answer.

    Args:
        sentence: a sentence of the answer; its markers are ignored.
        passage: where to look.
        embedding: decides where few words are shared (another language, other words).

    Returns:
        First character and one past the last, in the article's text; never empty.
    """
    spans = split_sentences(passage.text)
    if not spans:
        return passage.start, passage.end
    claim = CANONICAL.sub("", sentence)
    wanted = _weights(claim)
    texts = [passage.text[span.start : span.end] for span in spans]
    words = [_weights(text) for text in texts]
    quotes = _quoted(claim)
    scores = [
        _share(wanted, held) + 0.5 * sum(quote in _plain(text) for quote in quotes)
        for held, text in zip(words, texts, strict=True)
    ]
    if embedding is not None and max(scores) < _CLEAR and len(spans) > 1:
        scores = _similarities(claim, texts, embedding)
    # Of sentences that score alike the shorter says it more plainly; then the first.
    best = max(range(len(spans)), key=lambda i: (round(scores[i], 6), -len(texts[i]), -i))
    first = last = best
    for other in (best - 1, best + 1):
        if 0 <= other < len(spans) and _share(wanted, words[best] | words[other]) - _share(
            wanted, words[best]
        ) >= _MIN_GAIN + (_MIN_GAIN if (first, last) != (best, best) else 0):
            first, last = min(first, other), max(last, other)
            break
    return passage.start + spans[first].start, passage.start + spans[last].end


def _plain(text: str) -> str:
    return re.sub(r"[^\w\s]", "", text.lower())


def _quoted(text: str) -> list[str]:
    """The words between quotation marks, plain; one word alone is no quotation."""
    found = re.findall(r"[“\"„«]([^”\"“»]+)[”\"“»]", text)
    return [_plain(words).strip() for words in found if len(words.split()) > 1]


def _weights(text: str) -> dict[str, float]:
    """The words that matter, as the word index keeps them, with their weights: numbers 3, names 2, other words 1."""
    weights: dict[str, float] = {}
    for position, match in enumerate(re.finditer(r"\S+", text)):
        token = match.group().strip("“”‘’\"'«»(),.;:!?[]*_")
        for word in words_of(token):
            weight = 3.0 if word[0].isdigit() else 2.0 if token[:1].isupper() and position > 0 else 1.0
            weights[word] = max(weight, weights.get(word, 0.0))
    return weights


def _share(wanted: dict[str, float], held: dict[str, float]) -> float:
    """How much of what is wanted is held, by weight, from 0 to 1."""
    total = sum(wanted.values())
    return sum(weight for word, weight in wanted.items() if word in held) / total if total else 0.0


def _similarities(claim: str, texts: Sequence[str], embedding: BaseEmbedding) -> list[float]:
    vectors = np.asarray(embedding.get_text_embedding_batch([claim, *texts]))
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return [float(value) for value in vectors[1:] @ vectors[0]]
