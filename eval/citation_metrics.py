"""Citation metrics: do the citations support what is said, and do they open on the right words?

Two yardsticks. *By support*: citation recall and precision as ALCE defines them (Gao, Yen, Yu and Chen, EMNLP 2023),
with a check of support where ALCE asks an entailment model. *By evidence*: against the places a person marked as the
evidence, which needs no judgement of meaning but knows only the evidence that was marked.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from eval.places import Place, meets

Supports = Callable[[str, Sequence[str]], bool]


@dataclass(frozen=True, slots=True)
class CitedSentence:
    """A sentence of an answer with the quotes of its citations, in their order; none where it cites nothing."""

    text: str
    quotes: tuple[str, ...]


def support_recall(sentences: Sequence[CitedSentence], supports: Supports) -> float:
    """ALCE citation recall: the share of sentences that what they cite, taken together, supports.

    A sentence without a citation is not supported. 0.0 for an answer of no sentence.
    """
    if not sentences:
        return 0.0
    return sum(_supported(sentence, supports) for sentence in sentences) / len(sentences)


def support_precision(sentences: Sequence[CitedSentence], supports: Supports) -> float:
    """ALCE citation precision: the share of citations that are needed.

    A citation counts when its sentence is supported by all it cites together, and the citation is not irrelevant: it
    is irrelevant when it does not support the sentence alone and the others still do without it. 0.0 for an answer
    that cites nothing.
    """
    cited = sum(len(sentence.quotes) for sentence in sentences)
    if not cited:
        return 0.0
    needed = 0
    for sentence in sentences:
        if not _supported(sentence, supports):
            continue
        for place, quote in enumerate(sentence.quotes):
            others = sentence.quotes[:place] + sentence.quotes[place + 1 :]
            irrelevant = not supports(sentence.text, [quote]) and bool(others) and supports(sentence.text, others)
            needed += not irrelevant
    return needed / cited


def evidence_recall(citations: Sequence[Place], evidence: Sequence[Sequence[Place]]) -> float:
    """The share of the pieces of evidence that a citation opens on.

    Args:
        citations: the places cited.
        evidence: for each piece every place at which it stands; a citation that meets one of them meets the piece.

    Returns:
        Between 0 and 1; 0.0 where there is no evidence.
    """
    if not evidence:
        return 0.0
    met = [any(meets(citation, place) for citation in citations for place in piece) for piece in evidence]
    return sum(met) / len(met)


def evidence_precision(citations: Sequence[Place], evidence: Sequence[Sequence[Place]]) -> tuple[float, float]:
    """Citations that open on a piece of evidence, and all citations: the metric's part and whole."""
    places = [place for piece in evidence for place in piece]
    return float(sum(any(meets(citation, place) for place in places) for citation in citations)), float(len(citations))


def uncited_groups(article_ids: Collection[str], groups: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    """The groups of `must_cite` of which no article is cited; the answer passes when there are none."""
    return [group for group in groups if not set(group) & set(article_ids)]


def wrong_sources(article_ids: Sequence[str], right: Collection[str]) -> tuple[float, float]:
    """Citations of an article that is none of the right ones, and all citations: the metric's part and whole.

    Args:
        article_ids: the article of each citation, with repeats.
        right: articles that hold evidence or may be cited; none for a question the articles do not answer, of which
            every citation is wrong.
    """
    return float(sum(article not in right for article in article_ids)), float(len(article_ids))


def unresolved_rate(unresolved: int, citations: int) -> tuple[float, float]:
    """Markers that name no source, and all markers written: the metric's part and whole."""
    return float(unresolved), float(unresolved + citations)


def _supported(sentence: CitedSentence, supports: Supports) -> bool:
    return bool(sentence.quotes) and supports(sentence.text, sentence.quotes)
