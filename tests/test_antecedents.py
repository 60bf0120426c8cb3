import pytest

from rag.antecedents import name_pronoun

NAMED = [
    ("Mayor Ines Holt opened the bridge.", "He said it was late.", "He [Ines Holt] said it was late."),
    ("“It is late,” Holt said, pointing at the clock.", "She left at nine.", "She [Holt] left at nine."),
    ("Holt rejected President Vadim Orr’s demand.", "He also left.", "He [Holt] also left."),
]
UNCERTAIN = [
    ("Mayor Ines Holt met Governor Carl Benn.", "He said it was late."),
    ("The bridge was opened on Monday.", "He said it was late."),
    ("Berlin said the talks went on.", "He said it was late."),
    ("“It is late,” she said.", "He left at nine."),
    ("Holt spoke on Monday.", "“He told me about the rain,” said Benn."),
    ("Holt spoke on Monday.", "Heavy rain fell."),
]


@pytest.mark.parametrize(("before", "sentence", "told"), NAMED)
def test_a_pronoun_at_the_start_gets_the_name_it_can_only_mean(before: str, sentence: str, told: str) -> None:
    assert name_pronoun(sentence, [before]) == told


@pytest.mark.parametrize(("before", "sentence"), UNCERTAIN)
def test_a_sentence_stays_as_it_is_where_somebody_else_may_be_meant(before: str, sentence: str) -> None:
    assert name_pronoun(sentence, [before]) == sentence


def test_sentences_that_begin_with_the_same_pronoun_are_looked_past() -> None:
    before = ["Mayor Ines Holt opened the bridge.", "She said it was late.", "She went home."]
    assert name_pronoun("She came back on Monday.", before) == "She [Ines Holt] came back on Monday."


def test_the_first_sentence_of_an_article_has_nobody_to_mean() -> None:
    assert name_pronoun("He said it was late.", []) == "He said it was late."
