"""Gate check: shows that the gate stays quiet on noise and is tripped by known faults, on runs without a model.

*Quiet:* two runs that differ by chance alone are simulated again and again from the results of a real run. In each
simulated run every question, with a set chance, gets the results of another question of its category: as much change
from run to run as a model's wording brings, in any number and all metrics together, and no run better than the other.

*Tripped:* the answers are made again with a fault in it, and the gate must name it.
"""

import asyncio
import random
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eval.dataset import Question, read_questions
from eval.gate import regressions
from eval.metrics import Result
from eval.runner import answer_in_order, find_all_gold, own_index, read_all, score_all
from eval.scoring import Gold
from index.articles import Article
from index.build import add_articles, remove_articles
from index.embeddings import load_embedding
from index.errors import BylineError, QuestionSetError
from index.opening import open_store
from index.settings import Settings
from rag.answers import Answer
from rag.citations import cite
from rag.engine import open_engine
from rag.retrieval import ScoredPassage
from rag.support import check_answer

REPEATS = 100
# How many answers of a model change from one run to the next, as a share; a cool model lies at the lower end.
NOISE_LEVELS = (0.05, 0.1, 0.2, 0.4)

_MARKER = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Quiet:
    """How often the gate stayed quiet on two runs alike but for chance, at one level of noise."""

    noise: float
    quiet: int
    repeats: int


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault put in on purpose, and what the gate said to it; nothing if it passed unseen."""

    name: str
    failures: tuple[str, ...]


def check_quiet(results: Sequence[Result], *, noise: float, repeats: int = REPEATS, seed: int = 0) -> Quiet:
    """Count the repeats in which the gate finds no regression between two runs that differ by chance alone."""
    generator = random.Random(seed)  # noqa: S311 - a simulation, nothing secret
    quiet = 0
    for _ in range(repeats):
        before, after = (with_noise(results, noise, generator) for _ in range(2))
        quiet += not regressions(before, after)
    return Quiet(noise, quiet, repeats)


def check_faults(
    settings: Settings,
    questions_file: Path,
    articles_folder: Path,
    *,
    folder: Path,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[list[Result], list[Fault]]:
    """Answer a set as it should be and with each fault in turn, without a model.

    Args:
        settings: as for answering; no model is used.
        questions_file: the question set.
        articles_folder: its articles.
        folder: where the indexes of the check are kept while it runs.
        on_progress: told how many of the runs are done.

    Returns:
        The results without a fault, and what the gate said to each fault.
    """
    trial = _Trial(settings.model_copy(update={"llm": "none"}), questions_file, articles_folder, folder)
    sound = trial.answer()
    before = sound.results()
    large, small = (min(max(settings.passage_tokens * 8, 32), 1024), 32)
    faulty: dict[str, Callable[[], _Answered]] = {
        f"passages of {large} tokens": lambda: trial.answer(passage_tokens=large),
        f"passages of {small} tokens": lambda: trial.answer(passage_tokens=small),
        "markers off by one": lambda: sound.spoilt(shift_markers),
        "refusal off": lambda: sound.spoilt(never_refuse),
        "half of the index missing": lambda: trial.answer(half_missing=True),
    }
    faults = []
    for done, (name, answer) in enumerate(faulty.items(), 1):
        faults.append(Fault(name, tuple(regressions(before, answer().results()))))
        if on_progress:
            on_progress(done, len(faulty))
    return before, faults


def shift_markers(answer: Answer) -> Answer:
    """The answer as it would be if every marker named the passage after the one meant."""
    if answer.refused:
        return answer
    last = len(answer.passages)
    beyond = tuple(int(number) + 1 for number in _MARKER.findall(answer.text) if int(number) >= last)
    text = _MARKER.sub(lambda match: f"[{int(match[1]) + 1}]" if int(match[1]) < last else "", answer.text)
    return _cited_anew(replace(answer, unresolved_markers=beyond), text)


def never_refuse(answer: Answer) -> Answer:
    """The answer as it would be if Byline never refused: the beginning of the best passage, cited."""
    if not answer.refused or not answer.passages:
        return answer
    words = " ".join(answer.passages[0].passage.text.split()[:30])
    return _cited_anew(replace(answer, refused=False), f"{words} [1]")


@dataclass(frozen=True, slots=True)
class _Answered:
    """The answers to a set, with where the evidence is in the index they were made from."""

    questions: Sequence[Question]
    answers: Sequence[Answer]
    gold: Mapping[str, Gold]

    def results(self) -> list[Result]:
        given = {question.id: answer for question, answer in zip(self.questions, self.answers, strict=True)}
        return score_all(self.questions, given, {}, self.gold)

    def spoilt(self, spoil: Callable[[Answer], Answer]) -> "_Answered":
        return replace(self, answers=[spoil(answer) for answer in self.answers])


class _Trial:
    """One set over one folder of articles, answered in several ways."""

    def __init__(self, settings: Settings, questions_file: Path, articles_folder: Path, folder: Path) -> None:
        self._settings = settings
        self._questions: list[Question] = read_questions(questions_file)
        self._folder = folder
        self._articles_folder = articles_folder
        self._articles: list[Article] = read_all(articles_folder)

    def answer(self, *, passage_tokens: int | None = None, half_missing: bool = False) -> _Answered:
        """Answer every question over an index made for this."""
        settings = own_index(self._settings, self._folder)
        if passage_tokens:
            settings = settings.model_copy(update={"passage_tokens": passage_tokens})
        shutil.rmtree(self._folder, ignore_errors=True)
        with open_store(settings, load_embedding(settings), owner="the gate's check") as store:
            add_articles(store, [self._articles_folder], settings=settings)
            # What is gold is decided on the whole index: what is missing from it counts as not found.
            gold = find_all_gold(self._questions, self._articles, store)
            if half_missing:
                remove_articles(store, [article.id for article in store.articles()][::2])
        answers: list[Answer] = []

        def keep(question: Question, outcome: Answer | BylineError) -> None:
            if isinstance(outcome, BylineError):
                raise QuestionSetError(f"{question.id}: {outcome}") from outcome
            answers.append(outcome)

        with open_engine(settings, owner="the gate's check") as engine:
            asyncio.run(answer_in_order(engine, self._questions, concurrency=1, on_answer=keep))
        shutil.rmtree(self._folder, ignore_errors=True)
        return _Answered(self._questions, answers, gold)


def _cited_anew(answer: Answer, text: str) -> Answer:
    """The answer with another text, its citations and verdicts made as Byline makes them."""
    passages: Sequence[ScoredPassage] = answer.passages
    citations, sentences = check_answer(text, cite(text, passages), passages)
    return replace(answer, text=text, citations=tuple(citations), sentences=tuple(sentences))


def with_noise(results: Sequence[Result], noise: float, generator: random.Random) -> list[Result]:
    """The results with a share of them replaced by those of other questions of the same kind."""
    alike: dict[tuple[str, bool], list[Result]] = {}
    for result in results:
        alike.setdefault((result.category, result.answerable), []).append(result)
    return [
        generator.choice(alike[result.category, result.answerable]) if generator.random() < noise else result
        for result in results
    ]
