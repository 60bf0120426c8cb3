"""Copies of an article: word for word, nearly so, or rewritten; articles that are one report have one origin.

Near copies are found by the resemblance of their sets of word shingles, estimated from MinHash signatures (A. Broder,
"On the resemblance and containment of documents", 1997: the share of equal minima of random permutations is an
unbiased estimate of the Jaccard index). Rewritten copies are found by their sentences: most sentences of the shorter
text have a close counterpart in the other, in the same order. Independent reports of one event share facts, not the
order of their sentences.
"""

import zlib
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from index.lexical import words_of

Vectors = npt.NDArray[np.float32]
Signature = npt.NDArray[np.uint64]

_SHINGLE_WORDS = 3
_PERMUTATIONS = 128
# Resemblance from which two texts are copies. Two thirds of shared shingles remain where every tenth word is changed.
NEAR_COPY_FROM = 0.35
# Cosine from which two sentences say the same, and the share of the shorter text's sentences that must, in order.
_SENTENCE_FROM = 0.70
REWRITTEN_FROM = 0.40
# Below so many sentences an order proves nothing.
_FEWEST_SENTENCES = 4


def signature(text: str) -> Signature:
    """The text's MinHash: for each of 128 fixed permutations the smallest value among its three-word shingles."""
    words = words_of(text)
    count = max(1, len(words) - _SHINGLE_WORDS + 1)
    shingles = {" ".join(words[at : at + _SHINGLE_WORDS]) for at in range(count)}
    hashed = np.array(sorted(zlib.crc32(shingle.encode()) for shingle in shingles), dtype=np.uint64)
    factors, shifts = _permutations()
    # Multiply-shift hashing (Dietzfelbinger 1997): 64-bit products wrap round, and their upper half is the hash.
    minima: Signature = ((hashed[None, :] * factors[:, None] + shifts[:, None]) >> np.uint64(32)).min(axis=1)
    return minima


def _permutations() -> tuple[Signature, Signature]:
    dice = np.random.default_rng(1997)
    factors = dice.integers(0, 1 << 63, _PERMUTATIONS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    return factors, dice.integers(0, 1 << 63, _PERMUTATIONS, dtype=np.uint64)


def resemblance(one: Signature, other: Signature) -> float:
    """Estimate of the Jaccard index of the two texts' shingles, from 0 to 1."""
    return float(np.mean(one == other))


def shared_order(one: Vectors, other: Vectors) -> float:
    """Share of the shorter text's sentences that have a close counterpart in the other, in the same order.

    Args:
        one: a unit vector for each sentence, in order.
        other: the same of the other text.
    """
    short, long = sorted((one, other), key=len)
    if len(short) < _FEWEST_SENTENCES:
        return 0.0
    similar = short @ long.T
    best = similar.argmax(axis=1)
    places = [int(best[at]) for at in range(len(short)) if similar[at, best[at]] >= _SENTENCE_FROM]
    return _longest_rise(places) / len(short)


def _longest_rise(places: Sequence[int]) -> int:
    """Length of the longest rising subsequence (patience sorting)."""
    piles: list[int] = []
    for place in places:
        at = bisect_left(piles, place)
        piles[at : at + 1] = [place]
    return len(piles)


def origins(
    texts: Mapping[str, str], sentence_vectors: Callable[[str], Vectors] | None = None
) -> list[tuple[str, ...]]:
    """Group article ids by report: the ids of one group are copies of each other.

    Args:
        texts: each article's text by its id.
        sentence_vectors: gives an article's sentence vectors, in order; without it rewritten copies are not looked for.

    Returns:
        The groups, each sorted, sorted by their first id; every id is in exactly one.
    """
    signatures = {id_: signature(text) for id_, text in texts.items()}
    leaders = {id_: id_ for id_ in texts}
    vectors: dict[str, Vectors] = {}

    def leader(id_: str) -> str:
        while leaders[id_] != id_:
            id_ = leaders[id_]
        return id_

    def of(id_: str) -> Vectors:
        if id_ not in vectors and sentence_vectors is not None:
            vectors[id_] = sentence_vectors(id_)
        return vectors[id_]

    for one, other in combinations(sorted(texts), 2):
        if leader(one) == leader(other):
            continue
        copied = resemblance(signatures[one], signatures[other]) >= NEAR_COPY_FROM
        if copied or (sentence_vectors is not None and shared_order(of(one), of(other)) >= REWRITTEN_FROM):
            leaders[max(leader(one), leader(other))] = min(leader(one), leader(other))
    groups: dict[str, list[str]] = {}
    for id_ in sorted(texts):
        groups.setdefault(leader(id_), []).append(id_)
    return [tuple(group) for group in groups.values()]
