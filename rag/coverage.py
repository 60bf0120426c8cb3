"""Coverage: who else reports what an answer says, and who differs.

For each cited sentence the passages of other articles nearest to it, by vector and by words, are compared with it:
an article that supports the sentence reports it too; one that says the same with another value is a difference. A
difference that is none misleads more than one that is missed, so whatever is unsure is left out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from index.duplicates import origins
from index.lexical import words_of
from index.passages import Passage
from index.sentences import split_sentences
from index.store import PassageStore
from rag.citations import Citation, quote_span
from rag.disagreement import Disagreement, find_disagreement
from rag.facts import find_facts, without_markers
from rag.meaning import Remembering, shared_words
from rag.support import check_support, claims_nothing

# How many passages of other articles are looked at for one cited sentence, each of the two searches its half.
_PASSAGES_A_SENTENCE = 24
# Cosine of a passage below which it is on another subject.
_PASSAGE_FROM = 0.30
# Share of a claim's words that another article must have to be named beside the one that is cited.
_SAYS_FROM = 0.55
# The longest answer looks at so many sentences; coverage of more would make the reader wait.
_SENTENCES = 8


@dataclass(frozen=True, slots=True)
class DifferingValue:
    """What one article says where others say otherwise; `start` and `end` as in a citation."""

    value: str
    article_id: str
    title: str
    source: str | None
    passage_id: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One subject on which articles give different values."""

    subject: str
    values: tuple[DifferingValue, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The words with which an article that is not cited says the same; `start` and `end` as in a citation."""

    article_id: str
    title: str
    source: str | None
    passage_id: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """Who stands behind an answer.

    Attributes:
        origins: independent reports among the articles cited and those that say the same; copies count once.
        also_reported_by: ids of articles not cited that say the same.
        differences: where articles give different values.
        reports: where those of `also_reported_by` say it, in the same order.
    """

    origins: int
    also_reported_by: tuple[str, ...]
    differences: tuple[Difference, ...]
    reports: tuple[Report, ...] = ()


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence of a passage; offsets in the article."""

    passage: Passage
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.passage.text[self.start - self.passage.start : self.end - self.passage.start]


def find_coverage(citations: Sequence[Citation], store: PassageStore, *, text: str = "") -> Coverage:
    """Find who else reports what is cited, and who differs, in all articles.

    A filter of the question narrows what the answer rests on, not who is looked at here: that another outlet says
    otherwise is worth knowing most where one asked only some.

    Args:
        citations: of an answer; those that do not carry their sentence are left out.
        store: where other articles are looked for.
        text: the answer's text: then another article is asked whether it says what the answer says, and not all that
            the cited words say.
    """
    embedding = Remembering(store.embedding)
    kept = _one_a_sentence([cited for cited in citations if cited.support != "unsupported"])
    cited_articles = {cited.passage.article_id for cited in kept}
    reports: dict[str, Report] = {}
    found: list[tuple[_Sentence, list[tuple[Disagreement, _Sentence]]]] = []
    for cited in kept[:_SENTENCES]:
        claim = without_markers(text[cited.answer_start : cited.answer_end]) if text else cited.quote
        here = _Sentence(cited.passage, cited.start, cited.end)
        differing = []
        for passage in _others(cited.quote, cited.passage.article_id, store, embedding):
            known = passage.article_id in cited_articles or passage.article_id in reports
            if not known and _says(passage, claim, embedding):
                reports[passage.article_id] = _report(claim, passage)
            differing += _disagreements(here, claim, passage, embedding)
        found.append((here, differing))
    groups = _origins(sorted(cited_articles | reports.keys()), store, embedding)
    also = sorted(reports)
    return Coverage(
        len(groups),
        tuple(also),
        tuple(_differences(found)),
        tuple(reports[article_id] for article_id in also),
    )


def _one_a_sentence(citations: Sequence[Citation]) -> list[Citation]:
    """Each cited stretch once, in the answer's order."""
    seen: dict[tuple[str, int, int], Citation] = {}
    for cited in citations:
        seen.setdefault((cited.passage.article_id, cited.start, cited.end), cited)
    return list(seen.values())


def _others(quote: str, article_id: str, store: PassageStore, embedding: Remembering) -> list[Passage]:
    """Passages of other articles near the quote, by vector and by words."""
    vector = embedding.get_text_embedding(quote)
    near = [p for p, cosine in store.nearest(vector, 2 * _PASSAGES_A_SENTENCE) if cosine >= _PASSAGE_FROM]
    worded = [passage for passage, _ in store.find_words(quote, 2 * _PASSAGES_A_SENTENCE)]
    half = _PASSAGES_A_SENTENCE // 2
    chosen: dict[str, Passage] = {}
    for passages in (near, worded):
        others = [passage for passage in passages if passage.article_id != article_id]
        chosen.update((passage.id, passage) for passage in others[:half])
    return list(chosen.values())


def _says(passage: Passage, claim: str, embedding: Remembering) -> bool:
    """Whether the passage carries the claim."""
    if claims_nothing(claim) or not _keeps_short_quotations(passage, claim):
        return False
    if shared_words(find_facts(claim), find_facts(passage.text)) < _SAYS_FROM:
        return False
    about = [text for text in (passage.title, passage.source) if text]
    # Most passages fail by their facts or words alone: only the others are worth the time of an embedding.
    if check_support(claim, [passage.text], about=about)[0] == "unsupported":
        return False
    return check_support(claim, [passage.text], about=about, embedding=embedding)[0] == "supported"


def _keeps_short_quotations(passage: Passage, claim: str) -> bool:
    """Whether the passage has the one or two words that the claim sets in quotation marks: they are its point."""
    said = set(words_of(passage.text))
    return all(said.issuperset(words_of(quoted.text)) for quoted in find_facts(claim).quoted if len(quoted.words) < 3)


def _report(claim: str, passage: Passage) -> Report:
    start, end = quote_span(claim, passage)
    return Report(
        article_id=passage.article_id,
        title=passage.title,
        source=passage.source,
        passage_id=passage.id,
        start=start,
        end=end,
        quote=passage.text[start - passage.start : end - passage.start],
    )


def _sentences(passage: Passage) -> list[_Sentence]:
    return [
        _Sentence(passage, passage.start + start, passage.start + end) for start, end in split_sentences(passage.text)
    ]


# Differences


def _disagreements(
    here: _Sentence, claim: str, passage: Passage, embedding: Remembering
) -> list[tuple[Disagreement, _Sentence]]:
    ours = find_facts(here.text)
    found = []
    for there in _sentences(passage):
        disagreement = find_disagreement(ours, find_facts(there.text), of=find_facts(claim), embedding=embedding)
        if disagreement is not None:
            found.append((disagreement, there))
    return found


def _differences(found: Iterable[tuple[_Sentence, list[tuple[Disagreement, _Sentence]]]]) -> Iterable[Difference]:
    """One difference for each subject: the cited value first, then the others, each article once."""
    seen: set[tuple[str, str]] = set()
    for here, differing in found:
        for subject, ours in dict.fromkeys((d.subject, d.ours) for d, _ in differing):
            values = [_value(ours, here)]
            for disagreement, there in differing:
                known = {value.article_id for value in values}
                if (disagreement.subject, disagreement.ours) == (
                    subject,
                    ours,
                ) and there.passage.article_id not in known:
                    values.append(_value(disagreement.theirs, there))
            places = [f"{value.article_id}:{value.start}" for value in values]
            pairs = {(min(places[0], other), max(places[0], other)) for other in places[1:]}
            if not pairs & seen:
                yield Difference(subject, tuple(values))
            seen |= pairs


def _value(value: str, sentence: _Sentence) -> DifferingValue:
    passage = sentence.passage
    return DifferingValue(
        value=value,
        article_id=passage.article_id,
        title=passage.title,
        source=passage.source,
        passage_id=passage.id,
        start=sentence.start,
        end=sentence.end,
        quote=sentence.text,
    )


# Origins


def _origins(article_ids: Sequence[str], store: PassageStore, embedding: Remembering) -> list[tuple[str, ...]]:
    """The articles grouped by report."""
    if len(article_ids) < 2:
        return [(id_,) for id_ in article_ids]
    texts = {id_: "".join(passage.text for passage in store.article_passages(id_)) for id_ in article_ids}
    return origins(texts, embed=embedding.get_text_embedding_batch, copies=store.copies())
