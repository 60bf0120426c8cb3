"""The passages of some articles that are nearest to a vector, found in the cheapest of three ways.

Chroma's own filter reads the metadata of every passage that passes: for a range of dates over half of 100,000 passages
that takes 350 ms of a core, the search without it 8. Which articles pass is known without Chroma
(`index/catalogue.py`), and which passages they have the word index tells in a few microseconds each. So: of few
passages the vectors are fetched and compared one by one, exactly; of many, more neighbours are asked for and the others
passed over; and where that does not give enough, because the articles lie far from the question, Chroma is asked for
the nearest among exactly these ids.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from index.catalogue import Catalogue
from index.lexical import WordIndex
from index.records import Vectors
from index.rows import Rows

# What each way costs, in milliseconds of one core: a vector fetched, a neighbour more, a search at all.
_VECTOR_MS = 0.08
_NEIGHBOUR_MS = 0.02
_SEARCH_MS = 6.0
# Beyond it a graph search is no longer one.
_MOST_NEIGHBOURS = 5000
# The passages compared one by one at most, where passing over others did not give enough.
_MOST_COMPARED = 1500


def near_among(
    rows: Rows,
    words: WordIndex,
    catalogue: Catalogue,
    vector: Sequence[float] | Vectors,
    limit: int,
    *,
    article_ids: Iterable[str],
) -> list[tuple[str, float]]:
    """The ids of the nearest passages of some articles with their cosine, nearest first, at most `limit`."""
    among = catalogue.among(set(article_ids))
    there = sum(listed.passages for listed in among.values())
    if not there:
        return []
    # Half more than must be looked through where the articles lie like all others.
    neighbours = 20 + 3 * min(limit, there) * catalogue.passages // (2 * there)
    if neighbours <= _MOST_NEIGHBOURS and _SEARCH_MS + _NEIGHBOUR_MS * neighbours < _VECTOR_MS * there:
        near = rows.near(vector, min(neighbours, catalogue.passages))
        passing = set(words.passages_of(among, among=[passage_id for passage_id, _ in near]))
        found = [(passage_id, cosine) for passage_id, cosine in near if passage_id in passing][:limit]
        if len(found) == min(limit, there) or neighbours >= catalogue.passages:
            return found
    ids = words.passages_of(among)
    if len(ids) > _MOST_COMPARED:
        return rows.near(vector, min(limit, len(ids)), ids=ids)
    vectors = rows.vectors(ids)
    cosines = np.asarray(list(vectors.values()), dtype=np.float32) @ np.asarray(vector, dtype=np.float32)
    lengths = np.linalg.norm(vector)
    found = sorted(zip(vectors, (cosines / lengths).tolist(), strict=True), key=lambda pair: (-pair[1], pair[0]))
    return found[:limit]
