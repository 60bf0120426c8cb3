"""Scoring: one question, its answer and the gold places -> Result, with every fault in words."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from eval.answer_metrics import (
    exact_match,
    forbidden_phrases,
    missing_phrases,
    refusal_parts,
    rouge_l,
    token_f1,
    without_markers,
)
from eval.citation_metrics import (
    CitedSentence,
    evidence_precision,
    evidence_recall,
    support_precision,
    support_recall,
    uncited_groups,
    unresolved_rate,
    wrong_sources,
)
from eval.coverage_metrics import Known, coverage_parts, difference_parts, differences_asked_for, origins_right
from eval.dataset import Question
from eval.expected import Expected
from eval.matching import mentions
from eval.metrics import Result, Score
from eval.places import Place, find_quote, passages_holding
from eval.retrieval_metrics import evidence_density, score_rankings
from rag.answers import Answer
from rag.support import SentenceSupport, check_support, claims_nothing


@dataclass(frozen=True, slots=True)
class Gold:
    """Where a question's evidence is, in the articles and in one index.

    Attributes:
        places: for each piece of evidence every place at which its quote stands.
        passages: for each piece the ids of the passages that hold it; of an article that is not indexed one made-up id,
            so that what cannot be found counts as not found.
        groups: what the answer needs: each group lists pieces (by their position) of which one is enough.
    """

    places: tuple[tuple[Place, ...], ...] = ()
    passages: tuple[tuple[str, ...], ...] = ()
    groups: tuple[tuple[int, ...], ...] = ()

    @property
    def passage_ids(self) -> list[str]:
        """Every gold passage once."""
        return list(dict.fromkeys(identity for piece in self.passages for identity in piece))

    @property
    def needed_passages(self) -> list[set[str]]:
        """For each group the passages of which one is enough."""
        return [{identity for piece in group for identity in self.passages[piece]} for group in self.groups]

    @property
    def needed_places(self) -> list[list[Place]]:
        """For each group the places of which one is enough."""
        return [[place for piece in group for place in self.places[piece]] for group in self.groups]


def find_gold(
    question: Question, texts: Mapping[str, str], passages: Mapping[str, Sequence[tuple[str, Place]]]
) -> Gold:
    """Find a question's evidence.

    Evidence is every place known to carry the answer or a part of it. What the answer needs is told by `must_cite`: of
    each group one piece from one of its articles. Without `must_cite`, any one piece is enough.

    Args:
        question: the question.
        texts: article id -> text, of all articles of the set.
        passages: article id -> (id, place) of its passages, of the articles in the index.
    """
    places = tuple(
        tuple(find_quote(piece.quote, piece.article, texts.get(piece.article, ""))) for piece in question.evidence
    )
    held = []
    for piece, spots in zip(question.evidence, places, strict=True):
        found = passages_holding(spots, passages.get(piece.article, ()))
        held.append(tuple(found) or (f"not indexed: {piece.article}",))
    groups = [
        tuple(place for place, piece in enumerate(question.evidence) if piece.article in articles)
        for articles in question.must_cite
    ] or [tuple(range(len(question.evidence)))]
    return Gold(places, tuple(held), tuple(group for group in groups if group))


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known of a set's articles beyond its questions: differences that exist, and which articles are copies."""

    differences: Known
    origin_of: Callable[[str], str]


def find_truth(expected: Expected, texts: Mapping[str, str]) -> Truth:
    """Find the places of everything known in the articles' texts (article id -> text)."""
    differences = [
        [
            [
                spot
                for place in value.places
                for spot in find_quote(place.quote, place.article, texts.get(place.article, ""))
            ]
            for value in difference.values
        ]
        for difference in expected.differences
    ]
    return Truth(differences, expected.origin)


def gold_json(gold: Gold) -> dict[str, Any]:
    """The JSON object of gold.jsonl, without the question's id."""
    return asdict(gold)


def read_gold(data: Mapping[str, Any]) -> Gold:
    """Read it back."""
    return Gold(
        places=tuple(tuple(Place(**place) for place in piece) for piece in data["places"]),
        passages=tuple(map(tuple, data["passages"])),
        groups=tuple(map(tuple, data["groups"])),
    )


def score_answer(question: Question, answer: Answer, gold: Gold, truth: Truth | None = None) -> Result:
    """Score one answer by every metric that applies to its question; coverage where `truth` is known."""
    scores: dict[str, Score] = {}
    faults: list[str] = []
    remarks: list[str] = []
    verdict = _correct(question, answer, faults)
    # Putting a false premise right is neither a refusal nor a failure to refuse, and whom it cites is not prescribed.
    corrected = verdict is True and not question.answerable and not answer.refused
    if not corrected:
        scores.update(refusal_parts(refused=answer.refused, answerable=question.answerable))
    scores.update(_retrieval_scores(answer, gold))
    scores.update(_word_scores(question, answer))
    scores.update(_citation_scores(question, answer, gold))
    if truth and question.answerable:
        scores.update(_coverage_scores(question, answer, gold, truth))
    if corrected:
        del scores["wrong_source"]
    if verdict is not None:
        scores["correct"] = (float(verdict), 1.0)
        rightly_cited = _rightly_cited(question, answer, faults)
        scores["correct_and_cited"] = (float(verdict and rightly_cited), 1.0)
    remarks += _remarks(answer, gold, scores)
    scores["prompt_tokens"] = (float(answer.usage.get("prompt_tokens", 0)), 1.0)
    scores["completion_tokens"] = (float(answer.usage.get("completion_tokens", 0)), 1.0)
    return Result(
        id=question.id,
        category=question.category,
        answerable=question.answerable,
        refused=answer.refused,
        scores=scores,
        faults=tuple(faults),
        remarks=tuple(remarks),
        confidence=None if answer.refused else _confidence(answer),
        latency_ms=answer.timings_ms.get("total", 0),
    )


def _confidence(answer: Answer) -> float | None:
    """Byline's own where it has one, else the score of the best passage found."""
    if answer.confidence is not None:
        return answer.confidence
    return answer.passages[0].score if answer.passages else None


def unscored(question: Question, error: str) -> Result:
    """The result of a question that could not be scored."""
    return Result(id=question.id, category=question.category, answerable=question.answerable, error=error)


def cited_sentences(answer: Answer) -> list[CitedSentence]:
    """The answer's sentences that claim something, each with the quotes of its citations."""
    return [
        CitedSentence(
            without_markers(answer.text[sentence.start : sentence.end]),
            tuple(citation.quote for citation in answer.citations if citation.answer_start == sentence.start),
        )
        for sentence in _claims(answer)
    ]


def _claims(answer: Answer) -> list[SentenceSupport]:
    return [sentence for sentence in answer.sentences if not claims_nothing(answer.text[sentence.start : sentence.end])]


class _Verdicts:
    """Byline's check of support as the metrics ask for it: the verdicts on record first, the check for the rest."""

    def __init__(self, answer: Answer) -> None:
        self._known: dict[tuple[str, tuple[str, ...]], bool] = {}
        for sentence, cited in zip(_claims(answer), cited_sentences(answer), strict=True):
            for citation in answer.citations:
                if citation.answer_start == sentence.start:
                    self._known[cited.text, (citation.quote,)] = citation.support == "supported"
            self._known[cited.text, cited.quotes] = sentence.support == "supported"

    def __call__(self, sentence: str, quotes: Sequence[str]) -> bool:
        key = (sentence, tuple(quotes))
        if key not in self._known:
            self._known[key] = check_support(sentence, list(quotes))[0] == "supported"
        return self._known[key]


def _retrieval_scores(answer: Answer, gold: Gold) -> dict[str, Score]:
    if not gold.passage_ids:
        return {}
    ranking = [found.passage.id for found in answer.passages]
    ranked = score_rankings({"": ranking}, {"": gold.passage_ids}, needs={"": gold.needed_passages})[""]
    scores = {name: (value, 1.0) for name, value in ranked.items()}
    retrieved = [Place(found.passage.article_id, found.passage.start, found.passage.end) for found in answer.passages]
    scores["evidence_density"] = evidence_density(retrieved, [place for piece in gold.places for place in piece])
    return scores


def _word_scores(question: Question, answer: Answer) -> dict[str, Score]:
    scores: dict[str, Score] = {}
    if not answer.refused and question.must_not_include:
        passed = not forbidden_phrases(answer.text, question.must_not_include, mentions=mentions)
        scores["must_not_include"] = (float(passed), 1.0)
    if not question.answerable:
        return scores
    text = "" if answer.refused else answer.text
    if question.must_include:
        missing = missing_phrases(text, question.must_include, mentions=mentions)
        scores["must_include"] = (1 - len(missing) / len(question.must_include), 1.0)
    if question.answer:
        scores["token_f1"] = (token_f1(text, question.answer), 1.0)
        scores["exact_match"] = (exact_match(text, question.answer), 1.0)
        scores["rouge_l"] = (rouge_l(text, question.answer), 1.0)
    return scores


def _citation_scores(question: Question, answer: Answer, gold: Gold) -> dict[str, Score]:
    scores: dict[str, Score] = {
        "unresolved_markers": unresolved_rate(len(answer.unresolved_markers), len(answer.citations)),
    }
    cited = [citation.passage.article_id for citation in answer.citations]
    if not answer.refused:
        scores["wrong_source"] = wrong_sources(cited, _right_articles(question))
        sentences, verdicts = cited_sentences(answer), _Verdicts(answer)
        scores["support_recall"] = (support_recall(sentences, verdicts), 1.0)
        scores["support_precision"] = (support_precision(sentences, verdicts), 1.0)
    places = [Place(citation.passage.article_id, citation.start, citation.end) for citation in answer.citations]
    if gold.groups:
        scores["evidence_recall"] = (evidence_recall(places, gold.needed_places), 1.0)
        scores["evidence_precision"] = evidence_precision(places, gold.places)
    if question.answerable and question.must_cite:
        scores["must_cite"] = (float(not uncited_groups(cited, question.must_cite)), 1.0)
    return scores


def _coverage_scores(question: Question, answer: Answer, gold: Gold, truth: Truth) -> dict[str, Score]:
    shown = [
        [Place(value.article_id, value.start, value.end) for value in difference.values]
        for difference in answer.coverage.differences
    ]
    evidence = [place for piece in gold.places for place in piece]
    scores: dict[str, Score] = {
        **difference_parts(shown, truth.differences, differences_asked_for(evidence, truth.differences))
    }
    # Where several things are needed, "the same" is not one thing: only single facts tell.
    if not answer.refused and len(gold.groups) == 1:
        cited = {citation.passage.article_id for citation in answer.citations}
        carrying = {piece.article for piece in question.evidence}
        scores.update(coverage_parts(answer.coverage.also_reported_by, cited, carrying))
        scores["origins"] = (origins_right(answer.coverage.origins, cited | carrying, truth.origin_of), 1.0)
    return scores


def _right_articles(question: Question) -> set[str]:
    return {piece.article for piece in question.evidence} | {
        article for group in question.must_cite for article in group
    }


def _correct(question: Question, answer: Answer, faults: list[str]) -> bool | None:
    """Whether the answer is correct, with a fault for each reason why not; None where nobody can say."""
    if answer.refused:
        if question.answerable:
            faults.append("Refused, though the articles answer it.")
        return not question.answerable
    missing = missing_phrases(answer.text, question.must_include, mentions=mentions)
    forbidden = forbidden_phrases(answer.text, question.must_not_include, mentions=mentions)
    faults.extend(f"Says what is wrong here: {_quoted([phrase])}." for phrase in forbidden)
    if not question.answerable:
        corrected = bool(question.must_include) and not missing and not forbidden
        if not corrected:
            faults.append("Answered, though the articles do not say.")
        return corrected
    faults.extend(f"Does not say {_quoted(group)}." for group in missing)
    if not question.must_include:
        return False if forbidden else None
    return not missing and not forbidden


def _rightly_cited(question: Question, answer: Answer, faults: list[str]) -> bool:
    cited = [citation.passage.article_id for citation in answer.citations]
    if answer.refused or not question.answerable:
        return True
    uncited = uncited_groups(cited, question.must_cite)
    faults.extend(f"Does not cite {_quoted(group)}." for group in uncited)
    wrong = list(dict.fromkeys(article for article in cited if article not in _right_articles(question)))
    faults.extend(f"Cites {article}, which holds no evidence." for article in wrong)
    if not cited:
        faults.append("Cites nothing.")
    return bool(cited) and not uncited and not wrong


def _remarks(answer: Answer, gold: Gold, scores: Mapping[str, Score]) -> Iterable[str]:
    if gold.groups and not scores["all_evidence@10"][0]:
        yield f"Not everything needed is among the {len(answer.passages)} passages found."
    if not answer.refused and gold.groups and answer.citations and scores["evidence_recall"][0] < 1:
        yield "A citation to marked evidence is missing; it may still be right."
    for number in answer.unresolved_markers:
        yield f"The marker [{number}] names no source."
    for sentence in answer.sentences:
        if not answer.refused and sentence.support != "supported":
            text = answer.text[sentence.start : sentence.end].strip()
            reason = f" ({sentence.reason})" if sentence.reason else ""
            yield f"{sentence.support.capitalize()}: {_short(text)}{reason}"
    if answer.notice:
        yield answer.notice


def _quoted(phrases: Sequence[str]) -> str:
    return " or ".join(f"“{phrase}”" for phrase in phrases)


def _short(text: str) -> str:
    return text if len(text) <= 160 else f"{text[:157]}..."
