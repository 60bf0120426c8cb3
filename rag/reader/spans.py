"""Reads windows of an article for the words that answer a question; how the model is made is in README.md."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Encoding, Tokenizer

from index.bundled import Bundle, encodable, loaded_once, open_session, open_tokenizer
from index.embeddings import BUNDLED_FILES, TOKENIZER_FILE, usable_cores
from rag.reader.windows import Window

READER_FOLDER = Path(__file__).parent
_MODEL_FILE = "reader_int8.onnx"
# A sentence that is longer than a window is read as far as this.
_MOST_TOKENS = 192
_MOST_QUESTION_CHARACTERS = 300
# Longer answers were not in its training.
_MOST_ANSWER_TOKENS = 30
# The score of a sentence that the reader did not see whole or that has no words.
_UNREAD = -50.0

Logits = npt.NDArray[np.float32]


class Reading(NamedTuple):
    """The likeliest answer within a sentence.

    Attributes:
        score: how much likelier it is than that its window has no answer, as a difference of logits.
        start: its first character, in the sentence.
        end: one past the last.
    """

    score: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class SpanReader:
    """The loaded model; safe to share between threads."""

    session: onnxruntime.InferenceSession
    tokenizer: Tokenizer

    def read(self, question: str, window: Window) -> list[Reading]:
        """The likeliest answer in each sentence of a window."""
        encoding = self.tokenizer.encode(encodable(question[:_MOST_QUESTION_CHARACTERS]), encodable(window.text))
        inputs = {
            "input_ids": np.array([encoding.ids], dtype=np.int64),
            "attention_mask": np.ones((1, len(encoding.ids)), dtype=np.int64),
            "token_type_ids": np.array([encoding.type_ids], dtype=np.int64),
        }
        logits: Logits = self.session.run(["logits"], inputs)[0][0]
        return [_best_span(logits, encoding, at, at + len(sentence)) for at, sentence in window.places]


def _best_span(logits: Logits, encoding: Encoding, start: int, end: int) -> Reading:
    """The best span of whole tokens between two characters of the window's text."""
    places = [
        place
        for place, (sequence, (first, last)) in enumerate(zip(encoding.sequence_ids, encoding.offsets, strict=True))
        if sequence == 1 and start <= first < last <= end
    ]
    if not places:
        return Reading(_UNREAD, 0, 0)
    tokens = slice(places[0], places[-1] + 1)
    pairs = logits[tokens, 0][:, None] + logits[tokens, 1][None, :]
    size = len(pairs)
    allowed = np.triu(np.ones((size, size), dtype=bool)) & ~np.triu(
        np.ones((size, size), dtype=bool), _MOST_ANSWER_TOKENS
    )
    pairs = np.where(allowed, pairs, -np.inf)
    first, last = np.unravel_index(int(pairs.argmax()), pairs.shape)
    score = float(pairs[first, last] - logits[0].sum())
    return Reading(
        score, encoding.offsets[places[0] + int(first)][0] - start, encoding.offsets[places[0] + int(last)][1] - start
    )


def read_windows(question: str, windows: Sequence[Window], *, folder: Path = READER_FOLDER) -> list[list[Reading]]:
    """The readings of each window's sentences; windows are spread over threads.

    Raises:
        ModelError: the reader's files are missing or damaged.
    """
    reader = load_reader(folder)
    threads = min(len(windows), usable_cores())
    if threads < 2:
        return [reader.read(question, window) for window in windows]
    with ThreadPoolExecutor(threads, thread_name_prefix="reader") as pool:
        return list(pool.map(lambda window: reader.read(question, window), windows))


def load_reader(folder: Path = READER_FOLDER) -> SpanReader:
    """The model in `folder`, read once a process.

    Raises:
        ModelError: its files are missing or damaged.
    """
    return _load_once(folder)


@loaded_once
def _load_once(folder: Path) -> SpanReader:
    remedy = "Get the folders rag/reader and index/minilm of Byline again."
    model = Bundle("reader", folder, frozenset({_MODEL_FILE}), remedy).read()[_MODEL_FILE]
    # The vocabulary is the embedding model's; the rest of that model is not needed.
    vocabulary = replace(BUNDLED_FILES, name="reader", remedy=remedy).read(TOKENIZER_FILE)[TOKENIZER_FILE]
    return SpanReader(open_session(model), open_tokenizer(vocabulary, max_tokens=_MOST_TOKENS))
