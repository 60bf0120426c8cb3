"""Does the cited passage say what the sentence says? Decided by code, with no language model.

Four questions in this order, the first fault decides: are the sentence's quoted words, numbers, dates and names in
what it cites (`rag/presence.py`); does the same person say or do it, and is it said and not denied (`rag/claims.py`,
`rag/deeds.py`, `rag/denials.py`); are order, share, sureness and what each number belongs to the same; and is the
meaning near enough, no part of it made up (`rag/meaning.py`, `rag/alignment.py`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from llama_index.core.embeddings import BaseEmbedding

from index.passages import Passage
from rag.certainty import states_as_fact, too_certain
from rag.citations import Citation, Support, answer_sentences, quote_span
from rag.claims import wrong_speaker
from rag.comparison import wrong_comparison
from rag.contrasts import wrong_contrast
from rag.deeds import wrong_deed
from rag.denials import adds_denial, denied_otherwise
from rag.exchange import exchanged_halves
from rag.extent import adds_all, says_too_much
from rag.facts import (
    Facts,
    find_facts,
    holds_words,
    without_markers,
)
from rag.foreign import ONLY_FACTS, missing_abroad
from rag.languages import language_of
from rag.meaning import Embeds, compare_meaning, nearest_window
from rag.order import wrong_order
from rag.premises import without_denied_premise
from rag.presence import missing_fact
from rag.retrieval import ScoredPassage
from rag.roles import wrong_role
from rag.slots import belongs_elsewhere, dated_otherwise, in_its_place, paired_otherwise, placed_otherwise

_NO_CLAIM = re.compile(r"^(here (is|are)|sources?)\b[^.]*[:.]?$", re.IGNORECASE)
# What may stand before a claim, and where one may follow after the articles were said not to say something.
_LEAD = re.compile(
    r"^(?:(?:yes|no)(?:[,.:;–—-]+\s*|$)|(?:in short|in summary)\b[\s,:]*"
    r"|the (?:articles|sources) (?:say|report|mention)(?: that\b| this\b| the following\b|:)[\s,.:]*)+",
    re.IGNORECASE,
)
_TURN = re.compile(r"\s*[;–—]\s*|,?\s+(?:but|however|although|though)\b,?\s*", re.IGNORECASE)
_TELL = (
    r"(say|state|mention|report|give|specify|name|answer|contain|tell|explain|provide|include|cover|address|clarify"
    r"|indicate|identify|describe|disclose)"
)
_NOT_SAID = re.compile(
    rf"\b(articles?|sources?|passages?|reports?|texts?)\b[^.]*\b(do|does|did) ?(not|n['’]t) {_TELL}\b"
    r"|\b(not|nothing|no information|no mention)\b[^.]*\b(in|by) (the|these|those) (articles?|sources?|passages?)\b"
    r"|\b(articles?|sources?|passages?) (say|report|mention|give|contain)s? (nothing|no|none|neither)\b"
    rf"|\bthey (do not|don['’]t) (say|state|mention|specify|name|tell|explain|clarify)\b"
    rf"|^(no|neither) (article|source|passage) {_TELL}s?\b"
    rf"|\bno(ne|t one) of the (articles|sources|passages) {_TELL}s?\b"
    r"|^there is (no|not enough) (information|mention|detail)\b",
    re.IGNORECASE,
)
# Where nothing is cited these speak of the articles; with a marker they may be what an article says.
_NOT_SAID_UNCITED = re.compile(
    rf"^they (do not|don['’]t) {_TELL}\b|\b(is|are|was|were)( not|n['’]t) (\w+ly )?"
    r"(mentioned|stated|specified|reported|given|provided|named|disclosed|explained)\W*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class SentenceSupport:
    """One sentence of the answer and how well what it cites carries it.

    Attributes:
        start: first character, in the answer's text.
        end: one past the last, markers included.
        markers: the markers it carries, in order, without repeats; where `matched`, the passage's that was found.
        support: the verdict over everything it cites together.
        reason: the verdict's reason in words; empty where supported.
        matched: True where it had no marker of its own and Byline found the passage.
    """

    start: int
    end: int
    markers: tuple[int, ...]
    support: Support
    reason: str = ""
    matched: bool = False


def check_support(
    sentence: str,
    quotes: Sequence[str],
    *,
    context: Sequence[str] = (),
    about: Sequence[str] = (),
    language: str = "",
    uncited: bool = False,
    embedding: Embeds | None = None,
) -> tuple[Support, str]:
    """Whether the quotes say what the sentence says, and if not, why, in words a reader understands.

    Args:
        sentence: a sentence of an answer; its markers do not matter.
        quotes: the words it cites.
        context: the passages that the quotes stand in: weaker evidence, which may name and number what the quotes
            call "he" or "the talks".
        about: titles and outlets, which may give a name and nothing else.
        language: the sentence's, where what stands around it tells more than its own words (ISO 639-1).
        uncited: the sentence does not cite the quotes, they were found for it: then more must agree.
        embedding: with one, whichever it is, meanings are compared, by the bundled encoder; without, words alone are.

    Of a sentence in another language than the quotes only numbers, dates and quotations can be compared: it is
    `partial` where they are in its source.
    """
    claim = find_facts(without_markers(sentence))
    outside = [quote for quote in quotes if not any(quote in text for text in context)]
    source = find_facts("\n".join(dict.fromkeys([*context, *outside])))
    if not claim.words or _verbatim(claim, source):
        return "supported", ""
    language = language or language_of(claim.text)
    if language != language_of(source.text):
        fault = missing_abroad(claim, source, language)
        return ("unsupported", fault) if fault else ("partial", ONLY_FACTS)
    fault = missing_fact(claim, source, find_facts("\n".join(about)))
    if fault:
        return "unsupported", fault
    window = nearest_window(claim, source)
    for check in (wrong_speaker, denied_otherwise, wrong_contrast, in_its_place, wrong_deed):
        fault = check(claim, source, window)
        if fault:
            return "unsupported", fault
    for check in (says_too_much, too_certain, wrong_order, wrong_comparison):
        fault = check(claim, source, window)
        if fault:
            return "unsupported", fault
    fault = (
        wrong_role(claim, find_facts("\n".join([source.text, *about])))
        or paired_otherwise(claim, source)
        or dated_otherwise(claim, source)
        or belongs_elsewhere(claim, source)
        or placed_otherwise(claim, source)
        or exchanged_halves(claim, source)
    )
    if fault:
        return "unsupported", fault
    support, reason = compare_meaning(claim, source, window, embedding, uncited=uncited)
    if support == "supported":
        for doubtful in (adds_all, states_as_fact, adds_denial):
            doubt = doubtful(claim, source, window)
            if doubt:
                return "partial", doubt
    return support, reason


def _verbatim(claim: Facts, source: Facts) -> bool:
    return holds_words([word.plain for word in source.words], tuple(word.plain for word in claim.words))


# A whole answer


def check_answer(
    text: str,
    citations: Sequence[Citation],
    passages: Sequence[ScoredPassage],
    *,
    question: str = "",
    embedding: BaseEmbedding | None = None,
) -> tuple[list[Citation], list[SentenceSupport]]:
    """Check every sentence of an answer against what it cites.

    A sentence's verdict is over all it cites together; of several citations each gets the verdict on itself alone,
    but at least `partial` where together they support the sentence. What a sentence denies because `question` took it
    for granted need not be in the source, if the rest is. A sentence without a marker is matched to a
    retrieved passage that carries it, or is unsupported. A sentence that claims nothing, or says that the articles
    do not say something, is supported.
    """
    checked = list(citations)
    verdicts: list[SentenceSupport] = []
    language = language_of(without_markers(text))
    for start, end in answer_sentences(text):
        places = [at for at, cited in enumerate(checked) if start <= cited.answer_start < end]
        sentence = text[start:end]
        markers = tuple(dict.fromkeys(checked[at].marker for at in places))
        claim = claim_of(sentence)
        if not claim or (not places and _NOT_SAID_UNCITED.search(claim)):
            verdicts.append(SentenceSupport(start, end, markers, "supported"))
            continue
        if not places:
            verdicts.append(_match(claim, (start, end), passages, language=language, embedding=embedding))
            continue
        cited = [checked[at] for at in places]
        support, reason = _check_cited(claim, cited, language=language, embedding=embedding)
        corrected = without_denied_premise(claim, question) if support == "unsupported" and question else claim
        if corrected != claim:
            claim = corrected
            support, reason = _check_cited(claim, cited, language=language, embedding=embedding)
        verdicts.append(SentenceSupport(start, end, markers, support, reason))
        for at in places:
            alone = (
                support
                if len(places) == 1
                else _check_cited(claim, [checked[at]], language=language, embedding=embedding)[0]
            )
            if support == "supported" and alone == "unsupported":
                alone = "partial"
            checked[at] = replace(checked[at], support=alone)
    return checked, verdicts


def claim_of(sentence: str) -> str:
    """What a sentence claims; "" where it only introduces, or says that the articles do not say something.

    A claim may hide behind that: of "Yes, Merz resigned" and "The articles do not say why, but Merz resigned" the
    claim is that Merz resigned; a question or an introduction that holds a number, date or quotation claims it.
    """
    bare = _LEAD.sub("", without_markers(sentence))
    if _NOT_SAID.search(bare):
        parts = [part for part in _TURN.split(bare) if not _NOT_SAID.search(part)]
        return next((part for part in parts if sum(word.content for word in find_facts(part).words) > 1), "")
    if bare.endswith(("?", ":")) or _NO_CLAIM.match(bare):
        facts = find_facts(bare)
        return bare if facts.numbers or facts.dates or facts.quoted else ""
    return bare if re.search(r"\w", bare) else ""


def claims_nothing(sentence: str) -> bool:
    """Whether a sentence makes no claim of its own."""
    return not claim_of(sentence)


def _about(passage: Passage) -> list[str]:
    return [text for text in (passage.title, passage.source) if text]


def _check_cited(
    sentence: str, cited: Sequence[Citation], *, language: str, embedding: Embeds | None
) -> tuple[Support, str]:
    return check_support(
        sentence,
        [citation.quote for citation in cited],
        context=[citation.passage.text for citation in cited],
        about=[text for citation in cited for text in _about(citation.passage)],
        language=language,
        embedding=embedding,
    )


def _match(
    sentence: str,
    place: tuple[int, int],
    passages: Sequence[ScoredPassage],
    *,
    language: str,
    embedding: Embeds | None,
) -> SentenceSupport:
    """Find a retrieved passage that carries a sentence without a marker."""
    for scored in passages:
        start, end = quote_span(sentence, scored.passage)
        quote = scored.passage.text[start - scored.passage.start : end - scored.passage.start]
        support, _ = check_support(
            sentence,
            [quote],
            context=[scored.passage.text],
            about=_about(scored.passage),
            language=language,
            uncited=True,
            embedding=embedding,
        )
        if support == "supported":
            return SentenceSupport(*place, (scored.rank,), "supported", matched=True)
    return SentenceSupport(*place, (), "unsupported", "This sentence cites nothing, and no passage found says it.")
