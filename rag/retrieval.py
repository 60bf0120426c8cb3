"""ScoredPassage; the retriever: passages near the question in meaning and passages that share its words, fused.

Each passage's cosine and BM25 score are divided by the best of its list and averaged with fixed weights (a convex
combination; Bruch, Gai and Ingber, "An analysis of fusion functions for hybrid retrieval", ACM TOIS 2023). Unlike
ranks, scores keep how far apart two passages are: a clear winner by words stays in front. Where a question names
several outlets, what each of them says counts more while it has not been heard (Santos, Macdonald and Ounis,
"Exploiting query reformulations for web search result diversification", WWW 2010). The figures that decided between
this and others are in `eval/README.md`.

Passages are found by id and with their scores alone; what has come so far is read in one go.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from index.passages import Passage
from index.store import PassageStore
from rag.filters import outlet_names
from rag.reranking import Reranker

# Passages taken from each list before they are joined.
POOL = 30
MEANING_WEIGHT = 0.5
WORDS_WEIGHT = 1 - MEANING_WEIGHT
# What a passage gains whose outlet the question names.
OUTLET_BONUS = 0.2
# What is left of a score for each better passage of the same article, so that one outlet does not fill the list.
SAME_ARTICLE = 0.97
# How much of a place in the list goes by what an outlet that the question names has to say, if it names several.
HEARING = 0.5
# What the best of a question's parts counts beside the whole question.
PART_WEIGHT = 0.5
# Passages read for each one asked for, of which the spread over articles chooses.
_READ = 3
# The most passages that a reranker reads.
RERANKED = 30


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

    def __init__(self, store: PassageStore, *, top_k: int, reranker: Reranker | None = None) -> None:
        """Search `store`; `top_k` passages are found unless a search says otherwise."""
        super().__init__()
        self.store = store
        self.top_k = top_k
        self.reranker = reranker

    def search(
        self,
        question: str,
        *,
        limit: int | None = None,
        parts: Sequence[str] = (),
        about: str = "",
        days: Sequence[str] = (),
        article_ids: Iterable[str] | None = None,
    ) -> list[ScoredPassage]:
        """The passages that matter to `question`, best first, at most `limit`; equal scores stand in order of id.

        Args:
            question: as it stands alone.
            limit: how many at most; `top_k` where left out.
            parts: what it asks for, one by one, if it is several things; each is searched as well.
            about: what was spoken of before; articles whose titles hold its words come sooner.
            days: ISO dates that the question means; articles published on them come sooner.
            article_ids: only passages of these articles.
        """
        limit = self.top_k if limit is None else limit
        among = None if article_ids is None else list(article_ids)
        whole = self._scores(question, limit, about=about, days=days, article_ids=among)
        of_parts = [self._scores(part, limit, days=days, article_ids=among) for part in parts]
        outlets = outlets_named(question, self.store.outlets())
        ids = join_parts(whole, of_parts)
        if not outlets:  # what is further down cannot come among the first, and need not be read
            read = max(_READ * limit, RERANKED if self.reranker else 0)
            ids = dict(sorted(ids.items(), key=lambda pair: (-pair[1], pair[0]))[:read])
        # Without what was removed meanwhile.
        passages = {one.id: one for one in self.store.passages(list(ids))}
        whole = prefer_outlets(passages, whole, outlets=outlets)
        of_parts = [
            prefer_outlets(passages, scores, outlets=outlets_named(part, outlets) or outlets)
            for part, scores in zip(parts, of_parts, strict=True)
        ]
        scores = join_parts(whole, of_parts)
        if self.reranker is not None:
            scores = self._rerank(self.reranker, question, passages, scores)
        return spread(passages, scores, limit=limit, outlets=outlets)

    def _scores(
        self,
        question: str,
        limit: int,
        *,
        about: str = "",
        days: Sequence[str] = (),
        article_ids: Sequence[str] | None,
    ) -> dict[str, float]:
        """The passages near a question and those that share its words, by id, fused."""
        pool = max(POOL, limit)
        vector = self.store.embedding.get_query_embedding(question)
        near = self.store.near_scores(vector, pool, article_ids=article_ids)
        worded = self.store.word_scores(question, pool, about=about, days=days, article_ids=article_ids)
        return fuse(near, worded, pool=pool)

    def _rerank(
        self, reranker: Reranker, question: str, passages: Mapping[str, Passage], scores: Mapping[str, float]
    ) -> dict[str, float]:
        """The best of `scores` with the reranker's scores in their place; as they were where it fails."""
        best = sorted(scores, key=lambda id_: (-scores[id_], id_))[:RERANKED]
        return dict(reranker.judge(question, [passages[id_] for id_ in best]) or scores)

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


def join_parts(whole: Mapping[str, float], parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Join the scores for a whole question with those for its parts, of which for each passage the best counts.

    Each list is taken in shares of its best, so that no part outweighs another; the best keeps the whole's score.
    """
    if not parts:
        return dict(whole)
    best = max(whole.values(), default=0.0)
    shares = [_shares(part) for part in parts]
    own = _shares(whole)
    return {
        id_: best * ((1 - PART_WEIGHT) * own.get(id_, 0.0) + PART_WEIGHT * max(share.get(id_, 0.0) for share in shares))
        for id_ in dict.fromkeys(id_ for scores in (whole, *parts) for id_ in scores)
    }


def _shares(scores: Mapping[str, float]) -> dict[str, float]:
    best = max(scores.values(), default=0.0)
    return {id_: score / best for id_, score in scores.items()} if best > 0 else dict(scores)


def outlets_named(question: str, outlets: Iterable[str]) -> set[str]:
    """The outlets whose name stands in `question` as they write it, with or without a section behind ` - ` or ` | `.

    Of names one within the other the longer is meant: `FOX News - Health` is no other section of FOX News.
    """
    by_name: dict[str, set[str]] = {}
    for outlet in outlets:
        for name in outlet_names(outlet):
            if name in question:
                by_name.setdefault(name, set()).add(outlet)
    named: set[str] = set()
    taken: list[tuple[int, int]] = []
    for name in sorted(by_name, key=lambda name: (-len(name), name)):
        for match in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", question):
            if not any(start < match.end() and match.start() < end for start, end in taken):
                taken.append(match.span())
                named |= by_name[name]
    return named


def prefer_outlets(
    passages: Mapping[str, Passage], scores: Mapping[str, float], *, outlets: set[str]
) -> dict[str, float]:
    """Raise the passages of the named outlets above others that matter as much; scores of others are left out."""
    there = {id_: score for id_, score in scores.items() if id_ in passages}
    if not outlets:
        return there
    best = max(there.values(), default=0.0)
    return {
        id_: (score + best * OUTLET_BONUS * (passages[id_].source in outlets)) / (1 + OUTLET_BONUS)
        for id_, score in there.items()
    }


def spread(
    passages: Mapping[str, Passage], scores: Mapping[str, float], *, limit: int, outlets: Collection[str] = ()
) -> list[ScoredPassage]:
    """Take the best passage left again and again, each time with less weight on what has been heard.

    An article already taken from weighs less. Of several `outlets`, each has as large a part in the places as what it
    has said so far leaves open: the share by which its passages fall short of the best one of all.
    """
    best = max(scores.values(), default=0.0) or 1.0
    left = {id_: score / best for id_, score in scores.items()}
    taken: Counter[str] = Counter()
    unheard = dict.fromkeys(outlets, 1.0) if len(outlets) > 1 else {}
    found: list[ScoredPassage] = []

    def worth(id_: str) -> float:
        passage = passages[id_]
        alone = left[id_] * SAME_ARTICLE ** taken[passage.article_id]
        if not unheard:
            return alone
        return (1 - HEARING) * alone + HEARING * left[id_] * unheard.get(passage.source or "", 0.0)

    while left and len(found) < limit:
        chosen = min(left, key=lambda id_: (-worth(id_), id_))
        passage, score = passages[chosen], worth(chosen) * best
        share = left.pop(chosen)
        taken[passage.article_id] += 1
        if passage.source in unheard:
            unheard[passage.source] *= 1 - share
        found.append(ScoredPassage(passage=passage, score=score, rank=len(found) + 1))
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
