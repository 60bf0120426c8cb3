"""How well the support check tells true sentences from planted false ones: `python -m eval support`.

Three kinds of cases: answers written for the articles that ship with Byline (`tests/data/support_cases.jsonl`),
sentences each beside its passage (`support_pairs.jsonl`, `support_twins.jsonl`), and sentences of other texts with
falsehoods made by rule (`eval/corruptions.py`), of which only the held-out half is measured. A sentence is *marked*
when its verdict is not `supported`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llama_index.core.embeddings import BaseEmbedding

from eval.corruptions import rule_cases
from eval.statistics import Interval, bootstrap_ratio
from index.articles import Article
from index.errors import QuestionSetError
from index.passages import Passage, cut_passages
from index.reading.places import read_articles
from rag.citations import MarkerStream, cite
from rag.retrieval import ScoredPassage
from rag.support import check_answer, check_support


@dataclass(frozen=True, slots=True)
class SupportCase:
    """An answer over articles: marker n cites the passage that holds the n-th source's words.

    Or a sentence beside its `passage`, which is in no article.
    """

    id: str
    kind: str
    question: str
    sources: tuple[tuple[str, str], ...]
    answer: str
    true: bool
    passage: str = ""


@dataclass(frozen=True, slots=True)
class SupportVerdict:
    """What the check said of one case; `marked` where it is not `supported`."""

    id: str
    origin: str
    kind: str
    true: bool
    marked: bool
    reason: str
    sentence: str

    @property
    def right(self) -> bool:
        """Whether a true sentence went unmarked or a false one was marked."""
        return self.marked != self.true


@dataclass(frozen=True, slots=True)
class SupportReport:
    """The figures, each a share with its 95 % interval.

    Attributes:
        planted_marked: of the false sentences, how many are marked, by origin (`seeds`, `clapnq`...); larger is better.
        true_marked: of the true sentences, how many are marked, by origin; smaller is better.
        by_kind: share marked, by origin and kind.
        verdicts: every case.
    """

    planted_marked: Mapping[str, Interval]
    true_marked: Mapping[str, Interval]
    by_kind: Mapping[tuple[str, str], Interval]
    verdicts: tuple[SupportVerdict, ...]


def read_cases(path: Path) -> list[SupportCase]:
    """Read support cases, one a line.

    Raises:
        QuestionSetError: a line cannot be read; the message names it.
    """
    cases = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as exc:
        raise QuestionSetError(f"{path} cannot be read: {exc.strerror}.") from exc
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            if "twins" in row:
                cases += _twins_of(row)
                continue
            if "passage" in row:
                true, passage = bool(row["supported"]), str(row["passage"])
                cases.append(SupportCase(row["id"], row["kind"], "", (), row["sentence"], true, passage))
                continue
            sources = tuple((source["article"], source["quote"]) for source in row["sources"])
            true = {"supported": True, "unsupported": False}[row["verdict"]]
            cases.append(SupportCase(row["id"], row["kind"], row["question"], sources, row["answer"], true))
        except (ValueError, KeyError, TypeError) as exc:
            raise QuestionSetError(f"{path}, line {number}: not a support case ({exc!r}).") from exc
    return cases


def _twins_of(row: Mapping[str, Any]) -> list[SupportCase]:
    """True sentences of a passage, each with one that is false and differs from it by a few words."""
    return [
        SupportCase(
            f"{row['id']}:{number}:{side}", str(kind), "", (), str(sentence), side == "true", str(row["passage"])
        )
        for number, (kind, true, false) in enumerate(row["twins"])
        for side, sentence in (("true", true), ("false", false))
    ]


def measure_support(
    *,
    embedding: BaseEmbedding,
    articles: Path | None = None,
    cases: Path | None = None,
    texts: Path | None = None,
    passage_tokens: int = 128,
) -> SupportReport:
    """Measure the check on answers over articles, on sentences of other texts, or both.

    Args:
        embedding: compares meanings.
        articles: the folder that the cases' articles lie in.
        cases: the answers, one a line.
        texts: a folder with some of `clapnq`, `onestopqa`, `squad2`.
        passage_tokens: how long the passages of `articles` are.

    Raises:
        QuestionSetError: a case names words that its article does not have, or there is nothing to measure.
    """
    verdicts: list[SupportVerdict] = []
    if articles is not None and cases is not None:
        known = {article.id: article for article in read_articles(articles).articles}
        passages = {id_: cut_passages(article, max_tokens=passage_tokens) for id_, article in known.items()}
        verdicts += [
            _verdict_on_pair(case, embedding) if case.passage else _verdict_on_answer(case, known, passages, embedding)
            for case in read_cases(cases)
        ]
    if texts is not None:
        verdicts += _verdicts_on_texts(texts, embedding)
    if not verdicts:
        raise QuestionSetError("Nothing to measure: name articles with their cases, or a folder of texts.")
    return _report(verdicts)


def _verdict_on_answer(
    case: SupportCase,
    articles: Mapping[str, Article],
    passages: Mapping[str, Sequence[Passage]],
    embedding: BaseEmbedding,
) -> SupportVerdict:
    retrieved = [
        ScoredPassage(_passage_with(case, article, words, articles, passages), 1 / rank, rank)
        for rank, (article, words) in enumerate(case.sources, 1)
    ]
    markers = MarkerStream(len(retrieved))
    markers.feed(case.answer)
    text = markers.finish()
    _, sentences = check_answer(text, cite(text, retrieved, embedding=embedding), retrieved, embedding=embedding)
    marked = [sentence for sentence in sentences if sentence.support != "supported"]
    reason = marked[0].reason if marked else ""
    return SupportVerdict(case.id, "seeds", case.kind, case.true, bool(marked), reason, text)


def _verdict_on_pair(case: SupportCase, embedding: BaseEmbedding) -> SupportVerdict:
    support, reason = check_support(case.answer, [case.passage], embedding=embedding)
    return SupportVerdict(case.id, "pairs", case.kind, case.true, support != "supported", reason, case.answer)


def _passage_with(
    case: SupportCase,
    article: str,
    words: str,
    articles: Mapping[str, Article],
    passages: Mapping[str, Sequence[Passage]],
) -> Passage:
    place = articles[article].text.find(words) if article in articles else -1
    if place < 0:
        raise QuestionSetError(f"Case {case.id}: article {article} does not have the words {words!r}.")
    return next(passage for passage in passages[article] if passage.start <= place < passage.end)


def _verdicts_on_texts(texts: Path, embedding: BaseEmbedding) -> Iterable[SupportVerdict]:
    for case in rule_cases(texts):
        if case.held_out:
            support, reason = check_support(case.sentence, [case.passage], about=[case.title], embedding=embedding)
            yield SupportVerdict(
                case.id, case.origin, case.kind, case.true, support != "supported", reason, case.sentence
            )


def _report(verdicts: Sequence[SupportVerdict]) -> SupportReport:
    origins = list(dict.fromkeys(verdict.origin for verdict in verdicts))
    kinds = list(dict.fromkeys((verdict.origin, verdict.kind) for verdict in verdicts))
    return SupportReport(
        planted_marked={name: _share([v for v in verdicts if v.origin == name and not v.true]) for name in origins},
        true_marked={name: _share([v for v in verdicts if v.origin == name and v.true]) for name in origins},
        by_kind={kind: _share([v for v in verdicts if (v.origin, v.kind) == kind]) for kind in kinds},
        verdicts=tuple(verdicts),
    )


def _share(verdicts: Sequence[SupportVerdict]) -> Interval:
    return bootstrap_ratio([float(verdict.marked) for verdict in verdicts], [1.0] * len(verdicts))
