"""Sentences of a text, with their places in it (LlamaIndex's bundled Punkt data through nltk).

Curly quotes and apostrophes are mapped to straight ones, one character to one, before the text is split: Punkt knows
only straight ones and would join `…progress.” He said` into one sentence. Lines are never joined.
"""

import re
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from index.errors import StoreError

if TYPE_CHECKING:
    from nltk.tokenize.punkt import PunktSentenceTokenizer

_STRAIGHT = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "…": ".", "–": "-"})
# Titles and ranks that news text abbreviates and Punkt's training text did not.
_ABBREVIATIONS = {"gen", "lt", "sgt", "col", "maj", "capt", "cmdr", "adm", "gov", "sen", "rep", "sec", "ret", "det",
                  "insp", "hon", "rev", "st", "u.s", "u.k", "u.n", "e.u", "a.m", "p.m"}  # fmt: skip
# Bits of Punkt's orthographic context: the word was seen in lower case at a start, inside or at an unknown place.
_LOWER_CASE = (1 << 4) | (1 << 5) | (1 << 6)
_KEPT_CHARACTERS = 2000


class Span(NamedTuple):
    """A stretch of a text: `start` and `end` in characters, `end` exclusive."""

    start: int
    end: int


@lru_cache(maxsize=1)
def _tokenizer() -> "PunktSentenceTokenizer":
    """Punkt with its trained English parameters.

    The files are read here and not by nltk, which refuses them where an installer made hard links of them.
    """
    # Imported here because it brings scipy along and takes a second, which what cuts no text does not need.
    from nltk.tabdata import PunktDecoder
    from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

    spec = find_spec("llama_index.core")
    if spec is None or spec.origin is None:
        raise StoreError("The package llama-index-core is not installed whole; install requirements.lock again.")
    data = Path(spec.origin).parent / "_static/nltk_cache/tokenizers/punkt_tab/english"
    decoder = PunktDecoder()
    params = PunktParameters()
    with (data / "collocations.tab").open(encoding="utf-8") as file:
        params.collocations = set(decoder.tab2tups(file))
    with (data / "sent_starters.txt").open(encoding="utf-8") as file:
        params.sent_starters = decoder.txt2set(file)
    with (data / "abbrev_types.txt").open(encoding="utf-8") as file:
        params.abbrev_types = decoder.txt2set(file) | _ABBREVIATIONS
    with (data / "ortho_context.tab").open(encoding="utf-8") as file:
        params.ortho_context = decoder.tab2intdict(file)
    return PunktSentenceTokenizer(params)


def split_sentences(text: str) -> list[Span]:
    """Cut `text` into sentences, in order; white space around a sentence belongs to none."""
    # Passages are asked for again and again; a whole book is not worth keeping.
    return list(_split_again(text) if len(text) <= _KEPT_CHARACTERS else _split(text))


@lru_cache(maxsize=2048)
def _split_again(text: str) -> tuple[Span, ...]:
    return tuple(_split(text))


def _split(text: str) -> list[Span]:
    spans: list[Span] = []
    for line in re.finditer(r"[^\n\r]+", text):
        straight = line.group().translate(_STRAIGHT)
        for start, end in _tokenizer().span_tokenize(straight):
            piece = straight[start:end]
            left = len(piece) - len(piece.lstrip())
            if piece.strip():
                spans.append(Span(line.start() + start + left, line.start() + start + len(piece.rstrip())))
    return spans


def seen_in_lower_case(word: str) -> bool:
    """Whether Punkt's training text has this word in lower case: then a capital at a sentence's start names nothing."""
    return bool(_tokenizer()._params.ortho_context.get(word.lower(), 0) & _LOWER_CASE)
