import pytest

from index.store import PassageStore
from rag.facts import spell
from rag.question import Kind, answers_kind, deed_asked_of, mend_spelling, missing_names, read_question


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("How long did the strike last?", "duration"),
        ("How many hours did they talk?", "duration"),
        ("How many people were hurt?", "number"),
        ("What percentage of voters agreed?", "number"),
        ("When did the bridge close?", "time"),
        ("On which day did it snow?", "time"),
        ("Who chaired the meeting?", "person"),
        ("Whose idea was it?", "person"),
        ("Who is the mayor?", "person"),
        ("Who is Ines Holt?", "role"),
        ("Who is Holt's deputy?", "person"),
        ("What is Ines Holt's job?", "role"),
        ("What is the role of the mayor?", "other"),
        ("Where did they meet?", "place"),
        ("Why was it closed?", "reason"),
        ("What did Merz say about it?", "statement"),
        ("How did the Kremlin respond?", "statement"),
        ("What is the plan?", "other"),
        ("Ushakov", "other"),
    ],
)
def test_what_kind_of_thing_is_asked_for(seed_store: PassageStore, text: str, kind: Kind) -> None:
    assert read_question(text, seed_store).kind == kind


@pytest.mark.parametrize(
    ("text", "sentence", "fits"),
    [
        ("How long did it take?", "They spoke for five hours on Sunday.", True),
        ("How long did it take?", "They spoke with 5 envoys.", False),
        ("How many drones came?", "Some 138 drones came at night.", True),
        ("How many drones came?", "They spoke of Article 5.", False),
        ("How many of the 20 points are settled?", "They spoke of 20 points.", False),
        ("What share is settled?", "They agreed on 90 percent of it.", True),
        ("What share is settled?", "They agreed on 19 points.", False),
        ("When did it begin?", "It began on Monday.", True),
        ("When did it begin?", "It began with a speech.", False),
        ("Who met Zelensky?", "Zelensky met Steve Witkoff.", True),
        ("Who met Zelensky?", "Zelenskyy met them for hours.", False),
        ("Why was it closed?", "It was closed because of cracks.", True),
        ("Why was it closed?", "It was closed.", False),
        ("What did Merz say?", "Merz said the offer was substantial.", True),
        ("What did Merz say?", "Zelensky said that Merz had come.", False),
        ("What did Merz say to Putin?", "Putin told him that Merz was late.", False),
        ("What did Merz say to Putin?", "Merz told him that Putin was late.", True),
        ("What was said by Merz?", "Merz told them that it was late.", True),
        ("What is the plan?", "Anything at all.", True),
    ],
)
def test_a_sentence_has_what_is_asked_for_or_not(
    seed_store: PassageStore, text: str, sentence: str, fits: bool
) -> None:
    assert answers_kind(read_question(text, seed_store), sentence) is fits


def test_a_pronoun_speaks_for_who_was_named_before(seed_store: PassageStore) -> None:
    question = read_question("What did Merz say?", seed_store)
    assert answers_kind(question, "He said it was late.", before="Merz said the offer was substantial.")
    assert not answers_kind(question, "He said it was late.", before="Macron said the offer was substantial.")


def test_rare_words_make_more_of_a_question(seed_store: PassageStore) -> None:
    weights = read_question("Was Stuttgart part of the Ukraine talks?", seed_store).weights
    assert weights[spell("stuttgart")] > weights[spell("talk")]
    assert sum(weights.values()) == pytest.approx(1.0)


def test_words_that_only_ask_have_no_weight(seed_store: PassageStore) -> None:
    assert set(read_question("How long did the talks last?", seed_store).weights) == {spell("talk")}
    assert read_question("What happened?", seed_store).weights == {}


def test_names_that_no_article_has_are_missing(seed_store: PassageStore) -> None:
    question = read_question("Did Elon Musk meet Friedrich Merz in 1987?", seed_store)
    assert missing_names(question) == ["Elon Musk", "1987"]


def test_a_misspelt_word_is_taken_for_its_neighbour(seed_store: PassageStore) -> None:
    question = read_question("Who is Grynkevitch?", seed_store)
    assert question.unknown
    mended = mend_spelling(question, {spell("grynkewich"), "talk"})
    assert not mended.unknown
    assert missing_names(mended) == []
    assert mended.share({spell("grynkewich")}) == 1


@pytest.mark.parametrize(
    ("text", "deed"),
    [
        ("How many ships did Norway launch?", "Norway launched."),
        ("Why has the Louvre closed the gallery?", "Louvre closed the gallery."),
        ("How long did the talks last?", ""),
        ("Who is Dmitry Peskov?", ""),
        ("did Norway", ""),
    ],
)
def test_who_does_what_is_read_from_a_question(seed_store: PassageStore, text: str, deed: str) -> None:
    assert deed_asked_of(read_question(text, seed_store)) == deed
