"""What the passages found hold of an answer: their sentences described by a few numbers, ranked, and weighed.

One weighted sum of the numbers ranks the sentences (`rank_sentences`), another, over the best sentence and the
question, tells how likely it is that the articles answer at all (`answerability`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import exp
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from index.lexical import words_of
from index.sentences import Span, split_sentences
from index.store import PassageStore
from rag.facts import spell
from rag.question import Question, answers_kind, missing_names
from rag.reader.spans import Reading, load_reader, read_windows
from rag.reader.windows import Window, count_tokens, make_window, pack
from rag.retrieval import ScoredPassage

# Windows that are read, the most promising by their words: each costs some 20 ms of a core. On validation data six find
# the answering sentence as often as sixteen.
_READ = 6
# Sentences that are embedded, the best by all else: each costs some 7 ms.
_EMBEDDED = 10
# Scores of the reader beyond some ten are all alike.
_READ_SCALE = 4.0

# The first fitted with a softmax over a question's sentences on 508 questions over 28 invented articles that the
# reader did not learn from, half of them near misses; the second by logistic regression, no weight against its sign,
# on those and 520 held-out questions of SQuAD 2.0, CLAP NQ and OneStopQA, each set and answer counting the same. In
# five folds by article the best sentence holds the answer for .69 of the invented articles' questions (by the cosine
# alone .55, by all but the reader .60), and the area under the ROC curve between questions with and without an answer
# is .76 there, .82 for SQuAD's adversarial ones (by the cosine .55 and .67). The share of unknown words, and whether a
# number or name of the kind asked for is there, did not help to tell them apart.
SENTENCE_WEIGHTS = (2.0, 2.5, 0.8, 1.9, 0.9, 0.6)
EVIDENCE_WEIGHTS = (1.35, 1.25, 0.3, -0.4)
EVIDENCE_BIAS = -0.5

Floats = npt.NDArray[np.float32]


class Features(NamedTuple):
    """What is known of a sentence as an answer to a question.

    Attributes:
        read: the reader's score of the likeliest answer in it, from -1 to 1.
        cosine: of the question and the sentence.
        said: share of the question's words that the sentence has, rare words counting for more.
        said_around: the same with the sentence before it and the article's title.
        counted: where a length of time or another number is asked for, 1 if it has one, -1 if not; else 0.
        named: the same for a name, a time, a reason, or words of someone whom the question names.
    """

    read: float
    cosine: float
    said: float
    said_around: float
    counted: float
    named: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that may answer.

    Attributes:
        found: the passage it stands in.
        start: first character, in its article.
        end: one past the last.
        text: the characters between.
        before: the sentence before it in its passage, or "".
        words: its words, in one spelling.
        around: the same with those of the sentence before it and of the title.
    """

    found: ScoredPassage
    start: int
    end: int
    text: str
    before: str
    words: frozenset[str]
    around: frozenset[str]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A sentence with its features, its vector and its score; larger is better.

    `answer` is the words of the sentence in which the reader sees the answer.
    """

    candidate: Candidate
    features: Features
    answer: str
    vector: np.ndarray[tuple[int], np.dtype[np.float32]]
    score: float


def find_candidates(passages: Sequence[ScoredPassage]) -> list[Candidate]:
    """The sentences of the passages, each once, however many articles carry it."""
    candidates: list[Candidate] = []
    seen: set[str] = set()
    for found in passages:
        title, before, before_words = _spelled(found.passage.title), "", frozenset[str]()
        for start, end in _whole_sentences(found.passage.text):
            text = found.passage.text[start:end]
            words = _spelled(text)
            if words and text not in seen:
                seen.add(text)
                place = found.passage.start + start, found.passage.start + end
                candidates.append(Candidate(found, *place, text, before, words, words | before_words | title))
            before, before_words = text, words
    return candidates


def _whole_sentences(text: str) -> list[Span]:
    """The sentences of a text; one that ends with a colon goes on with the next."""
    spans: list[Span] = []
    for span in split_sentences(text):
        if spans and text[spans[-1].end - 1] == ":":
            spans[-1] = Span(spans[-1].start, span.end)
        else:
            spans.append(span)
    return spans


def _spelled(text: str) -> frozenset[str]:
    return frozenset(spell(word) for word in words_of(text))


def rank_sentences(question: Question, candidates: Sequence[Candidate], store: PassageStore) -> list[Ranked]:
    """The sentences of the most promising windows, best first; equal scores stand in the order of passages."""
    windows = sorted(_windows(candidates), key=lambda window: -max(_promise(question, one) for one in window))[:_READ]
    if not windows:
        return []
    readings = read_windows(question.text, [_as_read(window) for window in windows])
    read = [
        (candidate, reading, describe(question, candidate, reading=reading))
        for window, its in zip(windows, readings, strict=True)
        for candidate, reading in zip(window, its, strict=True)
    ]
    read = sorted(read, key=lambda one: -_score(one[2]))[:_EMBEDDED]
    vectors, cosines = _compare(question, [candidate.text for candidate, _, _ in read], store)
    ranked = []
    for (candidate, reading, seen), vector, cosine in zip(read, vectors, cosines, strict=True):
        features = seen._replace(cosine=float(cosine))
        answer = " ".join(candidate.text.split())[reading.start : reading.end]
        ranked.append(Ranked(candidate, features, answer, vector, _score(features)))
    return sorted(ranked, key=lambda one: (-one.score, one.candidate.found.rank, one.candidate.start))


def find_nearness(question: Question, candidates: Sequence[Candidate], store: PassageStore) -> float:
    """The cosine of the question and the sentence most promising by its words: known in a few milliseconds."""
    text = max(candidates, key=lambda candidate: _promise(question, candidate)).text
    return float(_compare(question, [text], store)[1][0])


def _compare(question: Question, texts: Sequence[str], store: PassageStore) -> tuple[Floats, Floats]:
    """The vectors of texts, a row each, and their cosines with the question."""
    vectors = np.asarray(store.embedding.get_text_embedding_batch(list(texts)), dtype=np.float32)
    return vectors, vectors @ np.asarray(store.embedding.get_query_embedding(question.text), dtype=np.float32)


def _score(features: Features) -> float:
    return float(np.dot(features, SENTENCE_WEIGHTS))


def _windows(candidates: Sequence[Candidate]) -> list[list[Candidate]]:
    """Sentences that follow each other in a passage, packed as the reader was trained to see them."""
    tokenizer = load_reader().tokenizer
    windows = []
    for _, group in groupby(candidates, key=lambda one: one.found.rank):
        passage = list(group)
        lengths = [count_tokens(one.text, tokenizer) for one in passage]
        windows += [[passage[place] for place in places] for places in pack(lengths)]
    return windows


def _as_read(window: Sequence[Candidate]) -> Window:
    return make_window(window[0].found.passage.title, [" ".join(one.text.split()) for one in window])


def _promise(question: Question, candidate: Candidate) -> float:
    return question.share(candidate.words) + question.share(candidate.around) + 1 / (1 + candidate.found.rank)


def describe(question: Question, candidate: Candidate, *, reading: Reading) -> Features:
    """The numbers that a sentence is judged by, but for its cosine, which few sentences are worth."""
    fits = 1.0 if answers_kind(question, candidate.text, before=candidate.before) else -1.0
    return Features(
        read=float(np.tanh(reading.score / _READ_SCALE)),
        cosine=0.0,
        said=question.share(candidate.words),
        said_around=question.share(candidate.around),
        counted=fits if question.kind in {"duration", "number"} else 0.0,
        named=fits if question.kind in {"time", "role", "person", "place", "reason", "statement"} else 0.0,
    )


class Evidence(NamedTuple):
    """What is known of how well the articles answer a question.

    Attributes:
        read: the reader's score of the best sentence, as in `Features`.
        cosine: of the question and the best sentence.
        said_around: as in `Features`.
        missing_names: names and numbers of the question that no article has, at most 2.
    """

    read: float
    cosine: float
    said_around: float
    missing_names: float


def weigh_evidence(question: Question, best: Features) -> Evidence:
    """The numbers that decide between an answer and a refusal."""
    return Evidence(best.read, best.cosine, best.said_around, min(2.0, len(missing_names(question))))


def answerability(evidence: Evidence) -> float:
    """How likely it is that the articles answer, from 0 to 1."""
    return 1 / (1 + exp(-(float(np.dot(evidence, EVIDENCE_WEIGHTS)) + EVIDENCE_BIAS)))
