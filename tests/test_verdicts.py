"""The verdicts on a model's answer, from its stream to the final Answer, over `seeds/` with the bundled embedding.

Answers are written the way models of several families write markers, and cut into pieces of three characters.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from index.build import add_articles
from index.embeddings import load_embedding
from index.opening import open_store
from index.settings import Settings
from index.store import PassageStore
from rag.answers import Answer
from rag.coverage import Coverage
from rag.engine import NewsQueryEngine
from rag.retrieval import NewsRetriever, ScoredPassage
from tests.conftest import SEEDS
from tests.fakes import ScriptedLLM
from tests.test_injections import RememberingEmbedding

CASES = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "support_cases.jsonl").read_text(encoding="utf-8").splitlines()
]
# How families of models write a marker.
STYLES = ("[{}]", "【{}】", "[Source {}]", "[{}†source]", "(Source {})", "[[{}]]", "<sup>[{}]</sup>")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PassageStore]:
    settings = Settings(home=tmp_path_factory.mktemp("verdicts"), llm="none", lock_seconds=0)
    with open_store(settings, RememberingEmbedding(load_embedding(settings)), owner="a test") as store:
        add_articles(store, [SEEDS], settings=settings)
        yield store


@pytest.fixture(autouse=True)
def _no_coverage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who else reports it is tried elsewhere and takes most of the time."""
    monkeypatch.setattr("rag.engine.find_coverage", lambda *_, **__: Coverage(0, (), ()))


def find(store: PassageStore, question: str) -> list[ScoredPassage]:
    return NewsRetriever(store, top_k=Settings().top_k).search(question)


async def say(store: PassageStore, question: str, text: str) -> Answer:
    """What comes of it when a model answers a question with a text."""
    llm = ScriptedLLM()
    llm.enqueue([text[at : at + 3] for at in range(0, len(text), 3)])
    settings = Settings(llm="openai-like/scripted", lock_seconds=0, repair=False)
    retriever = NewsRetriever(store, top_k=settings.top_k)
    return await NewsQueryEngine(settings=settings, store=store, retriever=retriever, llm=llm).answer(question)


def written(case: dict[str, Any], found: list[ScoredPassage], style: str) -> str | None:
    """A case's answer with the ranks of the passages found; None where its words were not found."""
    ranks = []
    for source in case["sources"]:
        there = [one for one in found if one.passage.article_id == source["article"]]
        ranks.append(next((one.rank for one in there if source["quote"] in one.passage.text), None))
    if None in ranks:
        return None

    def marker(match: re.Match[str]) -> str:
        number = int(match[1])
        return style.format(ranks[number - 1] if number <= len(ranks) else 40 + number)

    return re.sub(r"\[(\d)\]", marker, case["answer"])


async def test_planted_falsehoods_are_marked_and_true_sentences_are_not(store: PassageStore) -> None:
    wrong: dict[str, list[str]] = {"supported": [], "unsupported": []}
    tried = {"supported": 0, "unsupported": 0}
    for number, case in enumerate(CASES):
        text = written(case, find(store, case["question"]), STYLES[number % len(STYLES)])
        if text is None:
            continue
        answer = await say(store, case["question"], text)
        verdicts = {sentence.support for sentence in answer.sentences}
        assert answer.mode == "llm", case["question"]
        tried[case["verdict"]] += 1
        # A true sentence is wronged where it is called unsupported; of a false one any doubt warns.
        right = "unsupported" not in verdicts if case["verdict"] == "supported" else verdicts != {"supported"}
        if not right:
            wrong[case["verdict"]].append(f"{case['id']}: {answer.text}")
    assert min(tried.values()) > 40
    assert len(wrong["unsupported"]) <= 0.05 * tried["unsupported"], wrong["unsupported"]
    assert len(wrong["supported"]) <= 0.08 * tried["supported"], wrong["supported"]


DRONES = "How many drones did Russia launch overnight, according to Ukraine's air force?"
GUARANTEES = "What did Merz say about the talks and the security guarantees?"


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    ("question", "words", "sentence", "verdict"),
    [
        (DRONES, "138 drones", "Russia launched 138 drones overnight", "supported"),
        (DRONES, "138 drones", "Russia launched 183 drones overnight", "unsupported"),
        (DRONES, "138 drones", "Belarus launched 138 drones overnight", "unsupported"),
        (
            GUARANTEES,
            "real chance for a peace process",
            "Merz said the talks had opened a “real chance for a peace process”",
            "supported",
        ),
        (
            GUARANTEES,
            "real chance for a peace process",
            "Zelensky said the talks had opened a “real chance for a peace process”",
            "unsupported",
        ),
        (
            GUARANTEES,
            "real chance for a peace process",
            "Merz said the talks had opened “the best chance in many years”",
            "unsupported",
        ),
    ],
    ids=["right", "wrong number", "swapped name", "right speaker", "wrong speaker", "invented quote"],
)
async def test_each_way_of_writing_markers_comes_to_the_same_verdict(
    store: PassageStore, question: str, words: str, sentence: str, verdict: str, style: str
) -> None:
    rank = next(one.rank for one in find(store, question) if words in one.passage.text)
    answer = await say(store, question, f"{sentence} {style.format(rank)}.")
    assert answer.text == f"{sentence} [{rank}]."
    assert [one.support for one in answer.sentences] == [verdict]
    [citation] = answer.citations
    assert (citation.marker, citation.support) == (rank, verdict)
    article = store.article(citation.passage.article_id)
    assert article.text[citation.start : citation.end] == citation.quote


async def test_the_right_fact_with_the_wrong_source_is_marked(store: PassageStore) -> None:
    found = find(store, DRONES)
    wrong = next(one.rank for one in found if "138" not in one.passage.text)
    answer = await say(store, DRONES, f"Russia launched 138 drones overnight [{wrong}].")
    assert [one.support for one in answer.sentences] == ["unsupported"]


async def test_an_uncited_sentence_is_matched_where_it_is_true_and_marked_where_it_is_false(
    store: PassageStore,
) -> None:
    answer = await say(store, DRONES, "Russia launched 138 drones overnight. Russia launched 512 drones overnight.")
    right, false = answer.sentences
    assert (right.support, right.matched) == ("supported", True)
    assert (false.support, false.matched, false.markers) == ("unsupported", False, ())
    [citation] = answer.citations
    assert "138 drones" in citation.quote
    assert answer.text[citation.answer_start : citation.answer_end].endswith(f"[{citation.marker}].")


async def test_an_invalid_marker_is_recorded_and_its_sentence_judged_by_what_is_found(store: PassageStore) -> None:
    answer = await say(store, DRONES, "Russia launched 138 drones overnight [31]. It launched 512 rockets [32].")
    assert answer.unresolved_markers == (31, 32)
    assert [one.support for one in answer.sentences] == ["supported", "unsupported"]
