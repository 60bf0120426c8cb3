import pytest

from eval.matching import mentions, normalise


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Five hours", "5 hour"),
        ("a five‑hour meeting [1][2].", "a 5 hour meeting"),
        ("**5 hrs**", "5 hour"),
        ("5h", "5 hour"),
        ("two hundred and thirty-five drones", "235 drone"),
        ("235 drones", "235 drone"),
        ("1,000,000 households", "1000000 household"),
        ("1 million households", "1000000 household"),
        ("one million households", "1000000 household"),
        ("a million households", "1000000 household"),
        ("1m households", "1000000 household"),
        ("1.000.000 households", "1000000 household"),
        ("1\u202f000\u202f000 households", "1000000 household"),
        ("half a million", "500000"),
        ("1.5 million", "1500000"),
        ("two and a half hours", "2.5 hour"),
        ("hundreds of thousands of families", "hundred of thousand of family"),
        ("€90bn", "90000000000 euro"),
        ("90 billion euros", "90000000000 euro"),
        ("EUR 90 billion", "90000000000 euro"),
        ("ninety billion euro", "90000000000 euro"),
        ("(£78.6bn)", "78600000000 pound"),
        ("78,6 mrd", "78600000000"),
        ("US$5 million", "5000000 dollar"),
        ("5 million U.S. dollars", "5000000 dollar"),
        ('"90 percent"', "90 percent"),
        ("90%", "90 percent"),
        ("ninety per cent", "90 percent"),
        ("December 15, 2025", "15 december 2025"),
        ("the 15th of December 2025", "the 15 december 2025"),
        ("Dec. 15", "15 december"),
        ("15 Dec", "15 december"),
        ("2025-12-15", "15 december 2025"),
        ("fourth winter", "4th winter"),
        ("the 8th forum", "the 8th forum"),
        ("the eighth forum", "the 8th forum"),
        ("twenty-first", "21th"),
        ("a 30-second clip", "a 30 second clip"),
        ("20-point plan", "20 point plan"),
        ("twenty-point plan", "20 point plan"),
        ("U.S. envoy", "us envoy"),
        ("the U.S.", "the us"),
        ("Ukraine’s", "ukraine"),
        ("leaders' talks", "leader talk"),
        ("didn’t agree", "did not agree"),
        ("can't / cannot / won't", "can not can not will not"),
        ("Übereinkunft", "ubereinkunft"),
        ("-5 degrees", "minus 5 degree"),
        ("14:00", "14:00"),
        ("two, five", "2 5"),
        ("", ""),
        ("[1]", ""),
        ("【2†source】 no", "no"),
    ],
)
def test_text_is_brought_to_one_form(text: str, form: str) -> None:
    assert normalise(text) == form


@pytest.mark.parametrize("text", ["Five hours.", "€90bn on Dec. 15", "twenty-one", "hundreds of thousands", "U.S. 8th"])
def test_normalising_twice_changes_nothing_that_matters(text: str) -> None:
    assert mentions(normalise(text), text)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("They spoke for five hours [1].", "5 hours"),
        ("A five-hour session", "five hours"),
        ("A loan of €90bn (£78.6bn) [2]", "90 billion euros"),
        ("more than 1,000,000 households", "a million"),
        ("Zelensky’s envoy", "Zelensky"),
        ("on 15 December", "December 15"),
        ("It was “real progress,” he said", "real progress"),
        ("Article Five guarantees", "Article 5 guarantee"),
        ("Rustém Umérov", "Rustem Umerov"),
        ("泽连斯基会谈五小时", "五小时"),
        ("Переговоры длились 5 часов", "5 часов"),
        ("no, he did not", "didn't"),
    ],
)
def test_phrase_is_found_in_other_writing(text: str, phrase: str) -> None:
    assert mentions(text, phrase)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("15 drones", "5 drones"),
        ("in 2025", "5"),
        ("5.5 hours", "5 hours"),
        ("fifty hours", "5 hours"),
        ("five hundred hours", "five hours"),
        ("€9bn", "€90bn"),
        ("90 million euros", "90 billion euros"),
        ("£90bn", "€90bn"),
        ("138,000 drones", "138 drones"),
        ("hundreds of thousands", "100,000"),
        ("no talks [5]", "5"),
        ("Zelenskyy", "Zelensky"),
        ("15 November", "15 December"),
        ("the fourteenth", "14"),
        ("on the agenda", "no"),
        ("anything", ""),
        ("anything", "[1]"),
        ("-5 degrees", "-15 degrees"),
    ],
)
def test_phrase_is_not_found_in_something_else(text: str, phrase: str) -> None:
    assert not mentions(text, phrase)
