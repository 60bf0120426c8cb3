import itertools
import random

import pytest

from rag.markers import MarkerStream

# What a model wrote, what is shown, and the numbers that name no source; there are eight sources.
CASES: list[tuple[str, str, list[int]]] = [
    # forms
    ("The talks lasted five hours [1].", "The talks lasted five hours [1].", []),
    ("The talks lasted five hours.[1]", "The talks lasted five hours [1].", []),
    ("The talks lasted five hours. [1]", "The talks lasted five hours [1].", []),
    ("The talks lasted five hours[1].", "The talks lasted five hours [1].", []),
    ("The talks lasted five hours [1, 2].", "The talks lasted five hours [1][2].", []),
    ("The talks lasted five hours [1][2].", "The talks lasted five hours [1][2].", []),
    ("The talks lasted five hours [1], [2].", "The talks lasted five hours [1][2].", []),
    ("The talks lasted five hours [1] and [2].", "The talks lasted five hours [1][2].", []),
    ("The talks lasted five hours [1-3].", "The talks lasted five hours [1][2][3].", []),
    ("The talks lasted five hours [1–3, 5].", "The talks lasted five hours [1][2][3][5].", []),
    ("The talks lasted five hours [Source 1].", "The talks lasted five hours [1].", []),
    ("The talks lasted five hours [source: 2].", "The talks lasted five hours [2].", []),
    ("The talks lasted five hours [Sources 1 and 2].", "The talks lasted five hours [1][2].", []),
    ("The talks lasted five hours [Source 1, Source 2].", "The talks lasted five hours [1][2].", []),
    ("The talks lasted five hours [Source 1: TDI, 2025-12-15].", "The talks lasted five hours [1].", []),
    ("The talks lasted five hours [Passage 3].", "The talks lasted five hours [3].", []),
    ("The talks lasted five hours [^1].", "The talks lasted five hours [1].", []),
    ("The talks lasted five hours [#1].", "The talks lasted five hours [1].", []),
    ("The talks lasted five hours [ref_2].", "The talks lasted five hours [2].", []),
    ("The talks lasted five hours \\[1\\].", "The talks lasted five hours [1].", []),
    ("The talks lasted five hours [[1]](https://example.org/a_b).", "The talks lasted five hours [1].", []),
    ("The talks lasted five hours [1](https://example.org/a).", "The talks lasted five hours [1].", []),
    ("The talks lasted five hours **[1]**.", "The talks lasted five hours [1].", []),
    ("The talks lasted five hours ([1]).", "The talks lasted five hours [1].", []),
    ("The talks lasted five hours (see [1], [2]).", "The talks lasted five hours [1][2].", []),
    ("The talks lasted five hours (Source 1).", "The talks lasted five hours [1].", []),
    ("The talks lasted five hours (source: 1; 2).", "The talks lasted five hours [1][2].", []),
    ("The talks lasted five hours (1).", "The talks lasted five hours [1].", []),
    ("The talks lasted five hours (1)(2).", "The talks lasted five hours [1][2].", []),
    ("The talks lasted five hours (1, 2).", "The talks lasted five hours [1][2].", []),
    ("They met in Berlin. (1) They met again. (2)", "They met in Berlin [1]. They met again [2].", []),
    ("The talks lasted five hours 【1】.", "The talks lasted five hours [1].", []),
    ("The talks lasted five hours.【1†source】", "The talks lasted five hours [1].", []),
    ("The talks lasted five hours【4:0†source】【2:1†tdi.txt】.", "The talks lasted five hours [4][2].", []),
    ("The talks lasted five hours^1.", "The talks lasted five hours [1].", []),
    ("The talks lasted five hours.^[1]", "The talks lasted five hours [1].", []),
    ("The talks lasted five hours.¹", "The talks lasted five hours [1].", []),
    ("The talks lasted five hours.¹² They met.", "The talks lasted five hours [1][2]. They met.", []),
    ("The talks lasted five hours<sup>1</sup>.", "The talks lasted five hours [1].", []),
    ("[cite_start]The talks lasted five hours[cite: 1, 2].", "The talks lasted five hours [1][2].", []),
    ("The talks lasted five hours [citation:1][citation:3].", "The talks lasted five hours [1][3].", []),
    # places
    ("[1] The talks lasted five hours.", "The talks lasted five hours [1].", []),
    ("[1]: The talks lasted five hours.", "The talks lasted five hours [1].", []),
    ("[1] The talks lasted long. [2] They met again.", "The talks lasted long [1]. They met again [2].", []),
    ("The talks [1] lasted five hours.", "The talks lasted five hours [1].", []),
    ("They met [1], Merz said [2], and left.", "They met, Merz said, and left [1][2].", []),
    ("They met.[1] They left.[2]", "They met [1]. They left [2].", []),
    ("They met.[1]They left.[2]", "They met [1]. They left [2].", []),
    ("They met. [1][2] They left.", "They met [1][2]. They left.", []),
    ("They met [1]. [2] They left.", "They met [1][2]. They left.", []),
    ("They met [1] [1]. They left [1].", "They met [1]. They left [1].", []),
    ("They met.\n[1][2]", "They met [1][2].", []),
    ("They met. They left.\n\nSources: [1], [2]", "They met. They left [1][2].", []),
    ("[1]\nThey met.", "They met [1].", []),
    ("“We agree.” [1] He left.", "“We agree.” [1] He left.", []),
    ("“We agree,”[1] he said.", "“We agree,” he said [1].", []),
    ("He said: “We agree.”[1]", "He said: “We agree.” [1]", []),
    ("He said “we agree” [1].", "He said “we agree” [1].", []),
    ('He said "we agree."[1] She left.', 'He said "we agree." [1] She left.', []),
    ("They left at 5 p.m. [1] Then it rained [2].", "They left at 5 p.m. [1] Then it rained [2].", []),
    ("Did they meet? [1] Yes! [2]", "Did they meet [1]? Yes [2]!", []),
    ("**Five hours** [1].", "**Five hours** [1].", []),
    ("**Five hours.** [1]", "**Five hours.** [1]", []),
    ("- five hours [1]\n- in Berlin. [2]", "- five hours [1]\n- in Berlin [2].", []),
    ("1. The talks [1] were long.\n2. They were hard [2].", "1. The talks were long [1].\n2. They were hard [2].", []),
    ("According to [1], the talks were long.", "According to [1], the talks were long.", []),
    ("[1] says the talks were long, while [2] says short.", "[1] says the talks were long, while [2] says short.", []),
    ("According to Source 2 (TDI), they met.", "According to [2] (TDI), they met.", []),
    ("| who | what |\n|---|---|\n| Merz [1] | left [2] |", "| who | what |\n|---|---|\n| Merz [1] | left [2] |", []),
    ("会谈持续了五个小时[1]。双方同意[2]。", "会谈持续了五个小时 [1]。双方同意 [2]。", []),
    # numbers that are not citations
    ("The war of [2022] went on [2].", "The war of [2022] went on [2].", []),
    ("It began in (2022). It went on [2].", "It began in (2022). It went on [2].", []),
    ("Three aims: (1) peace, (2) land, and (3) money.", "Three aims: (1) peace, (2) land, and (3) money.", []),
    ("(1) Peace\n(2) Land [3]", "(1) Peace\n(2) Land [3]", []),
    ("Ronaldo (3), Messi (2).", "Ronaldo (3), Messi (2).", []),
    ("They met [1]. He scored five (5).", "They met [1]. He scored five (5).", []),
    ("Use a[1], rows[0] and x_y[2].", "Use a[1], rows[0] and x_y[2].", []),
    ("Write `text [1]` there [2].", "Write `text [1]` there [2].", []),
    ("```\nx [1]\n```\nThey met [2].", "```\nx [1]\n```\nThey met [2].", []),
    ("The loan of €90bn came [3].", "The loan of €90bn came [3].", []),
    ("It covers 5 km² or 10⁵ units [1].", "It covers 5 km² or 10⁵ units [1].", []),
    ("x^2 is not 10^5 [1].", "x^2 is not 10^5 [1].", []),
    ("NATO's clause (Article 5) matters [1].", "NATO's clause (Article 5) matters [1].", []),
    ("It said “[sic]” and [...] more [1].", "It said “[sic]” and [...] more [1].", []),
    ("1, 2 and 3 men left [1].", "1, 2 and 3 men left [1].", []),
    # beyond the last source
    ("They met [9].", "They met.", [9]),
    ("They met [1][12]. They left [9, 2].", "They met [1]. They left [2].", [12, 9]),
    ("They met [0].", "They met.", [0]),
    # a list of sources under the answer
    ("They met [1].\n\nSources:\n[1] TDI, talks\n[2] CNN\n", "They met [1].", []),
    ("They met [1].\n\n**References**\n\n1. TDI\n2. CNN", "They met [1].", []),
    ("They met[^1].\n\n[^1]: TDI, 15 December", "They met [1].", []),
    ("Sources:\nThey did not say [1].", "Sources:\nThey did not say [1].", []),
    ("Sources say they met [1].", "Sources say they met [1].", []),
    # never written to an end
    ("They met [1", "They met", []),
    ("They met [1]. They left [Sour", "They met [1]. They left", []),
    ("They met (on Sunday", "They met (on Sunday", []),
    ("", "", []),
]

# Answers as model families write them, with the whole of their layout.
WHOLE_ANSWERS: list[tuple[str, str]] = [
    (
        "The talks on Sunday lasted **five hours**, according to Ushakov [2]. He said they yielded “real progress,”"
        " though “our positions still differ” on territory [1].",
        "The talks on Sunday lasted **five hours**, according to Ushakov [2]. He said they yielded “real progress,”"
        " though “our positions still differ” on territory [1].",
    ),
    (
        "According to the sources, the talks lasted five hours. [Source 2]\n\nHere are the key points:\n\n"
        "* Zelensky met Witkoff and Kushner in Berlin. [Source 1]\n* Merz saw a “real chance.” [Source 1, Source 3]",
        "According to the sources, the talks lasted five hours [2].\n\nHere are the key points:\n\n"
        "* Zelensky met Witkoff and Kushner in Berlin [1].\n* Merz saw a “real chance.” [1][3]",
    ),
    (
        "The talks lasted five hours【2】. Mr. Ushakov called the U.S. delegation's visit “constructive”【2】【4】.",
        "The talks lasted five hours [2]. Mr. Ushakov called the U.S. delegation's visit “constructive” [2][4].",
    ),
    (
        "The talks lasted five hours.[2] Gen. Grynkewich said allies must prepare for war.[5]\n\n---\n**Sources:**\n"
        "- [2] Example Times\n- [5] Example Post",
        "The talks lasted five hours [2]. Gen. Grynkewich said allies must prepare for war [5].\n\n---",
    ),
    (
        "Die Gespräche dauerten fünf Stunden [2]. Laut [1] gab es „echte Fortschritte“ [1].",
        "Die Gespräche dauerten fünf Stunden [2]. Laut [1] gab es „echte Fortschritte“.",
    ),
    (
        "Five hours (2). The Kremlin said 138 drones were shot down (3); Kyiv said 235 (4).",
        "Five hours [2]. The Kremlin said 138 drones were shot down (3); Kyiv said 235 (4).",
    ),
]


def _pieces(*pieces: str) -> tuple[list[str], str, list[int]]:
    stream = MarkerStream(8)
    shown = [stream.feed(piece) for piece in pieces]
    return shown, stream.finish(), stream.unresolved


@pytest.mark.parametrize(("written", "expected", "unresolved"), CASES)
def test_every_form_becomes_one_marker_at_the_end_of_its_sentence(
    written: str, expected: str, unresolved: list[int]
) -> None:
    _, text, beyond = _pieces(written)
    assert (text, beyond) == (expected, unresolved)


@pytest.mark.parametrize(("written", "expected"), WHOLE_ANSWERS)
def test_answers_in_the_style_of_model_families(written: str, expected: str) -> None:
    assert _pieces(written)[1] == expected


@pytest.mark.parametrize("written", [case[0] for case in CASES] + [case[0] for case in WHOLE_ANSWERS])
def test_how_the_stream_is_cut_changes_nothing_and_shown_text_only_grows(written: str) -> None:
    _, whole, unresolved = _pieces(written)
    cuts = [(written[:at], written[at:]) for at in range(len(written) + 1)]
    for pieces in [*cuts, tuple(written)]:
        shown, text, beyond = _pieces(*pieces)
        assert (text, beyond) == (whole, unresolved), pieces
        for before, after in itertools.pairwise([*shown, text]):
            assert after.startswith(before), pieces


@pytest.mark.parametrize("written", [case[0] for case in CASES] + [case[0] for case in WHOLE_ANSWERS])
def test_canonical_text_stays_as_it_is(written: str) -> None:
    once = _pieces(written)[1]
    assert _pieces(once)[1] == once


def test_text_appears_before_the_answer_ends() -> None:
    stream = MarkerStream(2)
    assert stream.feed("The talks lasted five hours [1") == "The talks lasted five hours"
    assert stream.feed("]. They were har") == "The talks lasted five hours [1]. They were"


def test_unfinished_marker_is_never_shown() -> None:
    for written, _, _ in CASES:
        shown, text, _ = _pieces(*written)
        for piece in shown:
            assert piece.count("[") == piece.count("]"), (written, piece)
        assert "†" not in text


@pytest.mark.parametrize("seed", range(60))
def test_answers_put_together_at_random_keep_every_promise(seed: int) -> None:
    chance = random.Random(seed)
    parts = chance.sample([case[0] for case in CASES] + [case[0] for case in WHOLE_ANSWERS], 3)
    written = "".join(part + chance.choice([" ", "\n", "\n\n"]) for part in parts)
    cuts = sorted(chance.sample(range(len(written)), 12))
    _, whole, unresolved = _pieces(written)
    shown, text, beyond = _pieces(*[written[a:b] for a, b in itertools.pairwise([0, *cuts, len(written)])])
    assert (text, beyond) == (whole, unresolved)
    assert all(after.startswith(before) for before, after in itertools.pairwise([*shown, text]))
