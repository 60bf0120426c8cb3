"""How well the reader finds answers, and knows when there are none: `python -m eval reading BENCH_DIR`.

Measured on the articles that its training held out, each question over the text it was asked about, beside plain
sentence selection: the sentence whose embedding is nearest to the question's, its cosine as the score.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from llama_index.core.embeddings import BaseEmbedding
from numpy.typing import NDArray

from eval.answer_metrics import token_f1
from eval.statistics import Interval, bootstrap_ratio, bootstrap_statistic
from rag.reader.data import Asked, read_news, read_sets
from rag.reader.spans import load_reader, read_windows

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Found:
    """What one way of reading makes of one question.

    Attributes:
        answerable: whether the text answers.
        score: how sure it is that it does; larger is surer.
        right: whether the sentence it chose holds the answer.
        f1: words shared with the nearest of the answers, from 0 to 1; 0 where none is given.
    """

    answerable: bool
    score: float
    right: bool
    f1: float


@dataclass(frozen=True, slots=True)
class ReadingFigures:
    """Figures of one way of reading on one set.

    Attributes:
        source: the set.
        way: `reader` or `nearest sentence`.
        right_sentence: of the answerable questions, how many get the sentence that holds the answer.
        answer_f1: mean F1 of words over the answerable ones (SQuAD's); None where the set has no answers in words.
        best_f1: the same over all questions, none given counting 1 where there is no answer, at the threshold of the
            score that makes it largest (SQuAD 2.0, Rajpurkar et al. 2018); None likewise.
        auroc: area under the ROC curve between questions with and without an answer; None where all have one.
        without: questions that have no answer.
    """

    source: str
    way: str
    right_sentence: Interval
    answer_f1: Interval | None
    best_f1: float | None
    auroc: Interval | None
    without: int


def measure_reading(bench: Path, *, embedding: BaseEmbedding, most: int | None = None) -> list[ReadingFigures]:
    """Measure the reader and plain sentence selection on every set.

    Args:
        bench: the folder with `squad2`, `clapnq`, `selqa` and `onestopqa`.
        embedding: what plain selection compares with.
        most: questions of a set at most, drawn evenly; all held out where None.
    """
    tokenizer = load_reader().tokenizer
    held = [one for one in (*read_sets(bench, tokenizer), *read_news(tokenizer)) if one.held_out]
    figures = []
    for source in dict.fromkeys(one.source for one in held):
        asked = [one for one in held if one.source == source]
        asked = asked[:: max(1, len(asked) // most)] if most else asked
        worded = any(one.answers for one in asked)
        for way, found in (("reader", _read(asked)), ("nearest sentence", _nearest(asked, embedding))):
            figures.append(_figures(source, way, found, worded=worded))
    return figures


def _read(asked: Sequence[Asked]) -> list[Found]:
    found = []
    for one in asked:
        readings = [
            (reading, sentence)
            for window, its in zip(one.windows, read_windows(one.question, one.windows), strict=True)
            for reading, sentence in zip(its, window.sentences, strict=True)
        ]
        best, sentence = max(readings, key=lambda item: item[0].score)
        found.append(_judge(one, best.score, sentence, sentence[best.start : best.end]))
    return found


def _nearest(asked: Sequence[Asked], embedding: BaseEmbedding) -> list[Found]:
    vectors: dict[str, np.ndarray[tuple[int], np.dtype[np.float32]]] = {}
    found = []
    for one in asked:
        sentences = [sentence for window in one.windows for sentence in window.sentences]
        new = [sentence for sentence in dict.fromkeys(sentences) if sentence not in vectors]
        made = embedding.get_text_embedding_batch(new) if new else []
        vectors |= {sentence: np.asarray(vector, dtype=np.float32) for sentence, vector in zip(new, made, strict=True)}
        query = np.asarray(embedding.get_query_embedding(one.question), dtype=np.float32)
        cosines = [float(vectors[sentence] @ query) for sentence in sentences]
        best = int(np.argmax(cosines))
        found.append(_judge(one, cosines[best], sentences[best], sentences[best]))
    return found


def _judge(asked: Asked, score: float, sentence: str, said: str) -> Found:
    f1 = max((token_f1(said, answer) for answer in asked.answers), default=0.0)
    return Found(bool(asked.evidence), score, sentence in asked.evidence, f1 if asked.evidence else 0.0)


def _figures(source: str, way: str, found: Sequence[Found], *, worded: bool) -> ReadingFigures:
    answerable = [one for one in found if one.answerable]
    without = len(found) - len(answerable)
    scores, flags = np.array([one.score for one in found]), np.array([one.answerable for one in found])
    area = bootstrap_statistic(len(found), lambda drawn: _auroc(scores[drawn], flags[drawn])) if without else None
    return ReadingFigures(
        source,
        way,
        bootstrap_ratio([float(one.right) for one in answerable]),
        bootstrap_ratio([one.f1 for one in answerable]) if worded else None,
        best_f1(found) if worded else None,
        area,
        without,
    )


def best_f1(found: Sequence[Found]) -> float:
    """Mean F1 over all questions at the best threshold: what scores below it gets no answer, which is right (1) or not.

    Every threshold between two scores is tried, so ties are taken together.
    """
    ordered = sorted(found, key=lambda one: -one.score)
    total = best = float(sum(not one.answerable for one in ordered))
    for place, one in enumerate(ordered):
        total += one.f1 - (not one.answerable)
        if place + 1 == len(ordered) or ordered[place + 1].score < one.score:
            best = max(best, total)
    return best / len(ordered) if ordered else 0.0


def _auroc(scores: Floats, answerable: Flags) -> float:
    """The chance that a question with an answer scores higher than one without, ties counting half."""
    without, with_one = np.sort(scores[~answerable]), scores[answerable]
    if not without.size or not with_one.size:
        return 0.5
    places = np.searchsorted(without, with_one, "left") + np.searchsorted(without, with_one, "right")
    return float(places.mean() / (2 * without.size))


def reading_lines(figures: Sequence[ReadingFigures]) -> list[str]:
    """A table of the figures, a line each."""
    lines = [f"{'set':10} {'way':17} {'right sentence':>21} {'F1':>6} {'best F1':>8} {'AUROC':>21}"]
    for one in figures:
        right, area = (
            f"{i.value:.3f} [{i.low:.3f}, {i.high:.3f}]" if i else "-" for i in (one.right_sentence, one.auroc)
        )
        f1, best = (
            f"{value:.3f}" if value is not None else "-"
            for value in (one.answer_f1 and one.answer_f1.value, one.best_f1)
        )
        asked = f"n {one.right_sentence.count} with, {one.without} without"
        lines.append(f"{one.source:10} {one.way:17} {right:>21} {f1:>6} {best:>8} {area:>21}  {asked}")
    return lines
