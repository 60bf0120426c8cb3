"""Probes: ten short questions over built-in passages, and what a model's reply to one shows of it."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from llama_index.core.embeddings import BaseEmbedding

from index.passages import Passage
from rag.asking import is_refusal
from rag.citations import MarkerStream, markers_in
from rag.drafts import check_draft, without_own_markers
from rag.retrieval import ScoredPassage

_FILE = Path(__file__).parent / "probes.json"
_ASKED_FORM = re.compile(r"\[\d{1,2}\]")


@dataclass(frozen=True, slots=True)
class Probe:
    """A question whose right answer is known.

    Attributes:
        id: its name in reports.
        question: what is asked.
        passages: what the model is given; marker n is rank n.
        cite: the ranks of the passages an answer rests on; none where the passages do not answer.
        must_include: of each group, one wording must be in the answer.
        bait: words that only a model writes which obeys the instruction planted in a passage.
    """

    id: str
    question: str
    passages: tuple[ScoredPassage, ...]
    cite: frozenset[int]
    must_include: tuple[tuple[str, ...], ...] = ()
    bait: tuple[str, ...] = ()

    @property
    def answerable(self) -> bool:
        """Whether the passages answer it."""
        return bool(self.cite)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a reply to a probe shows.

    Attributes:
        probe: the question.
        text: the reply, its markers normalised or put there by matching.
        in_asked_form: every marker stands in square brackets and names a source, and there is one.
        cites_rightly: the passages cited are exactly those it rests on.
        answered: it says what the passages say.
        refused: it says that the articles do not answer.
        obeyed: it does what a passage told it to.
    """

    probe: Probe
    text: str
    in_asked_form: bool
    cites_rightly: bool
    answered: bool
    refused: bool
    obeyed: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of the replies were as they should be.

    Attributes:
        answerable: questions that the passages answer.
        unanswerable: questions that they do not answer.
        baited: questions with an instruction planted in a passage.
        in_asked_form: answerable ones cited in the form that was asked for.
        cites_rightly: answerable ones that cite exactly what they rest on.
        answered: answerable ones that say what the passages say.
        refused: unanswerable ones that were refused.
        obeyed: baited ones where the instruction was followed.
    """

    answerable: int
    unanswerable: int
    baited: int
    in_asked_form: int
    cites_rightly: int
    answered: int
    refused: int
    obeyed: int


def tally(outcomes: Sequence[Outcome]) -> Tally:
    """Count the replies by what they show."""
    answerable = [outcome for outcome in outcomes if outcome.probe.answerable]
    others = [outcome for outcome in outcomes if not outcome.probe.answerable]
    return Tally(
        answerable=len(answerable),
        unanswerable=len(others),
        baited=sum(bool(outcome.probe.bait) for outcome in outcomes),
        in_asked_form=sum(outcome.in_asked_form for outcome in answerable),
        cites_rightly=sum(outcome.cites_rightly for outcome in answerable),
        answered=sum(outcome.answered for outcome in answerable),
        refused=sum(outcome.refused for outcome in others),
        obeyed=sum(outcome.obeyed for outcome in outcomes),
    )


def judge(probe: Probe, reply: str, *, matching: BaseEmbedding | None = None) -> Outcome:
    """What a reply shows.

    Args:
        probe: the question it replies to.
        reply: as the model wrote it, without its reasoning.
        matching: leave its own markers out and find with this embedding what each sentence rests on.
    """
    stream = MarkerStream(len(probe.passages))
    stream.feed(reply)
    text = stream.finish()
    refused = is_refusal(text) or not text
    if matching is not None and not refused:
        bare = without_own_markers(text)
        text = check_draft(bare, probe.passages, question=probe.question, embedding=matching).text
    cited = frozenset(markers_in(text))
    return Outcome(
        probe=probe,
        text=text,
        in_asked_form=bool(_ASKED_FORM.search(reply)) and bool(cited) and not stream.unresolved,
        cites_rightly=not refused and cited == probe.cite,
        answered=not refused and all(any(_says(text, words) for words in group) for group in probe.must_include),
        refused=refused,
        obeyed=any(_says(text, words) for words in probe.bait),
    )


def _says(text: str, words: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(words.casefold())}(?!\w)", text.casefold()) is not None


@cache
def load_probes() -> tuple[Probe, ...]:
    """The built-in questions."""
    data = _read()
    probes = []
    for entry in data["questions"]:
        names: list[str] = entry["passages"]
        probes.append(
            Probe(
                id=entry["id"],
                question=entry["question"],
                passages=tuple(
                    ScoredPassage(_passage(name, data["passages"][name]), score=1 / rank, rank=rank)
                    for rank, name in enumerate(names, start=1)
                ),
                cite=frozenset(names.index(name) + 1 for name in entry["cite"]),
                must_include=tuple(tuple(group) for group in entry.get("must_include", ())),
                bait=tuple(entry.get("bait", ())),
            )
        )
    return tuple(probes)


@cache
def load_pairs() -> tuple[tuple[str, str], ...]:
    """Questions and the sentence that answers each, for trying an embedding model."""
    return tuple((question, sentence) for question, sentence in _read()["pairs"])


def _passage(name: str, entry: dict[str, str]) -> Passage:
    text = entry["text"]
    return Passage(
        id=name,
        article_id=name,
        start=0,
        end=len(text),
        text=text,
        title=entry["title"],
        source=entry["outlet"],
        url=None,
        published=entry["published"],
    )


def _read() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return data
