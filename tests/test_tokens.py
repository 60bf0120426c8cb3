import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiktoken.registry

from index import tokens
from index.errors import StoreError
from index.tokens import count_tokens, encoding_name, is_estimate


@pytest.fixture
def nothing_loaded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No vocabulary in memory, as in a new process, and no network to fetch one from."""

    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError("no network here")

    monkeypatch.setattr("socket.getaddrinfo", refuse)
    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr(tiktoken.registry, "ENCODINGS", {})
    tokens._encoding.cache_clear()
    yield
    tokens._encoding.cache_clear()


@pytest.mark.parametrize(
    ("text", "model", "count"),
    [
        ("", "", 0),
        ("hello world", "gpt-4o-mini", 2),
        ("tiktoken is great!", "gpt-4", 6),
        ("お誕生日おめでとう", "gpt-4", 9),
        ("お誕生日おめでとう", "gpt-4o", 8),
        ("お誕生日おめでとう", "openai/gpt-4", 9),
        ("お誕生日おめでとう", "openai-like/some-model:7b", 8),
    ],
)
def test_counts_are_those_of_the_models_vocabulary(text: str, model: str, count: int) -> None:
    assert count_tokens(text, model=model) == count


@pytest.mark.parametrize(
    ("model", "name", "estimate"),
    [
        ("gpt-4o", "o200k_base", False),
        ("gpt-3.5-turbo", "cl100k_base", False),
        ("openai-like/gpt-oss-20b", "o200k_harmony", False),
        ("qwen3:8b", "o200k_base", True),
        ("text-davinci-003", "o200k_base", True),  # tiktoken knows it, but its vocabulary is not shipped
        ("", "o200k_base", True),
    ],
)
def test_a_model_without_a_vocabulary_at_hand_is_estimated(model: str, name: str, estimate: bool) -> None:
    assert (encoding_name(model), is_estimate(model)) == (name, estimate)


def test_what_looks_like_a_special_token_is_text() -> None:
    assert count_tokens("<|endoftext|>") > 1


def test_a_million_blanks_in_a_row_are_counted() -> None:
    blanks = " " * 1_100_000
    assert 0 < count_tokens(blanks) < len(blanks)


def test_half_a_surrogate_pair_is_counted() -> None:
    assert count_tokens("before \ud800 after") > 2


def test_a_long_text_has_the_tokens_of_its_parts() -> None:
    sentence = " The talks lasted five hours."
    whole, parts = count_tokens(sentence * 20_000), 20_000 * count_tokens(sentence)
    assert parts <= whole <= parts + 4  # two cuts, each of which may split a word


@pytest.mark.usefixtures("nothing_loaded")
@pytest.mark.parametrize("model", ["gpt-4", "gpt-4o", "gpt-oss-20b"])
def test_a_vocabulary_needs_no_network(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR", raising=False)
    assert count_tokens("hello world", model=model) == 2


@pytest.mark.usefixtures("nothing_loaded")
def test_a_folder_the_user_has_set_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    assert count_tokens("hello world") == 2
    assert os.environ["TIKTOKEN_CACHE_DIR"] == str(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("nothing_loaded")
def test_a_vocabulary_that_is_gone_is_an_error_that_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(tokens, "_shipped_folder", lambda: tmp_path / "gone")
    with pytest.raises(StoreError, match="o200k_base is missing"):
        count_tokens("hello world")
