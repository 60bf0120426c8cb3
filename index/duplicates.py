"""Copies of an article: word for word, nearly so, or rewritten; articles that are one report have one origin.

Near copies are found by the resemblance of their sets of word shingles, estimated from MinHash signatures (A. Broder,
"On the resemblance and containment of documents", 1997: the share of equal minima of random permutations is an
unbiased estimate of the Jaccard index). Rewritten copies are found by their sentences: most sentences of the shorter
text have a close counterpart in the other, in the same order, first by their words and then, where a model is given,
by their embeddings. Independent reports of one event share facts, not the order of their sentences.
"""

import zlib
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import combinations

import numpy as np
import numpy.typing as npt

from index.lexical import words_of
from index.sentences import split_sentences

Vectors = npt.NDArray[np.float32]
Signature = npt.NDArray[np.uint64]
Embed = Callable[[Sequence[str]], Sequence[Sequence[float]]]

# Where signatures are kept: raise it when the same text gets another.
SIGNATURE_VERSION = 1
_SHINGLE_WORDS = 3
_PERMUTATIONS = 128
# Resemblance from which two texts are copies. Other articles on one event stay below 0.05, copies with every sixth
# word changed above 0.25.
NEAR_COPY_FROM = 0.20
# Cosine from which two sentences are counterparts, by their words and by their embeddings, and the share of the
# shorter text's sentences that must have one in order. Of 90 news texts in three reading levels each pair of levels
# has at least 0.54, each other pair at most 0.24.
_WORDS_FROM = 0.40
_MEANING_FROM = 0.70
REWRITTEN_FROM = 0.40
# Below this share of counterparts by words no embedding is worth its time.
_WORTH_EMBEDDING_FROM = 0.20
# With fewer sentences an order proves nothing.
_FEWEST_SENTENCES = 4
_WORD_BUCKETS = 2048


def signature(text: str) -> Signature:
    """The text's MinHash: for each of 128 fixed permutations the smallest value among its three-word shingles."""
    return signature_of(words_of(text))


def signature_of(words: Sequence[str]) -> Signature:
    """The MinHash of a text whose words are these."""
    count = max(1, len(words) - _SHINGLE_WORDS + 1)
    shingles = {" ".join(words[at : at + _SHINGLE_WORDS]) for at in range(count)}
    hashed = np.array([zlib.crc32(shingle.encode()) for shingle in shingles], dtype=np.uint64)
    factors, shifts = _permutations()
    # Multiply-shift hashing (Dietzfelbinger 1997): 64-bit products wrap round, and their upper half is the hash.
    minima: Signature = ((hashed[None, :] * factors[:, None] + shifts[:, None]) >> np.uint64(32)).min(axis=1)
    return minima


@lru_cache(maxsize=1)
def _permutations() -> tuple[Signature, Signature]:
    dice = np.random.default_rng(1997)
    factors = dice.integers(0, 1 << 63, _PERMUTATIONS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    return factors, dice.integers(0, 1 << 63, _PERMUTATIONS, dtype=np.uint64)


def resemblance(one: Signature, other: Signature) -> float:
    """Estimate of the Jaccard index of the two texts' shingles, from 0 to 1."""
    return float(np.mean(one == other))


def resemblances(one: Signature, others: Signature) -> npt.NDArray[np.float64]:
    """What `resemblance` gives of a signature with each row of others."""
    shares: npt.NDArray[np.float64] = np.mean(one == others, axis=1)
    return shares


def shared_order(one: Vectors, other: Vectors, *, cosine_from: float) -> float:
    """Share of the shorter text's sentences that have a counterpart in the other, in the same order.

    Args:
        one: a unit vector for each sentence, in order.
        other: the same of the other text.
        cosine_from: cosine from which two sentences are counterparts.
    """
    short, long = sorted((one, other), key=len)
    if len(short) < _FEWEST_SENTENCES:
        return 0.0
    similar = short @ long.T
    best = similar.argmax(axis=1)
    places = [int(best[at]) for at in range(len(short)) if similar[at, best[at]] >= cosine_from]
    return _longest_rise(places) / len(short)


def _longest_rise(places: Sequence[int]) -> int:
    """Length of the longest rising subsequence (patience sorting)."""
    piles: list[int] = []
    for place in places:
        at = bisect_left(piles, place)
        piles[at : at + 1] = [place]
    return len(piles)


@dataclass(frozen=True)
class _Text:
    """A text with what it is compared by, each worked out when first needed."""

    text: str
    embed: Embed | None

    @cached_property
    def signature(self) -> Signature:
        return signature(self.text)

    @cached_property
    def sentences(self) -> list[str]:
        return [self.text[start:end] for start, end in split_sentences(self.text)]

    @cached_property
    def words(self) -> Vectors:
        """A unit vector of hashed words for each sentence."""
        vectors = np.zeros((len(self.sentences), _WORD_BUCKETS), dtype=np.float32)
        for at, sentence in enumerate(self.sentences):
            for word in set(words_of(sentence)):
                vectors[at, zlib.crc32(word.encode()) % _WORD_BUCKETS] += 1
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        units: Vectors = vectors / np.maximum(lengths, 1)
        return units

    @cached_property
    def meanings(self) -> Vectors:
        """The embedding of each sentence."""
        return np.array(self.embed(self.sentences) if self.embed else (), dtype=np.float32)


def origins(
    texts: Mapping[str, str], *, embed: Embed | None = None, copies: Mapping[str, str] | None = None
) -> list[tuple[str, ...]]:
    """Group article ids by report: the ids of one group are copies of each other.

    Args:
        texts: each article's text by its id.
        embed: gives unit vectors of sentences; without it rewritten copies are known by their words alone.
        copies: ids of articles known to be near copies, each with that of the one it repeats, among `texts` or not.

    Returns:
        The groups, each sorted, sorted by their first id; every id is in exactly one.
    """
    known = {id_: _Text(text, embed) for id_, text in sorted(texts.items())}
    first_of: dict[str, str] = {}
    leaders = {id_: first_of.setdefault((copies or {}).get(id_, id_), id_) for id_ in known}
    for one, other in combinations(known, 2):
        if leaders[one] != leaders[other] and _is_copy(known[one], known[other]):
            first, second = sorted((leaders[one], leaders[other]))
            leaders = {id_: first if leader == second else leader for id_, leader in leaders.items()}
    groups: dict[str, list[str]] = {}
    for id_, leader in leaders.items():
        groups.setdefault(leader, []).append(id_)
    return [tuple(group) for group in groups.values()]


def _is_copy(one: _Text, other: _Text) -> bool:
    if resemblance(one.signature, other.signature) >= NEAR_COPY_FROM:
        return True
    by_words = shared_order(one.words, other.words, cosine_from=_WORDS_FROM)
    if by_words >= REWRITTEN_FROM:
        return True
    if one.embed is None or by_words < _WORTH_EMBEDDING_FROM:
        return False
    return shared_order(one.meanings, other.meanings, cosine_from=_MEANING_FROM) >= REWRITTEN_FROM
