import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from index.embeddings import BundledEmbedding
from index.opening import open_store
from index.passages import Passage
from index.settings import Settings
from index.store import PassageStore
from rag.asking import REFUSAL
from rag.evidence import find_candidates
from rag.extractive import MAX_WORDS, Extract, is_small_talk, quote_answer, refuse_unasked
from rag.retrieval import NewsRetriever, ScoredPassage

SEEDS = Path(__file__).parent.parent / "seeds"
Ask = Callable[[str], Extract]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PassageStore]:
    """The five articles under the bundled embedding model: what a new user asks."""
    from index.build import add_articles

    settings = Settings(home=tmp_path_factory.mktemp("home"), llm="none", lock_seconds=0)
    with open_store(settings, BundledEmbedding(), owner="a test") as store:
        add_articles(store, [SEEDS], settings=settings)
        yield store


@pytest.fixture
def ask(store: PassageStore) -> Ask:
    retriever = NewsRetriever(store, top_k=8)
    return lambda question: quote_answer(question, retriever.search(question), store=store)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("How long did the talks on Sunday last?", r"\b(?:five|5) hours\b"),
        ("how many drones did russia launch", "138 drones"),
        ("Who is Putin's foreign affairs adviser?", "Yuri Ushakov"),
        ("What did Kaja Kallas say?", "more and more tough"),
        ("What percentage of the issues have been agreed?", "90 percent"),
        ("Where did the Ukrainian and U.S. military officials meet?", "Stuttgart"),
        ("What did Zelenskiy say about Article 5?", "Article 5"),
        ("What did Umerov write on X?", "constructive"),
        ("What is Yuri Ushakov's job?", "foreign affairs adviser"),
        ("Who is Dmitry Peskov?", "Kremlin spokesman"),
        ("What is said about the economic zone?", "economic zone"),
    ],
)
def test_the_words_that_answer_are_quoted(ask: Ask, question: str, words: str) -> None:
    extract = ask(question)
    assert not extract.refused
    assert re.search(words, extract.citations[0].quote)


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of Mongolia?",
        "How many soldiers were killed in the fighting?",
        "What did Macron say after the talks?",
        "How long will the ceasefire last?",
        "Who won the election in Germany?",
        "What was the result of the World Cup final?",
    ],
)
def test_what_the_articles_do_not_say_is_refused(ask: Ask, question: str) -> None:
    extract = ask(question)
    assert extract.refused
    assert extract.text.startswith(REFUSAL)
    assert (extract.citations, extract.sentences) == ((), ())
    assert not re.search(r"\[\d", extract.text)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Did Elon Musk attend the talks?", "None of the 5 articles mentions Elon Musk."),
        ("When will the next round of talks take place in Istanbul?", "None of the 5 articles mentions Istanbul."),
        ("Why did 777 soldiers leave Donetsk?", "None of the 5 articles mentions 777."),
    ],
)
def test_names_and_numbers_that_no_article_has_are_said(ask: Ask, question: str, said: str) -> None:
    assert ask(question).text == f"{REFUSAL} {said}"


def test_a_name_in_another_spelling_is_not_called_missing(ask: Ask) -> None:
    assert "mentions" not in ask("What did Volodymir Zelenskij say about territory?").text


@pytest.mark.parametrize("question", ["", "?", "Hi", "Good morning!", "Thank you very much", "What can you do?"])
def test_where_nothing_is_asked_the_reader_is_told_what_to_ask(ask: Ask, question: str) -> None:
    extract = ask(question)
    assert extract.refused
    assert extract.text.startswith("Ask me something about the 5 articles")


@pytest.mark.parametrize(
    "question",
    ["How long did the talks on Sunday last?", "What is Russia's position on NATO membership?", "Who met in Berlin?"],
)
def test_an_answer_is_short_exact_and_cited(ask: Ask, store: PassageStore, question: str) -> None:
    extract = ask(question)
    assert 1 <= len(extract.citations) <= 3
    assert sum(len(citation.quote.split()) for citation in extract.citations) <= MAX_WORDS
    for citation in extract.citations:
        article = store.article(citation.passage.article_id)
        assert article.text[citation.start : citation.end] == citation.quote
        answered = extract.text[citation.answer_start : citation.answer_end]
        assert answered.endswith(f"” [{citation.marker}]")
        quoted = answered[answered.index("“") + 1 : answered.rindex("”")]
        assert re.findall(r"\w+", quoted) == re.findall(r"\w+", citation.quote)


def test_the_words_that_answer_are_marked_within_the_quotation(ask: Ask) -> None:
    extract = ask("How long did the talks on Sunday last?")
    words = [extract.text[start:end] for start, end in extract.highlights]
    assert re.search(r"\b(?:five|5) hours\b", words[0])
    first = extract.citations[0]
    assert first.answer_start <= extract.highlights[0].start < extract.highlights[0].end < first.answer_end


def test_nothing_is_marked_where_the_reader_is_not_sure(ask: Ask) -> None:
    assert ask("Who is Yuri Ushakov?").highlights == ()


def test_an_outlet_that_is_known_is_named(ask: Ask) -> None:
    extract = ask("What did Merz say about the fate of Ukraine?")
    source = extract.citations[0].passage.source
    assert source
    assert extract.text.startswith(f"{source}: “")


def test_the_same_fact_is_not_quoted_twice(ask: Ask) -> None:
    extract = ask("How long did the talks on Sunday last?")
    assert len(re.findall(r"\b(?:five|5) hours\b", extract.text)) == 1


def test_only_the_hopeless_is_kept_from_a_model(store: PassageStore) -> None:
    retriever = NewsRetriever(store, top_k=8)

    def refusal(question: str) -> str:
        return refuse_unasked(question, retriever.search(question), store=store)

    assert refusal("How long did the talks on Sunday last?") == ""
    assert refusal("Who won the election in Germany?") == "", "a model may judge what is doubtful"
    assert refusal("Wie lange dauerten die Gespräche am Sonntag?") == "", "a model may know the language"
    assert refusal("In which building did Sunday's meeting take place?") == "", "the articles say it in other words"
    assert refusal("What are the symptoms of flu?") == REFUSAL
    assert refusal("hello").startswith("Ask me something")


def test_an_empty_index_says_so(settings: Settings) -> None:
    with open_store(settings, BundledEmbedding(), owner="a test") as store:
        extract = quote_answer("Who won?", [], store=store)
    assert extract.refused
    assert "no article" in extract.text


def make_passage(text: str, *, article_id: str = "a", start: int = 0) -> Passage:
    return Passage(f"{start:032d}", article_id, start, start + len(text), text, "A title", None, None, None)


def test_candidates_are_sentences_with_their_place_in_the_article() -> None:
    first = ScoredPassage(make_passage("One cat slept. Two dogs ran.", start=50), 1.0, 1)
    assert [(one.text, one.start, one.end) for one in find_candidates([first])] == [
        ("One cat slept.", 50, 64),
        ("Two dogs ran.", 65, 78),
    ]


def test_a_sentence_that_ends_with_a_colon_goes_on() -> None:
    text = "He wrote on X:\n“We made progress.”\nThen he left."
    assert [one.text for one in find_candidates([ScoredPassage(make_passage(text), 1.0, 1)])] == [
        "He wrote on X:\n“We made progress.”",
        "Then he left.",
    ]


def test_a_sentence_that_two_articles_share_is_one_candidate() -> None:
    found = [
        ScoredPassage(make_passage("The roof fell in.", article_id=article_id), 1.0, rank)
        for rank, article_id in enumerate(["a", "b"], start=1)
    ]
    [candidate] = find_candidates(found)
    assert candidate.found.rank == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Hello there", True), ("", True), ("...", True), ("Good news from Berlin?", False), ("Hi, who is Merz?", False)],
)
def test_small_talk_is_told_from_questions(text: str, expected: bool) -> None:
    assert is_small_talk(text) is expected


def test_a_question_in_another_language_is_told_so_in_that_language(ask: Ask) -> None:
    extract = ask("Wie lange haben die Gespräche am Sonntag gedauert und wer war dabei?")
    assert extract.refused
    assert "auf Englisch" in extract.text


def test_an_answer_is_held_likelier_than_a_refusal(ask: Ask) -> None:
    assert (
        ask("Who is Putin's foreign affairs adviser?").confidence > ask("What is the capital of Mongolia?").confidence
    )


def test_quotation_marks_within_a_quotation_are_single_ones(ask: Ask) -> None:
    text = ask("What did Umerov say on social media platform X?").text
    assert "‘real progress achieved.’” [" in text
    assert '"' not in text


def test_who_he_is_stands_in_brackets_and_the_citation_keeps_the_exact_words(ask: Ask) -> None:
    extract = ask("Who dismissed the demilitarised economic zone as unworkable?")
    assert "“He [Zelenskyy] also dismissed" in extract.text
    assert extract.citations[0].quote.startswith("He also dismissed")


def test_a_refusal_shows_the_nearest_passage_as_no_answer(ask: Ask) -> None:
    extract = ask("Which two regions make up the Donbas?")
    assert extract.refused
    assert not extract.citations
    assert re.match(rf"{re.escape(REFUSAL)} The closest passage: .*“.*Donbas.*”$", extract.text)


def test_a_refusal_shows_no_passage_where_nothing_is_near(ask: Ask) -> None:
    assert "closest" not in ask("What is the capital of Mongolia?").text


def test_nobody_is_told_of_by_the_office_of_another(ask: Ask) -> None:
    assert ask("What is Angela Merkel's job?").refused


def test_what_one_side_did_is_not_told_of_the_other(ask: Ask) -> None:
    """Russia launched the 138 drones."""
    assert all("138" not in cited.quote for cited in ask("How many drones did Ukraine launch?").citations)
    assert "138" in ask("How many drones did Russia launch?").citations[0].quote
