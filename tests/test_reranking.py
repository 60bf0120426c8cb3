import logging
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from index.errors import SettingsError
from index.passages import Passage
from index.settings import Settings
from rag.reranking import load_reranker


def made(id_: str, text: str) -> Passage:
    return Passage(id_, id_, 0, len(text), text, "Ferry sinks", None, None, None)


PASSAGES = [made("a", "The captain left."), made("b", "The ferry that sank."), made("c", "It rained.")]


class CrossEncoder:
    """Stands in for sentence_transformers.CrossEncoder: the same call; it counts words that pairs share."""

    given: dict[str, Any]
    asked: list[tuple[str, str]]
    num_labels = 1
    failure: Exception | None = None
    shape: tuple[int, ...] = ()

    def __init__(self, name: str, **given: Any) -> None:
        if "nowhere" in name:
            raise OSError(f"{name} is no folder\nand no name")
        CrossEncoder.given, CrossEncoder.asked = given, []

    def predict(
        self, inputs: Sequence[tuple[str, str]], *, batch_size: int, show_progress_bar: bool, activation_fn: Any
    ) -> Any:
        assert activation_fn == "identity"
        assert not show_progress_bar
        CrossEncoder.asked += inputs
        if self.failure:
            raise self.failure
        shared = [len(set(one.lower().split()) & set(other.lower().split())) for one, other in inputs]
        logits = np.asarray(shared, dtype=np.float32) - 2
        return logits.reshape(self.shape) if self.shape else logits


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> type[CrossEncoder]:
    module, torch = ModuleType("sentence_transformers"), ModuleType("torch")
    module.__dict__["CrossEncoder"] = CrossEncoder
    torch.__dict__["nn"] = SimpleNamespace(Identity=lambda: "identity")
    monkeypatch.setitem(sys.modules, "sentence_transformers", module)
    monkeypatch.setitem(sys.modules, "torch", torch)
    return CrossEncoder


def test_passages_are_judged_with_their_titles_between_0_and_1(package: type[CrossEncoder]) -> None:
    reranker = load_reranker(Settings(reranker="cross-encoder/tiny"))
    assert reranker is not None
    scores = reranker.judge("where was the ferry that sank", PASSAGES)
    assert scores == {
        "a": pytest.approx(1 / (1 + np.exp(0))),  # `ferry` and `the`
        "b": pytest.approx(1 / (1 + np.exp(-1))),
        "c": pytest.approx(1 / (1 + np.exp(1))),
    }
    assert package.asked[0] == ("where was the ferry that sank", "Ferry sinks\nThe captain left.")
    assert package.given == {"max_length": 512}
    assert reranker.judge("Anything?", []) == {}


def test_nothing_is_imported_unless_a_model_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    assert load_reranker(Settings()) is None


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(SettingsError, match="pip install sentence-transformers"):
        load_reranker(Settings(reranker="cross-encoder/tiny"))


def test_a_model_that_cannot_be_loaded_is_named(package: type[CrossEncoder], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r"BYLINE_RERANKER=nowhere cannot be loaded: nowhere is no folder\.$"):
        load_reranker(Settings(reranker="nowhere"))
    monkeypatch.setattr(package, "num_labels", 3)
    with pytest.raises(SettingsError, match="gives 3 scores a passage"):
        load_reranker(Settings(reranker="cross-encoder/nli"))


@pytest.mark.parametrize("fault", ["memory", "shape"])
def test_a_failure_leaves_the_order_and_is_logged(
    package: type[CrossEncoder], fault: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if fault == "memory":
        monkeypatch.setattr(package, "failure", RuntimeError("out of memory"))
    else:
        monkeypatch.setattr(package, "shape", (3, 1))
    reranker = load_reranker(Settings(reranker="cross-encoder/tiny"))
    assert reranker is not None
    with caplog.at_level(logging.WARNING):
        assert reranker.judge("Where?", PASSAGES) == {}
    assert "cross-encoder/tiny failed" in caplog.text


# --- sentence-transformers itself, where the extra is installed ---


def _save_tiny_model(folder: Path, *, labels: int) -> None:
    """A BERT of two layers with random weights that gives a pair of texts so many scores."""
    transformers = import_module("transformers")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "ferry", "sank", "rained", "captain"]
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = transformers.BertConfig(vocab_size=len(words), num_labels=labels, **shape)
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    transformers.BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(
    not all(map(find_spec, ("torch", "sentence_transformers"))), reason="the extra reranking is not installed"
)
def test_a_cross_encoder_of_a_folder_judges(tmp_path: Path) -> None:
    _save_tiny_model(tmp_path, labels=1)
    reranker = load_reranker(Settings(reranker=str(tmp_path)))
    assert reranker is not None
    scores = reranker.judge("the ferry", PASSAGES)
    assert set(scores) == {"a", "b", "c"}
    assert all(0 < score < 1 for score in scores.values())
    assert len(set(scores.values())) == 3
    assert scores == reranker.judge("the ferry", PASSAGES)
    _save_tiny_model(tmp_path, labels=3)
    with pytest.raises(SettingsError, match="gives 3 scores a passage"):
        load_reranker(Settings(reranker=str(tmp_path)))
    with pytest.raises(SettingsError, match="cannot be loaded"):
        load_reranker(Settings(reranker=f"{tmp_path}/nowhere"))
