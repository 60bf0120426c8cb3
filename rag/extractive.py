"""The answer without a model: the articles' own sentences, quoted and cited, or plain words that they do not say.

What the sentences of the passages hold is weighed in `rag/evidence.py`; here an answer is made of the best of them.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from index.lexical import STOP_WORDS
from index.sentences import Span, split_sentences
from index.store import PassageStore
from rag.antecedents import name_pronoun
from rag.asking import REFUSAL
from rag.citations import Citation
from rag.claims import EVERYWHERE
from rag.deeds import wrong_deed
from rag.evidence import (
    Candidate,
    Features,
    Ranked,
    answerability,
    find_candidates,
    find_nearness,
    rank_sentences,
    weigh_evidence,
)
from rag.facts import find_facts
from rag.languages import language_of, reads_english
from rag.question import Question, deed_asked_of, mend_spelling, missing_names, read_question
from rag.retrieval import ScoredPassage
from rag.support import SentenceSupport

MAX_SENTENCES = 3
MAX_WORDS = 80
# From this likelihood on the articles' words are given as an answer: on the sets of `rag/evidence.py` about three of
# four questions with an answer get one, and as many of those without are refused.
_ANSWERS_FROM = 0.42
# A sentence that gives an office to the one whom the question names answers what that one is; words of the one whom the
# question names (of anybody, where it names none), on all that it is about, answer what was said.
_TOLD = 0.9
_ALL = 0.99
# A refusal shows the nearest sentence where it is as near as this (cosine) or holds as much of the question.
_NEAR_MISS_FROM = 0.35
# Not even a model is asked where that likelihood is below this, which takes a reader that sees nothing and hardly a
# word of the question, and nothing found is as near as this (cosine): it judges what is doubtful better, and a call
# for nothing costs less than a question refused that has an answer.
_ASKS_FROM = 0.17
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
        highlights: the words within the quotations that answer, as characters of the text.
    """

    text: str
    refused: bool
    citations: tuple[Citation, ...] = ()
    sentences: tuple[SentenceSupport, ...] = ()
    highlights: tuple[Span, ...] = ()
    confidence: float = 0.0


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
    ranked = _fitting(asked, rank_sentences(asked, candidates, store))
    confidence = answerability(weigh_evidence(asked, ranked[0].features)) if ranked else 0.0
    if ranked and _is_told(asked, ranked[0].features):
        confidence = max(confidence, _TOLD)
    if confidence < _ANSWERS_FROM:
        near = _near_miss(ranked[0].candidate) if ranked and _is_near(asked, ranked[0].features) else ""
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
    # A model waits: the most promising sentence is mostly near enough, and then nothing need be read.
    if find_nearness(asked, candidates, store) >= _ASKS_NEAR_FROM:
        return ""
    ranked = rank_sentences(asked, candidates, store)
    far = max(one.features.cosine for one in ranked) < _ASKS_NEAR_FROM
    hopeless = far and answerability(weigh_evidence(asked, ranked[0].features)) < _ASKS_FROM
    return _refusal(asked, store) if hopeless else ""


def _read(question: str, passages: Sequence[ScoredPassage], store: PassageStore) -> tuple[Question, list[Candidate]]:
    candidates = find_candidates(passages)
    words = frozenset(word for candidate in candidates for word in candidate.around)
    return mend_spelling(read_question(question, store), words), candidates


def _fitting(question: Question, ranked: Sequence[Ranked]) -> list[Ranked]:
    """The sentences that can answer at all: what X is, with an office of X; what X did, not with a deed of Y."""
    if question.kind == "role":
        return [one for one in ranked if one.features.named > 0]
    if not (deed := deed_asked_of(question)):
        return list(ranked)
    claim = find_facts(deed)
    return [one for one in ranked if not wrong_deed(claim, find_facts(one.candidate.text), EVERYWHERE)]


def _is_told(question: Question, best: Features) -> bool:
    """Whether the kind of question and the words alone make sure that the sentence answers."""
    if question.kind == "statement":
        return best.named > 0 and best.said > _ALL
    return question.kind == "role"


def _is_near(question: Question, best: Features) -> bool:
    """Whether a sentence that does not answer is worth showing: about what is asked, and nothing asked is unknown."""
    near = best.cosine >= _NEAR_MISS_FROM or best.said >= _NEAR_MISS_FROM
    return near and not missing_names(question)


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
    words = _in_quotation(sentence)
    return f"{source}: “{words}”" if source else f"“{words}”"


def _in_quotation(text: str) -> str:
    words = re.sub(r'"([^"]*)"', r"‘\1’", " ".join(text.split()).replace("“", "‘").replace("”", "’"))
    return re.sub(r"\[(\d{1,2})\]", r"(\1)", words)


def _find_words(words: str, text: str, start: int) -> list[Span]:
    """Where the words that answer stand in a text from `start` on, if they stand there as they are."""
    said = _in_quotation(words)
    found = re.compile(rf"(?<!\w){re.escape(said)}(?!\w)").search(text, start) if said else None
    return [Span(*found.span())] if found else []


def _choose(question: Question, ranked: Sequence[Ranked]) -> list[Ranked]:
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
    return chosen


def _compose(quoted: Iterable[Ranked], store: PassageStore) -> Extract:
    """The text of an answer: each sentence quoted, its marker behind; who "he" is in brackets where that is certain."""
    text = ""
    citations: list[Citation] = []
    highlights: list[Span] = []
    for one in quoted:
        candidate = one.candidate
        text += "\n\n" if text else ""
        start = len(text)
        passage, marker = candidate.found.passage, candidate.found.rank
        text += f"{_quotation(candidate, _told_whole(candidate, store))} [{marker}]"
        if one.features.read > 0:  # the reader holds these words likelier than none
            highlights += _find_words(one.answer, text, start)
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
    return Extract(text, refused=False, citations=tuple(citations), sentences=sentences, highlights=tuple(highlights))
