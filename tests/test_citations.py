import itertools

import pytest

from index.passages import Passage
from rag.citations import answer_sentences, cite, markers_in, quote_span
from rag.retrieval import ScoredPassage
from tests.fakes import HashingEmbedding
from tests.test_markers import CASES, WHOLE_ANSWERS

ARTICLE = (
    "Envoys met in Berlin on Sunday. “The talks lasted five hours,” Yuri Ushakov told reporters. He called them"
    " constructive. The Kremlin said 138 drones were shot down overnight. Kyiv said it had launched 235. Friedrich Merz"
    " spoke of a “real chance for a peace process”."
)


def _passage(start: int = 0, end: int = len(ARTICLE), number: int = 1) -> Passage:
    return Passage(f"{number:032d}", "talks", start, end, ARTICLE[start:end], "Talks in Berlin", "TDI", None, None)


def _scored(*passages: Passage) -> list[ScoredPassage]:
    return [ScoredPassage(passage, 1.0 / rank, rank) for rank, passage in enumerate(passages, start=1)]


def _texts(text: str) -> list[str]:
    return [text[start:end] for start, end in answer_sentences(text)]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("They met [1]. They left [2].", ["They met [1].", "They left [2]."]),
        ("“We agree.” [1] He left.", ["“We agree.” [1]", "He left."]),
        ("He said: “We agree.” [1]", ["He said: “We agree.” [1]"]),
        ("They left at 5 p.m. [1] Then it rained [2].", ["They left at 5 p.m. [1]", "Then it rained [2]."]),
        ("Mr. Ushakov met the U.S. envoys [1][2]. He left.", ["Mr. Ushakov met the U.S. envoys [1][2].", "He left."]),
        ("- five hours [1]\n- in Berlin [2].", ["five hours [1]", "in Berlin [2]."]),
        ("1. The talks were long [1].", ["The talks were long [1]."]),
        ("According to [1], they met. [2] says no.", ["According to [1], they met.", "[2] says no."]),
        ("[1] says they met, while [2] says no.", ["[1] says they met, while [2] says no."]),
        ("# Talks\n\nThey met [1].\n\n---\n\n**Summary**\nNo.", ["They met [1].", "No."]),
        ("**They met.** [1]", ["**They met.** [1]"]),
        ("| who | what |\n|---|---|\n| Merz [1] | left |", ["| who | what |", "| Merz [1] | left |"]),
        ("```\ncode [1]\n```\nThey met.", ["code [1]", "They met."]),
        ("## Merz took a bribe\n**Putin left the talks**", ["Merz took a bribe", "**Putin left the talks**"]),
        ("会谈持续了五个小时 [1]。双方同意 [2]。", ["会谈持续了五个小时 [1]。", "双方同意 [2]。"]),
        ("Did they meet [1]? Yes [2]!", ["Did they meet [1]?", "Yes [2]!"]),
        ("", []),
    ],
)
def test_sentences_of_an_answer_hold_their_markers(text: str, sentences: list[str]) -> None:
    assert _texts(text) == sentences


@pytest.mark.parametrize("text", [case[1] for case in CASES] + [case[1] for case in WHOLE_ANSWERS])
def test_every_marker_of_a_normalised_answer_lies_in_exactly_one_sentence(text: str) -> None:
    spans = answer_sentences(text)
    assert all(before.end <= after.start for before, after in itertools.pairwise(spans))
    inside = [number for span in spans for number in markers_in(text[span.start : span.end])]
    assert set(inside) == set(markers_in(text))


def test_code_and_indexes_hold_no_markers() -> None:
    assert markers_in("Use a[1] and `text [2]` there [3][4].") == [3, 4]


@pytest.mark.parametrize(
    ("sentence", "quote"),
    [
        ("The talks went on for 5 hours [1].", "“The talks lasted five hours,” Yuri Ushakov told reporters."),
        (
            "Merz saw a “real chance for a peace process” [1].",
            "Friedrich Merz spoke of a “real chance for a peace process”.",
        ),
        ("They met in Berlin [1].", "Envoys met in Berlin on Sunday."),
        ("Russia shot down 138 drones [1].", "The Kremlin said 138 drones were shot down overnight."),
        (
            "The Kremlin said 138 drones were shot down while Kyiv spoke of 235 [1].",
            "The Kremlin said 138 drones were shot down overnight. Kyiv said it had launched 235.",
        ),
    ],
)
def test_quote_is_the_sentence_that_carries_the_claim(sentence: str, quote: str) -> None:
    start, end = quote_span(sentence, _passage())
    assert ARTICLE[start:end] == quote


def test_quote_offsets_count_in_the_article_and_not_in_the_passage() -> None:
    start = ARTICLE.index("He called")
    begin, end = quote_span("Kyiv launched 235 drones [1].", _passage(start))
    assert ARTICLE[begin:end] == "Kyiv said it had launched 235."


def test_quote_is_never_empty_though_no_word_is_shared() -> None:
    begin, end = quote_span("猫 [1].", _passage())
    assert ARTICLE[begin:end] == "He called them constructive."
    begin, end = quote_span("Nothing.", _passage(0, 0))
    assert (begin, end) == (0, 0)


def test_embedding_decides_where_words_do_not() -> None:
    class Knowing(HashingEmbedding):
        def _get_text_embedding(self, text: str) -> list[float]:
            return [1.0, 0.0] if "Berlin" in text or "Sonntag" in text else [0.0, 1.0]

    begin, end = quote_span("Am Sonntag kamen sie zusammen.", _passage(), embedding=Knowing())
    assert ARTICLE[begin:end] == "Envoys met in Berlin on Sunday."


def test_citations_follow_the_text_and_quote_their_article() -> None:
    half = ARTICLE.index("The Kremlin")
    first, second = _passage(0, half, 1), _passage(half, len(ARTICLE), 2)
    text = "The talks lasted five hours [1]. Russia shot down 138 drones and Envoys met in Berlin [2][1]. Nobody knows."
    citations = cite(text, _scored(first, second))
    assert [citation.marker for citation in citations] == [1, 2, 1]
    for citation in citations:
        assert ARTICLE[citation.start : citation.end] == citation.quote
        assert f"[{citation.marker}]" in text[citation.answer_start : citation.answer_end]
        assert citation.support == "supported"
    assert citations[1].quote == "The Kremlin said 138 drones were shot down overnight."


def test_marker_without_a_passage_is_not_a_citation() -> None:
    assert cite("They met [3].", _scored(_passage())) == []
