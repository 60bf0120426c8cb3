"""The answer without a model: the articles' own sentences, quoted and cited, or plain words that they do not say.

The sentences of the passages found are described by a few numbers; one weighted sum of them ranks the sentences
(`rank_sentences`), another, over the best sentence and the question, tells whether the articles answer at all
(`answerability`).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import exp
from typing import NamedTuple

import numpy as np

from index.lexical import STOP_WORDS, words_of
from index.sentences import Span, split_sentences
from index.store import PassageStore
from rag.antecedents import name_pronoun
from rag.asking import REFUSAL
from rag.citations import Citation
from rag.facts import spell
from rag.languages import language_of, reads_english
from rag.question import Question, answers_kind, mend_spelling, missing_names, read_question
from rag.retrieval import ScoredPassage
from rag.support import SentenceSupport

MAX_SENTENCES = 3
MAX_WORDS = 80
# Sentences that are embedded, the most promising by their words: each costs a few milliseconds.
_EMBEDDED = 16

# Fitted by regression with a softmax over a question's sentences, and by logistic regression with equal weight on
# answerable and unanswerable questions, on part of SQuAD 2.0 (dev) and CLAP NQ (dev), articles of the other part held
# out: there the best sentence holds the answer for .83 of SQuAD's questions (the cosine alone: .71), and the area
# under the ROC curve between answerable and other questions is .999 for questions about other articles, .83 for
# CLAP NQ's, .64 for SQuAD's adversarial ones, .99 for MultiHop-RAG's, on which nothing was fitted.
# Names of passages that lack a name of the question, and the rarest word not found, were tried and did not help.
SENTENCE_WEIGHTS = (3.8, 1.1, 4.1, 0.9, 0.5)
EVIDENCE_WEIGHTS = (4.1, 1.2, 1.5, 0.3, 0.2, -0.8, -0.9)
EVIDENCE_BIAS = -3.45
# From this likelihood on the articles' words are given as an answer (held out: .94 of SQuAD's answerable questions and
# .95 of CLAP NQ's are, none of those about other articles).
_ANSWERS_FROM = 0.4
# A sentence that gives an office to the one whom the question names answers what that one is.
_ROLE_TOLD = 0.9
# From this likelihood on a refusal shows the nearest sentence.
_NEAR_MISS_FROM = 0.1
# Not even a model is asked where that likelihood is below this and nothing found is as near as this (cosine): it
# judges what is doubtful better, and a call for nothing costs less than a question refused that has an answer.
_ASKS_FROM = 0.05
_ASKS_NEAR_FROM = 0.25

# A further sentence may score this much less than the best, must bring this share of the question that was not said
# before, and must not be as near as this to one that was quoted.
_MARGIN = 1.5
_ADDS_FROM = 0.15
_REPEATS_FROM = 0.8

_ENGLISH = re.compile(r"\b(?:what|who|which|when|where|why|how|did|does|the|tell)\b", re.IGNORECASE)
_SMALL_TALK = frozenset(
    re.findall(
        r"\w+",
        "hello hi hey hiya greetings good morning afternoon evening day bye goodbye thanks thank cheers ok okay please "
        "welcome nice great cool test help",
    )
)


@dataclass(frozen=True, slots=True)
class Extract:
    """An answer made of quotations, or a refusal.

    Attributes:
        text: the answer, with markers, or the refusal's plain words.
        refused: the articles do not answer; then there are no citations.
        citations: one for each quoted sentence.
        sentences: the sentences of the text, all supported, since they are the articles' own.
        confidence: how likely it is that the articles answer, from 0 to 1.
    """

    text: str
    refused: bool
    citations: tuple[Citation, ...] = ()
    sentences: tuple[SentenceSupport, ...] = ()
    confidence: float = 0.0


class Features(NamedTuple):
    """What is known of a sentence as an answer to a question.

    Attributes:
        cosine: of the question and the sentence.
        said: share of the question's words that the sentence has, rare words counting for more.
        said_around: the same with the sentence before it and the article's title.
        counted: where a length of time or another number is asked for, 1 if it has one, -1 if not; else 0.
        named: the same for a name, a time, a reason, or words of someone whom the question names.
    """

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
    """A sentence with its features, its vector and its score; larger is better."""

    candidate: Candidate
    features: Features
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
    """The most promising sentences, best first; equal scores stand in the order of passages."""
    hopeful = find_hopeful(question, candidates)
    if not hopeful:
        return []
    vectors = np.asarray(
        store.embedding.get_text_embedding_batch([candidate.text for candidate in hopeful]), dtype=np.float32
    )
    cosines = vectors @ np.asarray(store.embedding.get_query_embedding(question.text), dtype=np.float32)
    ranked = []
    for candidate, vector, cosine in zip(hopeful, vectors, cosines, strict=True):
        features = describe(question, candidate, cosine=float(cosine))
        ranked.append(Ranked(candidate, features, vector, float(np.dot(features, SENTENCE_WEIGHTS))))
    return sorted(ranked, key=lambda one: (-one.score, one.candidate.found.rank, one.candidate.start))


def find_hopeful(question: Question, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The sentences that are worth comparing with the question, the most promising by their words first."""
    return sorted(candidates, key=lambda candidate: -_promise(question, candidate))[:_EMBEDDED]


def _promise(question: Question, candidate: Candidate) -> float:
    return question.share(candidate.words) + question.share(candidate.around) + 1 / (1 + candidate.found.rank)


def describe(question: Question, candidate: Candidate, *, cosine: float) -> Features:
    """The numbers that a sentence is judged by."""
    fits = 1.0 if answers_kind(question, candidate.text, before=candidate.before) else -1.0
    return Features(
        cosine=cosine,
        said=question.share(candidate.words),
        said_around=question.share(candidate.around),
        counted=fits if question.kind in {"duration", "number"} else 0.0,
        named=fits if question.kind in {"time", "role", "person", "place", "reason", "statement"} else 0.0,
    )


class Evidence(NamedTuple):
    """What is known of how well the articles answer a question.

    Attributes:
        cosine: of the question and the best sentence.
        said: share of the question's words in the best sentence.
        said_around: the same with the sentence before it and the title.
        counted: as in `Features`.
        named: as in `Features`.
        unknown: share of the question that is words no article has.
        missing_names: names and numbers of the question that no article has, at most 2.
    """

    cosine: float
    said: float
    said_around: float
    counted: float
    named: float
    unknown: float
    missing_names: float


def weigh_evidence(question: Question, best: Features) -> Evidence:
    """The numbers that decide between an answer and a refusal."""
    return Evidence(
        cosine=best.cosine,
        said=best.said,
        said_around=best.said_around,
        counted=best.counted,
        named=best.named,
        unknown=question.share(question.unknown),
        missing_names=min(2.0, len(missing_names(question))),
    )


def answerability(evidence: Evidence) -> float:
    """How likely it is that the articles answer, from 0 to 1."""
    return 1 / (1 + exp(-(float(np.dot(evidence, EVIDENCE_WEIGHTS)) + EVIDENCE_BIAS)))


def quote_answer(question: str, passages: Sequence[ScoredPassage], *, store: PassageStore) -> Extract:
    """Answer with one to three sentences of `passages`, or say that the articles do not answer.

    Args:
        question: one that stands alone.
        passages: what was retrieved for it, best first.
        store: where they come from.
    """
    asked, candidates = _read(question, passages, store)
    if not asked.weights or not candidates or is_small_talk(question):
        return Extract(_refusal(asked, store), refused=True)
    ranked = [one for one in rank_sentences(asked, candidates, store) if _fits(asked, one)]
    confidence = answerability(weigh_evidence(asked, ranked[0].features)) if ranked else 0.0
    if asked.kind == "role" and ranked:
        confidence = max(confidence, _ROLE_TOLD)
    if confidence < _ANSWERS_FROM:
        near = _near_miss(ranked[0].candidate) if confidence >= _NEAR_MISS_FROM else ""
        return Extract(f"{_refusal(asked, store)}{near}", refused=True, confidence=confidence)
    return replace(_compose(_choose(asked, ranked), store), confidence=confidence)


def refuse_unasked(question: str, passages: Sequence[ScoredPassage], *, store: PassageStore) -> str:
    """The refusal for a question that is not worth a model's time, or "" where the model should be asked.

    Only what clearly has no answer is refused here: the doubtful cases a model judges better.
    """
    asked, candidates = _read(question, passages, store)
    if not candidates or is_small_talk(question):
        return _refusal(asked, store)
    if not asked.weights or not _ENGLISH.search(question):
        return ""
    # A model waits: the most promising sentence is mostly near enough, and then the others need no vectors.
    hopeful = find_hopeful(asked, candidates)
    if any(one.features.cosine >= _ASKS_NEAR_FROM for one in rank_sentences(asked, hopeful[:1], store)):
        return ""
    ranked = rank_sentences(asked, hopeful, store)
    far = max(one.features.cosine for one in ranked) < _ASKS_NEAR_FROM
    hopeless = far and answerability(weigh_evidence(asked, ranked[0].features)) < _ASKS_FROM
    return _refusal(asked, store) if hopeless else ""


def _read(question: str, passages: Sequence[ScoredPassage], store: PassageStore) -> tuple[Question, list[Candidate]]:
    candidates = find_candidates(passages)
    words = frozenset(word for candidate in candidates for word in candidate.around)
    return mend_spelling(read_question(question, store), words), candidates


def _fits(question: Question, one: Ranked) -> bool:
    """Whether a sentence can answer at all: how long with a length of time, what someone said with that one's words."""
    if question.kind == "duration":
        return one.features.counted > 0
    return question.kind not in {"role", "statement"} or one.features.named > 0


def is_small_talk(question: str) -> bool:
    """Whether nothing is asked: a greeting, thanks, or no words at all."""
    said = re.findall(r"[^\W_]+", question.lower())
    return not said or (len(said) < 8 and not _SMALL_TALK.isdisjoint(said) and set(said) <= _SMALL_TALK | STOP_WORDS)


def _refusal(question: Question, store: PassageStore) -> str:
    count = len(store.articles())
    articles = "the article" if count == 1 else f"the {count} articles"
    if not count:
        return "There is nothing to answer from yet: no article has been added."
    if not question.weights or is_small_talk(question.text):
        return f"Ask me something about {articles}: I answer only from what they say, with the words to check it by."
    if (language := language_of(question.text)) != "en":
        return reads_english(language)
    missing = missing_names(question)
    if not missing:
        return REFUSAL
    nobody = "The article does not mention" if count == 1 else f"None of the {count} articles mentions"
    return f"{REFUSAL} {nobody} {' or '.join(missing)}."


def _told_whole(candidate: Candidate, store: PassageStore) -> str:
    """The candidate's sentence, a pronoun at its start explained from its article."""
    if not candidate.text.startswith(("He ", "She ")):
        return candidate.text
    before = store.article(candidate.found.passage.article_id).text[: candidate.start]
    return name_pronoun(candidate.text, [before[start:end] for start, end in split_sentences(before)])


def _near_miss(candidate: Candidate) -> str:
    """The sentence nearest to the question, as what it is: words that were found, not an answer."""
    return f" The closest passage: {_quotation(candidate, candidate.text)}"


def _quotation(candidate: Candidate, sentence: str) -> str:
    """A sentence in quotation marks, its outlet before it where known.

    It is on one line; quotation marks within quotation marks are single ones, and `[3]` in an article is no marker.
    """
    source = candidate.found.passage.source
    words = " ".join(sentence.split()).replace("“", "‘").replace("”", "’")
    words = re.sub(r'"([^"]*)"', r"‘\1’", words)
    words = re.sub(r"\[(\d{1,2})\]", r"(\1)", words)
    return f"{source}: “{words}”" if source else f"“{words}”"


def _choose(question: Question, ranked: Sequence[Ranked]) -> list[Candidate]:
    """The best sentence, and those behind it that add something the question asks for, within the limits."""
    chosen = [ranked[0]]
    said = set(ranked[0].candidate.words)
    length = len(ranked[0].candidate.text.split())
    for one in ranked[1:]:
        words = len(one.candidate.text.split())
        if len(chosen) == MAX_SENTENCES or one.score < ranked[0].score - _MARGIN:
            break
        fits = min(one.features.counted, one.features.named) >= 0
        adds = fits and question.share(one.candidate.words - said) >= _ADDS_FROM
        repeats = any(float(one.vector @ other.vector) > _REPEATS_FROM for other in chosen)
        if adds and not repeats and length + words <= MAX_WORDS:
            chosen.append(one)
            said |= one.candidate.words
            length += words
    return [one.candidate for one in chosen]


def _compose(quoted: Iterable[Candidate], store: PassageStore) -> Extract:
    """The text of an answer: each sentence quoted, its marker behind; who "he" is in brackets where that is certain."""
    text = ""
    citations: list[Citation] = []
    for candidate in quoted:
        text += "\n\n" if text else ""
        start = len(text)
        passage, marker = candidate.found.passage, candidate.found.rank
        text += f"{_quotation(candidate, _told_whole(candidate, store))} [{marker}]"
        citations.append(
            Citation(
                marker=marker,
                passage=passage,
                start=candidate.start,
                end=candidate.end,
                quote=candidate.text,
                answer_start=start,
                answer_end=len(text),
                support="supported",
            )
        )
    sentences = tuple(
        SentenceSupport(one.answer_start, one.answer_end, (one.marker,), "supported") for one in citations
    )
    return Extract(text, refused=False, citations=tuple(citations), sentences=sentences)
