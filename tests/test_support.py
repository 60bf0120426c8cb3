"""Does what is cited say what the sentence says?"""

import json
from pathlib import Path

import pytest
from llama_index.core.embeddings import BaseEmbedding
from pydantic import Field

from eval.corruptions import rule_cases
from eval.support import SupportReport, measure_support, read_cases
from index.embeddings import load_embedding
from index.errors import QuestionSetError
from index.passages import Passage
from index.settings import Settings
from rag.citations import cite
from rag.meaning import Remembering
from rag.retrieval import ScoredPassage
from rag.support import check_answer, check_support
from tests.fakes import HashingEmbedding

ROOT = Path(__file__).parent.parent
BRIDGE = (
    "The bridge over the Elbe was closed on Tuesday after engineers found 14 cracks. Mayor Anna Kerr said repairs "
    "would take three months and cost €2.5m. “We cannot take any risk,” she told reporters. The opposition leader "
    "Tom Brandt rejected the closure as exaggerated. The bridge has not been inspected since 2019."
)


@pytest.fixture(scope="module")
def embedding() -> BaseEmbedding:
    return load_embedding(Settings())


def passage(text: str, name: str = "a", title: str = "A bridge is closed") -> Passage:
    return Passage(f"{name}-0", name, 0, len(text), text, title, None, None, None)


@pytest.mark.parametrize(
    "sentence",
    [
        "Engineers found 14 cracks in the bridge over the Elbe.",
        "Kerr said the repairs cost 2.5 million euros and take 3 months.",
        "“We cannot take any risk,” Kerr told reporters.",
        "Brandt rejected the closure.",
        "The bridge was last inspected in 2019, and not since.",
        "The bridge over the Elbe was closed on Tuesday after engineers found 14 cracks.",
    ],
)
def test_what_the_passage_says_is_supported(sentence: str, embedding: BaseEmbedding) -> None:
    assert check_support(sentence, [BRIDGE], embedding=embedding) == ("supported", "")


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("Engineers found 41 cracks in the bridge.", "The passage does not have the number 41."),
        ("The bridge was closed on Friday.", "The passage does not have the date Friday."),
        ("Mayor Lena Vogt said repairs would take three months.", "The passage does not name Lena Vogt."),
        ("“It is perfectly safe for now,” Kerr said.", "does not have the words “It is perfectly safe for now,”"),
        ("Repairs would take three weeks.", "The passage does not have the number three weeks."),
        ("Brandt said repairs would take three months.", "not Brandt"),
        ("Brandt accepted the closure.", "The passage says the opposite of “accepted”."),
        ("The bridge has been inspected since 2019.", "The passage denies this."),
        ("Engineers have not found cracks in the bridge.", "The passage does not deny this."),
        ("The mayor resigned after the scandal over school funding.", "The passage does not say this."),
    ],
)
def test_a_fault_is_named_in_words(sentence: str, reason: str, embedding: BaseEmbedding) -> None:
    support, why = check_support(sentence, [BRIDGE], embedding=embedding)
    assert support == "unsupported"
    assert reason in why


def test_the_right_number_of_the_wrong_thing_is_a_fault(embedding: BaseEmbedding) -> None:
    source = "They met for about two hours on Monday, after five hours of talks on Sunday."
    assert check_support("The talks on Sunday lasted five hours.", [source], embedding=embedding)[0] == "supported"
    support, reason = check_support("The talks on Sunday lasted two hours.", [source], embedding=embedding)
    assert support == "unsupported"
    assert "five hours" in reason


def test_a_name_in_anothers_place_is_a_fault(embedding: BaseEmbedding) -> None:
    source = "The letter was written by Adams and handed to Brown at the station in Cologne. Clark waited in Bonn."
    assert check_support("The letter was handed to Brown at the station in Cologne.", [source])[0] == "supported"
    support, reason = check_support("The letter was handed to Clark at the station in Cologne.", [source])
    assert (support, reason) == ("unsupported", "The passage has Brown here, not Clark.")


def test_without_an_embedding_words_decide() -> None:
    assert check_support("Engineers found 14 cracks in the bridge.", [BRIDGE])[0] == "supported"
    assert check_support("The festival was a great success with visitors.", [BRIDGE])[0] == "unsupported"


def test_the_passage_around_a_quote_may_name_whom_the_quote_calls_she(embedding: BaseEmbedding) -> None:
    quote = "“We cannot take any risk,” she told reporters."
    sentence = "Kerr said they cannot take any risk."
    assert check_support(sentence, [quote], embedding=embedding)[0] == "unsupported"
    assert check_support(sentence, [quote], context=[BRIDGE], embedding=embedding)[0] == "supported"


def test_a_title_may_give_a_name_but_no_number(embedding: BaseEmbedding) -> None:
    quote, title = "Engineers found cracks in the old bridge and closed it.", "Elbe bridge closed, 14 cracks found"
    named = "Engineers found cracks in the old Elbe bridge."
    assert check_support(named, [quote], about=[title], embedding=embedding)[0] == "supported"
    assert check_support("Engineers found 14 cracks in the bridge.", [quote], about=[title])[0] == "unsupported"


def check(text: str, *passages: Passage, embedding: BaseEmbedding) -> list[tuple[str, bool, tuple[int, ...]]]:
    shown = [ScoredPassage(each, 1.0, rank) for rank, each in enumerate(passages, 1)]
    _, sentences = check_answer(text, cite(text, shown), shown, embedding=embedding)
    return [(sentence.support, sentence.matched, sentence.markers) for sentence in sentences]


def test_each_sentence_is_checked_against_what_it_cites(embedding: BaseEmbedding) -> None:
    other = passage("Rain is expected in the north over the weekend.", "b", "Weather")
    verdicts = check(
        "Engineers found 14 cracks in the bridge [1]. Engineers found 14 cracks in the bridge [2].",
        passage(BRIDGE), other, embedding=embedding,
    )  # fmt: skip
    assert verdicts == [("supported", False, (1,)), ("unsupported", False, (2,))]


def test_a_sentence_without_a_marker_is_matched_or_unsupported(embedding: BaseEmbedding) -> None:
    verdicts = check("Engineers found 14 cracks in the bridge. Nobody was hurt.", passage(BRIDGE), embedding=embedding)
    assert verdicts == [("supported", True, (1,)), ("unsupported", False, ())]


@pytest.mark.parametrize(
    "text", ["Here is what the articles say:", "The articles do not say who will pay for the repairs."]
)
def test_a_sentence_that_claims_nothing_is_not_marked(text: str, embedding: BaseEmbedding) -> None:
    assert all(support == "supported" for support, _, _ in check(text, passage(BRIDGE), embedding=embedding))


def test_two_citations_carry_a_sentence_together_and_each_is_judged_alone(embedding: BaseEmbedding) -> None:
    other = passage("Officials said on Wednesday that 40,000 commuters cross the bridge over the Elbe every day.", "b")
    text = "Engineers found 14 cracks in the bridge, which 40,000 commuters cross every day [1][2]."
    shown = [ScoredPassage(passage(BRIDGE), 1.0, 1), ScoredPassage(other, 0.9, 2)]
    citations, (sentence,) = check_answer(text, cite(text, shown), shown, embedding=embedding)
    assert sentence.support == "supported"
    assert [citation.support for citation in citations] == ["partial", "partial"]


class CountingEmbedding(HashingEmbedding):
    seen: list[str] = Field(default_factory=list)

    def _get_text_embedding(self, text: str) -> list[float]:
        self.seen.append(text)
        return super()._get_text_embedding(text)


def test_each_text_is_embedded_once() -> None:
    model = CountingEmbedding()
    remembering = Remembering(model)
    one = remembering.get_text_embedding("one")
    two = HashingEmbedding().get_text_embedding("two")
    assert remembering.get_text_embedding_batch(["one", "two", "two"]) == [one, two, two]
    assert model.seen == ["one", "two"]


# Of the first set the totals were looked at while the check grew. The second and the third were written without
# knowledge of the check, and later worked on: what they gave at first sight is in eval/README.md, and these floors only
# keep what is reached. The aim for all: at least 0.95 of the planted marked, at most 0.05 of the true ones.
SETS = {
    "support_cases.jsonl": (0.97, 0.04),
    "support_cases_2.jsonl": (0.97, 0.05),
    "support_cases_3.jsonl": (0.97, 0.08),
}


@pytest.fixture(scope="module", params=SETS, ids=["first", "second", "third"])
def measured(request: pytest.FixtureRequest, embedding: BaseEmbedding) -> tuple[str, SupportReport]:
    cases = ROOT / "tests/data" / request.param
    return request.param, measure_support(embedding=embedding, articles=ROOT / "seeds", cases=cases)


def test_planted_false_sentences_are_marked_as_often_as_they_were(measured: tuple[str, SupportReport]) -> None:
    name, report = measured
    assert report.planted_marked["seeds"].count >= 40
    assert report.planted_marked["seeds"].value >= SETS[name][0]


def test_true_sentences_are_marked_no_oftener_than_they_were(measured: tuple[str, SupportReport]) -> None:
    name, report = measured
    assert report.true_marked["seeds"].count >= 50
    assert report.true_marked["seeds"].value <= SETS[name][1]


@pytest.mark.parametrize(
    ("name", "count", "false_from", "true_to"),
    [("support_pairs.jsonl", (98, 98), 0.64, 0.24), ("support_pairs_2.jsonl", (183, 156), 0.64, 0.36)],
)
def test_sentences_over_invented_articles_are_told_apart_as_well_as_they_were(
    name: str, count: tuple[int, int], false_from: float, true_to: float, embedding: BaseEmbedding
) -> None:
    report = measure_support(embedding=embedding, articles=ROOT / "seeds", cases=ROOT / "tests/data" / name)
    assert (report.planted_marked["pairs"].count, report.true_marked["pairs"].count) == count
    assert report.planted_marked["pairs"].value >= false_from
    assert report.true_marked["pairs"].value <= true_to


def test_twins_are_told_apart_as_well_as_they_were(embedding: BaseEmbedding, tmp_path: Path) -> None:
    lines = (ROOT / "tests/data/support_twins.jsonl").read_text(encoding="utf-8").splitlines()
    some = tmp_path / "twins.jsonl"
    some.write_text("\n".join(lines[::20]), encoding="utf-8")
    report = measure_support(embedding=embedding, articles=ROOT / "seeds", cases=some)
    assert report.planted_marked["pairs"].count == report.true_marked["pairs"].count >= 300
    assert report.planted_marked["pairs"].value >= report.true_marked["pairs"].value + 0.15


def test_twins_differ_and_no_passage_comes_twice() -> None:
    lines = (ROOT / "tests/data/support_twins.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert len({row["id"] for row in rows}) == len({row["passage"] for row in rows}) == len(rows)
    for row in rows:
        assert len(row["twins"]) >= 6
        assert all(true != false for _, true, false in row["twins"])


def test_cases_are_half_true_and_of_every_kind() -> None:
    cases = read_cases(ROOT / "tests/data/support_cases.jsonl")
    assert len(cases) >= 60
    assert 0.4 <= sum(case.true for case in cases) / len(cases) <= 0.6
    kinds = {case.kind for case in cases if not case.true}
    assert kinds == {
        "wrong number", "wrong speaker", "swapped name", "invented quote", "wrong source", "uncited", "invalid marker",
        "negated", "date shifted",
    }  # fmt: skip


def test_a_case_that_cannot_be_read_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text('{"id": "a"}\n', encoding="utf-8")
    with pytest.raises(QuestionSetError, match="line 1"):
        read_cases(path)


def test_sentences_are_made_false_by_rule_and_the_same_each_time(tmp_path: Path) -> None:
    folder = tmp_path / "squad2"
    folder.mkdir()
    rows = [
        (
            "d1",
            "Rome",
            "In 1870 the Italian army under Cadorna was sent to Rome and took it in 5 hours.",
            "Cavour died.",
        ),
        (
            "d2",
            "Paris",
            "In 1900 the first line of the Paris Metro was opened by Bienvenue to visitors.",
            "It was hot.",
        ),
    ]
    corpus, queries = [], []
    for id_, title, sentence, rest in rows:
        corpus.append(f'{{"id": "{id_}", "title": "{title}", "text": "{sentence} {rest}"}}')
        queries.append(
            f'{{"id": "q{id_}", "answerable": true, "doc_id": "{id_}", "evidence_sentences": ["{sentence}"]}}'
        )
    (folder / "corpus.jsonl").write_text("\n".join(corpus), encoding="utf-8")
    (folder / "queries.jsonl").write_text("\n".join(queries), encoding="utf-8")
    cases = rule_cases(tmp_path)
    assert cases == rule_cases(tmp_path)
    true = {case.sentence for case in cases if case.true}
    assert true == {sentence for _, _, sentence, _ in rows}
    changed = [case for case in cases if not case.true and case.kind not in {"other article", "same article"}]
    assert {"number changed", "negation"} <= {case.kind for case in changed}
    assert all(case.sentence not in true and case.sentence not in case.passage for case in changed)


def test_a_folder_without_texts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(QuestionSetError, match="squad2"):
        rule_cases(tmp_path)
