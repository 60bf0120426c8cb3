"""BulkEmbedding: many texts through the embedding model without a pause, while other threads cut and store.

Chroma holds Python's lock while it writes, a tenth of a second and more for one write. Threads that run the bundled
model text by text would stand still for so long. So a thread takes many texts into one run of the model (`looped.py`),
large runs first, and the texts of the next batch are ready before those of one are done.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

import numpy as np
import numpy.typing as npt
import onnxruntime
from llama_index.core.embeddings import BaseEmbedding
from tokenizers import Tokenizer

from index.bundled import loaded_once, open_session, open_tokenizer
from index.embeddings import (
    BUNDLED_FILES,
    BUNDLED_MAX_TOKENS,
    MODEL_FILE,
    TOKENIZER_FILE,
    BundledEmbedding,
    readable,
    usable_cores,
)
from index.looped import ALL, MANY, over_many

Vectors = npt.NDArray[np.float32]
Tokens = npt.NDArray[np.int64]

# With fewer texts in a batch the model is not loaded a second time, 70 MB and a tenth of a second.
LOOPED_FROM = 64
_FEWEST_A_RUN = 8


class BulkEmbedding:
    """An embedding model for as long as many texts go through it; may be called from several threads."""

    def __init__(self, embedding: BaseEmbedding) -> None:
        """Embed by `embedding`; a model that does not come with Byline is asked as it always is."""
        self._embedding = embedding
        self._looped: _LoopedMiniLM | None = None
        self._beginning = Lock()
        self._runs = ThreadPoolExecutor(usable_cores(), thread_name_prefix="embedding")

    @property
    def batches_at_once(self) -> int:
        """How many batches it should be given at a time."""
        return 2 if isinstance(self._embedding, BundledEmbedding) else 1

    def get_text_embedding_batch(self, texts: list[str]) -> Vectors:
        """The vectors of texts, a row each: the same as the model gives of each alone."""
        with self._beginning:  # one after the other, so that batches end in their order
            runs = self._begin(texts)
        if not runs:
            return np.asarray(self._embedding.get_text_embedding_batch(texts), dtype=np.float32)
        return np.concatenate([run.result() for run in runs])

    def _begin(self, texts: Sequence[str]) -> list[Future[Vectors]]:
        """The runs of the looped model that give the vectors, in order; none where it is not worth loading."""
        if self._looped is None:
            if not isinstance(self._embedding, BundledEmbedding) or len(texts) < LOOPED_FROM:
                return []
            self._looped = _load_looped(self._embedding.folder)
        shares = _shares(self._looped.tokenise(texts), usable_cores())
        return [self._runs.submit(self._looped.run, tokens) for tokens in shares]

    def close(self) -> None:
        """Wait for the runs that have begun; the others, and the batches they belong to, are given up."""
        self._runs.shutdown(cancel_futures=True)


def _shares(tokens: Sequence[Tokens], threads: int) -> Iterator[Sequence[Tokens]]:
    """What each run takes: ever less, so that threads seldom meet and end together."""
    start = 0
    while start < len(tokens):
        end = start + max(_FEWEST_A_RUN, (len(tokens) - start) // (2 * threads))
        yield tokens[start:end]
        start = end


@dataclass(frozen=True, slots=True)
class _LoopedMiniLM:
    """The bundled model with a loop around it; safe to share between threads."""

    session: onnxruntime.InferenceSession
    tokenizer: Tokenizer

    def tokenise(self, texts: Sequence[str]) -> list[Tokens]:
        # The fast way is there for batches alone; given one text, it starts no threads of its own.
        encodings = (self.tokenizer.encode_batch_fast([readable(text)])[0] for text in texts)
        return [np.array([one.ids], dtype=np.int64) for one in encodings]

    def run(self, tokens: Sequence[Tokens]) -> Vectors:
        inputs = {f"{MANY}input_ids": list(tokens), f"{MANY}attention_mask": [np.ones_like(one) for one in tokens]}
        vectors: Vectors = self.session.run([ALL], inputs)[0][:, 0]
        return vectors


@loaded_once
def _load_looped(folder: Path) -> _LoopedMiniLM:
    """The looped model of the files in `folder`, made once a process."""
    read = replace(BUNDLED_FILES, folder=folder).read()
    tokenizer = open_tokenizer(read[TOKENIZER_FILE], max_tokens=BUNDLED_MAX_TOKENS)
    return _LoopedMiniLM(open_session(over_many(read[MODEL_FILE])), tokenizer)
