"""Copies of one report have one origin; other reports of the same event have their own."""

from pathlib import Path

import numpy as np
import pytest

from index.duplicates import origins, resemblance, shared_order, signature
from index.embeddings import load_embedding
from index.reading.places import read_articles
from index.settings import Settings

SEEDS = {article.id: article.text for article in read_articles(Path(__file__).parent.parent / "seeds").articles}
REPORT = next(text for id_, text in SEEDS.items() if id_.startswith("001"))
# The same report in other words, sentence by sentence, in the same order.
REWRITTEN = """Zelenskyy and American envoys came to Berlin on Sunday for new talks on an end to the war in Ukraine.
Ukrainian, American and European officials will hold several meetings, Zelenskyy said, and he himself will talk with
Trump's envoy Steve Witkoff and his son-in-law Jared Kushner. In audio messages to journalists Zelenskyy said Ukraine
needs legally binding security guarantees from the United States and its European allies, like those of NATO members.
“These guarantees can prevent another wave of Russian aggression,” he said. “This is already a compromise for us.”
He said the U.S. Congress has to back any assurances and that he expected news from the military officials meeting in
Stuttgart. He also said he will meet Chancellor Friedrich Merz and perhaps other European leaders later on Sunday.
For months the United States has tried to bridge the gap while Trump pushes for a swift end of the war, but talks have
stalled over control of the Donetsk region. Zelenskyy rejected again Putin's demand that Ukrainian troops leave the
rest of Donetsk. He called a U.S. idea to pull back and set up a demilitarized economic zone unworkable."""


def test_the_same_words_resemble_each_other_fully_and_other_words_not_at_all() -> None:
    assert resemblance(signature(REPORT), signature(REPORT)) == 1.0
    others = [text for text in SEEDS.values() if text != REPORT]
    assert max(resemblance(signature(REPORT), signature(text)) for text in others) < 0.1


def test_the_estimate_is_near_the_jaccard_index() -> None:
    words = [f"word{number}" for number in range(400)]
    # 300 of 500 different shingles are in both, but for the two at each seam.
    one, other = " ".join(words[:300]), " ".join(words[100:])
    assert resemblance(signature(one), signature(other)) == pytest.approx(200 / 400, abs=0.12)


def test_order_counts_and_not_likeness_alone() -> None:
    sentences = np.eye(6, dtype=np.float32)
    assert shared_order(sentences, sentences, cosine_from=0.9) == 1.0
    assert shared_order(sentences, sentences[::-1], cosine_from=0.9) == pytest.approx(1 / 6)


def test_too_few_sentences_prove_nothing() -> None:
    sentences = np.eye(3, dtype=np.float32)
    assert shared_order(sentences, sentences, cosine_from=0.9) == 0.0


def test_independent_reports_of_one_event_have_an_origin_each() -> None:
    embed = load_embedding(Settings()).get_text_embedding_batch
    assert origins(SEEDS, embed=lambda texts: embed(list(texts))) == [(id_,) for id_ in sorted(SEEDS)]


def test_a_near_copy_has_the_origin_of_its_original() -> None:
    words = REPORT.split()
    words[::12] = ["something"] * len(words[::12])
    assert origins({"copy": " ".join(words), "original": REPORT, "other": "Quite another text."}) == [
        ("copy", "original"),
        ("other",),
    ]


def test_a_rewritten_copy_has_the_origin_of_its_original() -> None:
    embed = load_embedding(Settings()).get_text_embedding_batch
    texts = {"rewritten": REWRITTEN.replace("\n", " "), **SEEDS}
    groups = origins(texts, embed=lambda texts: embed(list(texts)))
    assert [group for group in groups if len(group) > 1] == [
        tuple(sorted(["rewritten", next(id_ for id_ in SEEDS if id_.startswith("001"))]))
    ]


def test_copies_of_copies_are_one_group() -> None:
    texts = {"a": REPORT, "b": REPORT, "c": REPORT + " Agencies."}
    assert origins(texts) == [("a", "b", "c")]
