"""Counts of tokens, by tiktoken, from the vocabularies that llama-index-core ships: nothing is downloaded.

Models that tiktoken does not know (local ones), and those whose vocabulary is not shipped, are counted with
o200k_base: an estimate, so a budget for them wants a margin.
"""

import os
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock

import tiktoken
from tiktoken.model import encoding_name_for_model

from index.errors import StoreError

DEFAULT_ENCODING = "o200k_base"

# The harmony vocabulary is o200k_base with more special tokens, so it needs no file of its own.
_SHIPPED_ENCODINGS = frozenset({"cl100k_base", "o200k_base", "o200k_harmony"})
_CACHE_VARIABLE = "TIKTOKEN_CACHE_DIR"
# tiktoken panics on about a million blanks in a row, so that longer texts are encoded in pieces of so many characters;
# a cut may split a word, which adds a token or two.
_PIECE = 200_000
_loading = Lock()


def count_tokens(text: str, *, model: str = "") -> int:
    """How many tokens `text` is for `model` (`gpt-4o-mini`, `openai/gpt-4o-mini`; unknown names are estimated)."""
    return len(encode(text, model=model))


def encode(text: str, *, model: str = "") -> list[int]:
    """The tokens of `text`; what looks like a special token (`<|endoftext|>`) is text like any other."""
    encoding = _encoding(encoding_name(model))
    pieces = (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))
    return [token for piece in pieces for token in encoding.encode_ordinary(piece)]


@lru_cache(maxsize=256)
def encoding_name(model: str) -> str:
    """The name of the vocabulary that counts for `model`, always one that is at hand."""
    return _own_encoding_name(model) or DEFAULT_ENCODING


def is_estimate(model: str) -> bool:
    """Whether tokens of `model` are estimated with another model's vocabulary."""
    return _own_encoding_name(model) is None


def _own_encoding_name(model: str) -> str | None:
    try:
        name = encoding_name_for_model(model.rpartition("/")[2])
    except KeyError:
        return None
    return name if name in _SHIPPED_ENCODINGS else None


def use_shipped_vocabularies() -> None:
    """Let tiktoken, wherever in the process it is called, find the shipped files; a folder already set stays set."""
    os.environ.setdefault(_CACHE_VARIABLE, str(_shipped_folder()))


def _shipped_folder() -> Path:
    spec = find_spec("llama_index.core")
    if spec is None or spec.origin is None:
        raise StoreError("The package llama-index-core is not installed whole; install requirements.lock again.")
    return Path(spec.origin).parent / "_static" / "tiktoken_cache"


@lru_cache(maxsize=len(_SHIPPED_ENCODINGS))
def _encoding(name: str) -> tiktoken.Encoding:
    use_shipped_vocabularies()
    with _loading:
        # A folder set by the user may lack the files, and tiktoken would then download them: ours is read first.
        chosen = os.environ[_CACHE_VARIABLE]
        os.environ[_CACHE_VARIABLE] = str(_shipped_folder())
        try:
            return tiktoken.get_encoding(name)
        except OSError as exc:  # requests' errors are among these: the shipped file is gone and there is no network
            raise StoreError(
                f"tiktoken's vocabulary {name} is missing from llama-index-core; install requirements.lock again."
            ) from exc
        finally:
            os.environ[_CACHE_VARIABLE] = chosen
