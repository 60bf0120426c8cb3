"""Who else reports what an answer says, and who differs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from index.build import add_articles
from index.embeddings import load_embedding
from index.opening import open_store
from index.settings import Settings
from index.store import PassageStore
from rag.citations import Citation, quote_span
from rag.coverage import Coverage, find_coverage
from rag.disagreement import Disagreement, find_disagreement
from rag.facts import find_facts

ROOT = Path(__file__).parent.parent
BRIDGE_A = (
    "The bridge over the Elbe was closed on Tuesday after engineers found 14 cracks in its main girder. Mayor Anna "
    "Kerr said the repairs would cost €2.5m and take three months. Traffic was sent over the old ferry crossing."
)
BRIDGE_B = (
    "Commuters face detours. The Elbe bridge was closed on Tuesday because engineers had found 22 cracks in the "
    "main girder. Repairs, according to Mayor Anna Kerr, would cost €2.5m. Shopkeepers fear for their trade."
)
FERRY = (
    "The ferry on the Elbe carried 14 passengers on Tuesday morning. Its captain sees no need for another pier. "
    "A second boat was sold last year to a company in Hamburg that runs tours for visitors."
)


@pytest.fixture(scope="module")
def settings() -> Settings:
    return Settings()


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Iterator[PassageStore]:
    settings = settings.model_copy(update={"home": tmp_path_factory.mktemp("seeds")})
    with open_store(settings, load_embedding(settings), owner="a test") as store:
        add_articles(store, [ROOT / "seeds"], settings=settings)
        yield store


@pytest.fixture(scope="module")
def bridges(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Iterator[PassageStore]:
    folder = tmp_path_factory.mktemp("bridges")
    copy = BRIDGE_A.replace("Traffic", "All traffic")
    for name, text in (("a", BRIDGE_A), ("b", BRIDGE_B), ("copy", copy), ("ferry", FERRY)):
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    settings = settings.model_copy(update={"home": tmp_path_factory.mktemp("home")})
    with open_store(settings, load_embedding(settings), owner="a test") as store:
        add_articles(store, [folder], settings=settings)
        yield store


def citation(store: PassageStore, article: str, words: str, answer: str = "") -> Citation:
    """A citation of the sentence with these words, for an answer that is one sentence."""
    id_ = next(listed.id for listed in store.articles() if listed.id.startswith(article))
    passage = next(passage for passage in store.article_passages(id_) if words in passage.text)
    start, end = quote_span(words, passage)
    quote = passage.text[start - passage.start : end - passage.start]
    return Citation(1, passage, start, end, quote, 0, len(answer), "supported")


def cover(store: PassageStore, article: str, words: str, answer: str = "") -> Coverage:
    return find_coverage([citation(store, article, words, answer)], store, text=answer)


def test_nothing_cited_has_no_origin(seeds: PassageStore) -> None:
    assert find_coverage([], seeds) == Coverage(0, (), ())


def test_another_report_that_says_the_same_is_another_origin(seeds: PassageStore) -> None:
    coverage = cover(seeds, "003", "real progress has been made", "Umerov said real progress has been made [1].")
    assert coverage.origins == 2
    assert [id_[:3] for id_ in coverage.also_reported_by] == ["002"]


def test_who_lacks_the_one_word_that_a_sentence_quotes_does_not_report_it(seeds: PassageStore) -> None:
    coverage = cover(seeds, "002", 'barring Ukraine from joining NATO was a "cornerstone"')
    assert not any(article_id.startswith("000") for article_id in coverage.also_reported_by)


def test_what_nobody_else_reports_has_one_origin(seeds: PassageStore) -> None:
    assert cover(seeds, "004", "€90bn (£78.6bn)") == Coverage(1, (), ())


FAMILIES, HOUSEHOLDS = "hundreds of thousands of families", "greater than 1,000,000 households"


@pytest.mark.parametrize(("article", "ours", "theirs"), [("001", FAMILIES, HOUSEHOLDS), ("004", HOUSEHOLDS, FAMILIES)])
def test_homes_without_power_are_a_difference(seeds: PassageStore, article: str, ours: str, theirs: str) -> None:
    (difference,) = cover(seeds, article, ours).differences
    assert [value.value for value in difference.values] == [ours, theirs]
    for value in difference.values:
        text = seeds.article(value.article_id).text
        assert text[value.start : value.end] == value.quote
        assert seeds.passage(value.passage_id).article_id == value.article_id


@pytest.mark.parametrize("words", ["138 drones", "235 Ukrainian drones"])
def test_drones_of_two_sides_are_no_difference(seeds: PassageStore, words: str) -> None:
    assert cover(seeds, "001", words).differences == ()


def test_no_other_sentence_of_the_seeds_has_a_difference(seeds: PassageStore) -> None:
    subjects = []
    for listed in seeds.articles():
        for passage in seeds.article_passages(listed.id):
            for line in filter(None, passage.text.split(". ")):
                start, end = quote_span(line, passage)
                quote = passage.text[start - passage.start : end - passage.start]
                found = find_coverage([Citation(1, passage, start, end, quote, 0, 0, "supported")], seeds)
                subjects += [difference.subject for difference in found.differences]
    assert subjects
    assert all("families" in subject or "households" in subject for subject in subjects)


def test_a_copy_reports_it_too_and_is_no_origin_of_its_own(bridges: PassageStore) -> None:
    coverage = cover(bridges, "a", "would cost €2.5m", "Kerr said the repairs would cost €2.5m [1].")
    assert coverage.also_reported_by == ("b", "copy")
    assert coverage.origins == 2


def test_another_number_of_the_same_things_is_a_difference(bridges: PassageStore) -> None:
    differences = cover(bridges, "a", "14 cracks", "Engineers found 14 cracks [1].").differences
    assert [[(value.value, value.article_id) for value in difference.values] for difference in differences] == [
        [("14 cracks", "a"), ("22 cracks", "b")]
    ]


def test_a_citation_that_does_not_carry_its_sentence_is_left_out(bridges: PassageStore) -> None:
    cited = citation(bridges, "a", "14 cracks")
    unsupported = Citation(
        1, cited.passage, cited.start, cited.end, cited.quote, cited.answer_start, cited.answer_end, "unsupported"
    )
    assert find_coverage([unsupported], bridges) == Coverage(0, (), ())


def disagree(ours: str, theirs: str) -> Disagreement | None:
    facts = find_facts(ours)
    return find_disagreement(facts, find_facts(theirs), of=facts, embedding=load_embedding(Settings()))


@pytest.mark.parametrize(
    ("ours", "theirs", "values"),
    [
        (
            "At least 43 people died when the Morandi bridge collapsed in Genoa.",
            "The collapse of the Morandi bridge in Genoa killed 39 people.",
            ("least 43 people", "39 people"),
        ),
        (
            "The ministers signed the trade agreement in Lisbon on Monday.",
            "The ministers signed the trade agreement in Lisbon on Tuesday.",
            ("Monday", "Tuesday"),
        ),
        (
            "The contract for the harbour of Lagos was awarded to Siemens last week.",
            "The contract for the harbour of Lagos was awarded to Hitachi last week.",
            ("Siemens", "Hitachi"),
        ),
    ],
)
def test_another_value_of_the_same_subject_disagrees(ours: str, theirs: str, values: tuple[str, str]) -> None:
    found = disagree(ours, theirs)
    assert found is not None
    assert found.ours.endswith(values[0])
    assert found.theirs == values[1]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("At least 43 people died when the bridge collapsed.", "43 people died when the bridge collapsed in Genoa."),
        ("At least 43 people died when the bridge collapsed.", "When the bridge collapsed 16 people were injured."),
        ("They met for two hours on Monday.", "They met for five hours on Sunday."),
        ("Russia launched 138 drones at Ukraine overnight.", "Russia shot down 235 Ukrainian drones overnight."),
        ("About 500 people marched through Leipzig.", "Some 520 people marched through Leipzig."),
        ("The company employs 900 people in Bonn.", "The company will cut 200 jobs in Bonn."),
        ("The fee rose to €12 in 2019.", "The fee rose to €15 in 2021."),
        ("Kerr said the bridge is safe.", "Brandt said the ferry is full."),
    ],
)
def test_other_subjects_and_the_same_value_do_not_disagree(ours: str, theirs: str) -> None:
    assert disagree(ours, theirs) is None
