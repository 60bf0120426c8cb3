"""ScoredPassage; the retriever: passages near the question in meaning and passages that share its words, fused.

Each passage's cosine and BM25 score are divided by the best of its list and averaged with fixed weights (a convex
combination; Bruch, Gai and Ingber, "An analysis of fusion functions for hybrid retrieval", ACM TOIS 2023). Unlike
ranks, scores keep how far apart two passages are: a clear winner by words stays in front. The figures that decided
between this and others are in `eval/README.md`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from index.passages import Passage
from index.store import PassageStore
from rag.filters import outlet_names

# Passages taken from each list before they are joined.
POOL = 30
MEANING_WEIGHT = 0.5
WORDS_WEIGHT = 1 - MEANING_WEIGHT
# What a passage gains whose outlet the question names.
OUTLET_BONUS = 0.2
# What is left of a score for each better passage of the same article, so that one outlet does not fill the list.
SAME_ARTICLE = 0.97
# Passages read for each one asked for, of which the spread over articles chooses.
_READ = 3


@dataclass(frozen=True, slots=True)
class ScoredPassage:
    """A passage found for a question: larger scores are better, ranks start at 1.

    The retriever's scores lie between 0 and 1. The passage that is best by meaning and by words (and of an outlet
    that the question names, where it names one) has its cosine to the question; the others have less.
    """

    passage: Passage
    score: float
    rank: int


class NewsRetriever(BaseRetriever):
    """Finds the passages that matter to a question, as a LlamaIndex retriever and with `search`."""

    def __init__(self, store: PassageStore, *, top_k: int) -> None:
        """Search `store`; `top_k` passages are found unless a search says otherwise."""
        super().__init__()
        self.store = store
        self.top_k = top_k

    def search(
        self, question: str, *, limit: int | None = None, about: str = "", article_ids: Iterable[str] | None = None
    ) -> list[ScoredPassage]:
        """The passages that matter to `question`, best first, at most `limit`; equal scores stand in order of id.

        Args:
            question: as it stands alone.
            limit: how many at most; `top_k` where left out.
            about: what was spoken of before; articles whose titles hold its words come sooner.
            article_ids: only passages of these articles.
        """
        limit = self.top_k if limit is None else limit
        pool = max(POOL, limit)
        vector = self.store.embedding.get_query_embedding(question)
        near = self.store.nearest(vector, pool, article_ids=article_ids)
        worded = self.store.word_scores(question, pool, about=about, article_ids=article_ids)
        scores = fuse({passage.id: cosine for passage, cosine in near}, worded, pool=pool)
        outlets = outlets_named(question, self.store.outlets())
        if not outlets:  # what is further down cannot come among the first, and need not be read
            scores = dict(sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))[: _READ * limit])
        passages = {passage.id: passage for passage, _ in near}
        passages |= {one.id: one for one in self.store.passages([id_ for id_ in scores if id_ not in passages])}
        scores = {id_: score for id_, score in scores.items() if id_ in passages}  # not what was removed meanwhile
        scores = prefer_outlets(passages, scores, outlets=outlets)
        return spread(passages, scores, limit=limit)

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [as_node(found) for found in self.search(query_bundle.query_str)]


def fuse(near: Mapping[str, float], worded: Mapping[str, float], *, pool: int) -> dict[str, float]:
    """Join the cosines and the BM25 scores of passages, by id, to one score between 0 and 1.

    A passage missing from a list that is full scores there like the list's last, the most it can have; from one that
    is not full, 0. The best by both has its cosine, so that scores of different questions can be compared.

    Args:
        near: cosines, of the `pool` nearest passages.
        worded: BM25 scores, of the `pool` best.
        pool: how many a full list holds.
    """
    nearest = max(near.values(), default=0.0)
    if not worded or nearest <= 0:
        return {id_: max(0.0, score) for id_, score in near.items()} or dict.fromkeys(worded, 0.0)
    last_near = max(0.0, min(near.values())) if len(near) >= pool else 0.0
    last_worded = min(worded.values()) if len(worded) >= pool else 0.0
    best_worded = max(worded.values())
    return {
        id_: MEANING_WEIGHT * max(0.0, near.get(id_, last_near))
        + WORDS_WEIGHT * nearest * worded.get(id_, last_worded) / best_worded
        for id_ in {**near, **worded}
    }


def outlets_named(question: str, outlets: Iterable[str]) -> set[str]:
    """The outlets whose name stands in `question` as they write it, with or without a section behind ` - ` or ` | `."""
    named = set()
    for outlet in outlets:
        for name in outlet_names(outlet):
            if name in question and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", question):
                named.add(outlet)
    return named


def prefer_outlets(
    passages: Mapping[str, Passage], scores: Mapping[str, float], *, outlets: set[str]
) -> dict[str, float]:
    """Raise the passages of the named outlets above others that matter as much."""
    if not outlets:
        return dict(scores)
    best = max(scores.values(), default=0.0)
    return {
        id_: (score + best * OUTLET_BONUS * (passages[id_].source in outlets)) / (1 + OUTLET_BONUS)
        for id_, score in scores.items()
    }


def spread(passages: Mapping[str, Passage], scores: Mapping[str, float], *, limit: int) -> list[ScoredPassage]:
    """Take the best passage left again and again, each time with less weight on articles already taken from."""
    left = dict(scores)
    taken: Counter[str] = Counter()
    found: list[ScoredPassage] = []
    while left and len(found) < limit:
        best = min(left, key=lambda id_: (-left[id_] * SAME_ARTICLE ** taken[passages[id_].article_id], id_))
        article_id = passages[best].article_id
        score = left.pop(best) * SAME_ARTICLE ** taken[article_id]
        taken[article_id] += 1
        found.append(ScoredPassage(passage=passages[best], score=score, rank=len(found) + 1))
    return found


def as_node(found: ScoredPassage) -> NodeWithScore:
    """What LlamaIndex calls a passage with its score."""
    passage = found.passage
    node = TextNode(
        id_=passage.id,
        text=passage.text,
        start_char_idx=passage.start,
        end_char_idx=passage.end,
        metadata={
            "article_id": passage.article_id,
            "title": passage.title,
            "source": passage.source,
            "url": passage.url,
            "published": passage.published,
        },
    )
    return NodeWithScore(node=node, score=found.score)
