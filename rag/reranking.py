"""Reranking: a cross-encoder, where one is named, reads the question with each passage and orders them anew.

sentence-transformers runs it in this process; neither it nor torch is imported unless `BYLINE_RERANKER` names a model.
"""

import logging
import threading
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Protocol

import numpy as np

from index.errors import SettingsError
from index.model_errors import said_by
from index.passages import Passage
from index.settings import Settings

log = logging.getLogger(__name__)

_BATCH = 16
_MAX_TOKENS = 512


class Reranker(Protocol):
    """Judges how well passages answer a question."""

    def judge(self, question: str, passages: Sequence[Passage]) -> Mapping[str, float]:
        """A score between 0 and 1 for each passage, by its id; empty where it fails."""


class CrossEncoderReranker:
    """A cross-encoder of sentence-transformers; it may be asked from several threads, one at a time."""

    def __init__(self, model: Any, *, name: str) -> None:
        """Use `load_reranker`."""
        self.name = name
        self._model = model
        self._identity = import_module("torch").nn.Identity()
        self._one_at_a_time = threading.Lock()

    def judge(self, question: str, passages: Sequence[Passage]) -> Mapping[str, float]:
        """A score between 0 and 1 for each passage, by its id; empty, with a warning in the log, where it fails.

        Some models score by themselves from 0 to 1 and others give logits: logits are asked of all.
        """
        if not passages:
            return {}
        pairs = [(question, f"{passage.title}\n{passage.text}") for passage in passages]
        try:
            with self._one_at_a_time:
                logits = self._model.predict(
                    pairs, batch_size=_BATCH, show_progress_bar=False, activation_fn=self._identity
                )
            scores = 1 / (1 + np.exp(-np.clip(np.asarray(logits, dtype=np.float64), -30, 30)))
            if scores.shape != (len(passages),) or not np.isfinite(scores).all():
                raise ValueError(f"its scores have the shape {scores.shape} or are no numbers")
        except (RuntimeError, ValueError, TypeError, OSError, MemoryError) as exc:
            log.warning("The reranker %s failed (%s); the passages stay in their order.", self.name, said_by(exc))
            return {}
        return {passage.id: float(score) for passage, score in zip(passages, scores, strict=True)}


def load_reranker(settings: Settings) -> Reranker | None:
    """The cross-encoder that `BYLINE_RERANKER` names, or None for `none`.

    Raises:
        SettingsError: its package is not installed, or there is no such model, or it gives more than one score.
    """
    name = settings.reranker
    if name == "none":
        return None
    try:
        cross_encoder = import_module("sentence_transformers").CrossEncoder
    except ImportError as exc:
        raise SettingsError(
            f"BYLINE_RERANKER={name} needs a package: install it with: pip install sentence-transformers"
        ) from exc
    try:
        model = cross_encoder(name, max_length=_MAX_TOKENS)
    except (ValueError, TypeError, OSError, ImportError, RuntimeError, KeyError) as exc:
        raise SettingsError(f"BYLINE_RERANKER={name} cannot be loaded: {said_by(exc)}.") from exc
    if (labels := model.num_labels) != 1:
        raise SettingsError(f"BYLINE_RERANKER={name} gives {labels} scores a passage; a reranker gives one.")
    return CrossEncoderReranker(model, name=name)
