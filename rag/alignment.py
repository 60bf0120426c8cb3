"""A sentence laid on a passage word by word: how much of it has a counterpart there, and which part has none.

A word's counterpart is the same word, one of its family, or the word that the bundled encoder sees nearest to it in its
sentence. A sentence that is far from the passage in every part may be told in other words; one that keeps to the
passage's words but for one part has most likely made that part up.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from index.embeddings import TokenVectors, embed_tokens
from rag.claims import sayings
from rag.facts import TITLES, Facts, Word, fact_places, sentence_places
from rag.thesaurus import family, stem
from rag.words import listed

# A name, number or date weighs less in the meaning than a word: that it is in the source is checked by itself. So does
# a word that may go with anything; one that means the same as the source's counts nearly as its own.
FACT_WEIGHT = 0.4
_LIGHT_WEIGHT = 0.4
KIN = 0.9
_LIGHT = frozenset(
    stem(word)
    for word in listed("""roughly approximately following besides among amid including part time day week say tell
    make take get go come give put use become remain seem happen last carry hold want need still already yet later
    earlier ahead also additional further certain various several overall total altogether together unnamed named
    side party question issue matter point thing way case fact number amount level area place people person group
    official currently recently previously subsequently respectively instead alongside despite regarding concerning
    set keep let leave turn bring find show mean involve result concern relate describe note mention add express
    current present recent new major main key important significant great big large small good bad strong""")
)
# Where a part of a sentence begins.
_JOINS = frozenset(
    listed("""and but because while after before who which that since as although though whereas when so if with for to
    where despite""")
)
_SIGNS = re.compile(r"[,;:“”\"()–—]")
_FEWEST_WORDS_OF_A_PART = 2
# Fitted together with the thresholds in `rag/meaning.py`: how much it counts that a part's words are somewhere, if not
# in one sentence; what is added to the words found of a part, so that one with hardly a word that tells anything is not
# missed; and how much a missing part counts.
_ANYWHERE_SHARE = 0.3
_FOUND_ANYWAY = 0.5
_CONTRAST_WEIGHT = 1.5

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Alignment:
    """How a sentence lies on a passage; every share is from 0 to 1.

    Attributes:
        cosine: of the sentence and the nearest one or two sentences of the passage.
        said: how near the words' counterparts are, on the whole.
        kept: share of the sentence's words that the passage has, or one of their family.
        part: the part of the sentence that the passage has least of.
        part_said: how near the counterparts of that part's words are.
    """

    cosine: float
    said: float
    kept: float
    part: str
    part_said: float

    @property
    def contrast(self) -> float:
        """How clearly one part is missing where the rest is taken over."""
        return self.kept * (1 - self.part_said)

    @property
    def nearness(self) -> float:
        """How near the passage is to saying the sentence; larger is nearer."""
        return (self.cosine + self.said) / 2 - _CONTRAST_WEIGHT * self.contrast


def weigh_words(facts: Facts) -> dict[int, float]:
    """Places of the words that carry the meaning, each with its weight; titles and "said" carry none."""
    places = fact_places(facts)
    said = {saying.verb for saying in sayings(facts)}
    return {
        at: FACT_WEIGHT if at in places else _LIGHT_WEIGHT if word.stem in _LIGHT else 1.0
        for at, word in enumerate(facts.words)
        if (word.content or at in places) and at not in said and word.plain not in TITLES
    }


def align(claim: Facts, source: Facts) -> Alignment:
    """Lay a sentence on a passage; both have words."""
    weights = weigh_words(claim)
    places = list(weights) or [0]
    given = fact_places(claim)
    weight = np.array([weights.get(at, 1.0) for at in places])
    ours = embed_tokens(claim.text)
    mine = _word_vectors(ours, [claim.words[at] for at in places])
    sentences = [source.words[its.start : its.stop] for its in sentence_places(source)]
    theirs = [embed_tokens(source.text[group[0].start : group[-1].end]) for group in sentences]
    stems = [frozenset(word.stem for word in group) for group in sentences]
    same = np.array([[_is_there(claim.words[at], there) for there in stems] for at in places])
    near = np.stack([(mine @ _unit(tokens.vectors[1:-1]).T).max(axis=1) for tokens in theirs], axis=1)
    found = np.maximum(same, near)
    found[[at in given for at in places]] = 1.0
    parts = [
        (part, _share_found(found[rows], weight[rows]))
        for part in _parts(claim, weights)
        if (rows := [row for row, at in enumerate(places) if at in part])
    ]
    part, part_said = min(parts, key=lambda one: one[1])
    return Alignment(
        cosine=_nearest_cosine(ours, theirs),
        said=float(np.average(found.max(axis=1), weights=weight)),
        kept=float(np.average(same.max(axis=1), weights=weight)),
        part=claim.text[claim.words[part[0]].start : claim.words[part[-1]].end],
        part_said=part_said,
    )


def _share_found(found: Floats, weight: Floats) -> float:
    """How near the counterparts of a part's words are: most of it in the one sentence that has it best."""
    together = float((weight @ found).max())
    anywhere = float(weight @ found.max(axis=1))
    best = (1 - _ANYWHERE_SHARE) * together + _ANYWHERE_SHARE * anywhere
    return (best + _FOUND_ANYWAY) / (float(weight.sum()) + _FOUND_ANYWAY)


def _is_there(word: Word, stems: frozenset[str]) -> float:
    if word.stem in stems:
        return 1.0
    return KIN if not family(word.stem).isdisjoint(stems) else 0.0


def _parts(facts: Facts, weights: Mapping[int, float]) -> list[range]:
    """Places of the words of each part of a sentence, with two words of content at least."""
    cuts, content = [0], 0
    for at, word in enumerate(facts.words):
        sign = at > 0 and _SIGNS.search(facts.text, facts.words[at - 1].end, word.start)
        if content >= _FEWEST_WORDS_OF_A_PART and (sign or word.plain in _JOINS):
            cuts.append(at)
            content = 0
        content += at in weights
    if content < _FEWEST_WORDS_OF_A_PART and len(cuts) > 1:
        cuts.pop()
    return [range(start, end) for start, end in pairwise([*cuts, len(facts.words)])]


def _unit(vectors: npt.NDArray[np.float32]) -> Floats:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Floats = vectors / np.where(lengths == 0, 1, lengths)
    return unit


def _word_vectors(tokens: TokenVectors, words: Sequence[Word]) -> Floats:
    """A unit vector for each word: the mean of its tokens; zeros for a word that the model did not read to."""
    rows = [
        [row for row, (start, end) in enumerate(tokens.places) if start < word.end and end > word.start]
        for word in words
    ]
    means = [tokens.vectors[row].mean(axis=0) if row else np.zeros(tokens.vectors.shape[1]) for row in rows]
    return _unit(np.array(means))


def _nearest_cosine(ours: TokenVectors, theirs: Sequence[TokenVectors]) -> float:
    """The largest cosine of a text with one or two sentences; of two the vector is made of their tokens."""
    sums = [tokens.vectors.sum(axis=0) for tokens in theirs]
    stretches = [*sums, *(one + two for one, two in pairwise(sums))]
    return float((_unit(np.array(stretches)) @ _unit(ours.vectors.sum(axis=0))).max())
