"""ScoredPassage; the retriever: passages near the question in meaning and passages that share its words, fused.

Both lists are joined by reciprocal rank (Cormack, Clarke and Büttcher, "Reciprocal rank fusion outperforms Condorcet
and individual rank learning methods", SIGIR 2009): a passage earns `weight / (RANK_OFFSET + rank)` from each list that
holds it. Ranks alone are used because cosines and BM25 scores share no scale.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from index.passages import Passage
from index.store import PassageStore

# Passages taken from each list before they are joined.
POOL = 50
# The paper has 60 for lists of hundreds of documents; a smaller one lets first places count for more.
RANK_OFFSET = 5
MEANING_WEIGHT = 1.0
WORDS_WEIGHT = 2.0
# What is left of a score for each better passage of the same article, so that one outlet does not fill the list.
SAME_ARTICLE = 0.97


@dataclass(frozen=True, slots=True)
class ScoredPassage:
    """A passage found for a question: larger scores are better, ranks start at 1.

    The retriever's scores lie between 0 and 1; 1 is first by meaning and by words.
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

    def search(self, question: str, *, limit: int | None = None) -> list[ScoredPassage]:
        """The passages that matter to `question`, best first, at most `limit`; equal scores stand in order of id."""
        limit = self.top_k if limit is None else limit
        pool = max(POOL, limit)
        vector = self.store.embedding.get_query_embedding(question)
        near = [passage for passage, _ in self.store.nearest(vector, pool)]
        worded = [passage for passage, _ in self.store.find_words(question, pool)]
        passages = {passage.id: passage for passage in near + worded}
        scores = fuse([(MEANING_WEIGHT, [p.id for p in near]), (WORDS_WEIGHT, [p.id for p in worded])])
        return spread(passages, scores, limit=limit)

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [as_node(found) for found in self.search(query_bundle.query_str)]


def fuse(lists: Sequence[tuple[float, Sequence[str]]]) -> dict[str, float]:
    """Join ranked lists of ids, each with its weight; the score of an id that is first in every list is 1."""
    scores: defaultdict[str, float] = defaultdict(float)
    for weight, ids in lists:
        for rank, id_ in enumerate(ids, start=1):
            scores[id_] += weight * (RANK_OFFSET + 1) / (RANK_OFFSET + rank)
    whole = sum(weight for weight, _ in lists)
    return {id_: score / whole for id_, score in scores.items()}


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
