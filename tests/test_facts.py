"""Numbers, dates, names and quoted words, in one spelling."""

import pytest

from rag.dates import other_period
from rag.facts import date_says, find_facts, number_says, same_spelling, spell
from rag.reckoning import says_age, says_share, says_sum


@pytest.mark.parametrize(
    ("text", "low", "high", "unit"),
    [
        ("five hours of talks", 5, 5, "hour"),
        ("5 hours of talks", 5, 5, "hour"),
        ("a 5-hour meeting", 5, 5, "hour"),
        ("€90bn of assets", 90e9, 90e9, "EUR"),
        ("90 billion euros of assets", 90e9, 90e9, "EUR"),
        ("EUR 90 billion of assets", 90e9, 90e9, "EUR"),
        ("1.2m people", 1.2e6, 1.2e6, ""),
        ("1,200,000 people", 1.2e6, 1.2e6, ""),
        ("half a million people", 5e5, 5e5, ""),
        ("90 percent of it", 90, 90, "percent"),
        ("90 per cent of it", 90, 90, "percent"),
        ("90% of it", 90, 90, "percent"),
        ("twenty-five men", 25, 25, ""),
        ("two hundred and five men", 205, 205, ""),
        ("a hundred and thirty-eight drones", 138, 138, ""),
        ("over a decade of work", 10, 10, "year"),
        ("hundreds of thousands of families", 200_000, 999_999, ""),
        ("dozens of loans", 24, 119, ""),
        ("2½ hours of talks", 2.5, 2.5, "hour"),
        ("½ million people", 5e5, 5e5, ""),
        ("⅓ of it", 1 / 3, 1 / 3, ""),
    ],
)
def test_a_number_is_read_however_it_is_written(text: str, low: float, high: float, unit: str) -> None:
    (number,) = find_facts(text).numbers
    assert (number.low, number.high, number.unit) == (low, high, unit)


@pytest.mark.parametrize(
    "text", ["One of the cornerstones.", "No one came.", "It began at 10:30.", "They may march on.", "It came first."]
)
def test_words_that_only_look_like_numbers_are_none(text: str) -> None:
    assert not find_facts(text).numbers


@pytest.mark.parametrize(
    ("source", "claim", "says"),
    [
        ("five hours", "5 hours", True),
        ("five hours", "five days", False),
        ("the eighth forum", "the 8th forum", True),
        ("the eighth forum", "8 forums", False),
        ("greater than 1,000,000 households", "over one million households", True),
        ("78.6 billion pounds", "about 80 billion pounds", True),
        ("78.6 billion pounds", "80 billion pounds", False),
        ("about 515 million years", "about 525 million years", False),
        ("less than 40 kilometres", "less than 80 kilometres", False),
        ("more than 40 boats", "less than 40 boats", False),
        ("hundreds of thousands of families", "300,000 families", False),
        ("300,000 families", "hundreds of thousands of families", True),
        ("hundreds of thousands of families", "millions of families", False),
        ("between 5 and 10 hours", "5 hours", True),
        ("Article 5 of the treaty", "5 hours", False),
        ("40 square kilometres", "40 square kilometers", True),
        ("40 square kilometres", "40 square metres", False),
        ("21 million cubic metres", "21 million litres", False),
        ("90 megawatts", "90 kilowatts", False),
    ],
)
def test_a_source_says_a_number_only_as_precisely_as_it_does(source: str, claim: str, says: bool) -> None:
    (wanted,) = find_facts(claim).numbers
    assert any(number_says(number, wanted) for number in find_facts(source).numbers) is says


@pytest.mark.parametrize(
    ("source", "claim", "says"),
    [
        ("on 15 December", "on Dec. 15", True),
        ("on the 15th of December", "on December 15, 2025", True),
        ("on 15 December", "in December", True),
        ("in December", "on 15 December", False),
        ("on 15 December", "on 16 December", False),
        ("on Monday morning", "on Monday", True),
        ("on Sunday", "on Monday", False),
    ],
)
def test_a_date_is_one_in_every_spelling(source: str, claim: str, says: bool) -> None:
    (wanted,) = find_facts(claim).dates
    assert any(date_says(date, wanted) for date in find_facts(source).dates) is says


def test_a_month_that_is_also_a_word_needs_a_sign_that_it_is_one() -> None:
    assert not find_facts("It may rain, and May said so.").dates
    assert [date.month for date in find_facts("It rained in May.").dates] == [5]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Zelensky", "Zelenskyy"),
        ("Zelenskiy", "Zelensky"),
        ("Lugansk", "Luhansk"),
        ("Kiev", "Kyiv"),
        ("Nato", "NATO"),
        ("US", "America"),
        ("Ukrainian", "Ukraine"),
        ("Moscow", "Kremlin"),
        ("Georgian", "Georgia"),
    ],
)
def test_spellings_of_one_name_are_one(one: str, other: str) -> None:
    assert same_spelling(spell(one.lower()), spell(other.lower()))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Austria", "Australia"), ("Iran", "Iraq"), ("Slovakia", "Slovenia"), ("Merz", "Merkel"), ("Niger", "Nigeria"),
        ("Macron", "Meloni"),
    ],
)  # fmt: skip
def test_names_that_are_near_are_not_one(one: str, other: str) -> None:
    assert not same_spelling(spell(one.lower()), spell(other.lower()))


def test_titles_and_countries_are_cut_from_names() -> None:
    names = find_facts(
        "On Monday US President Donald Trump's envoy met Ursula von der Leyen and the U.S. Congress."
    ).names
    assert [name.text for name in names] == ["US", "Donald Trump", "Ursula von der Leyen", "U.S.", "Congress"]


def test_a_capital_at_the_start_is_a_name_only_where_the_word_is_never_common() -> None:
    starts = {name.text: name.certain for name in find_facts("Hungary resists. Strikes were recorded.").names}
    assert starts == {"Hungary": True, "Strikes": False}


def test_a_name_made_of_links_alone_ends() -> None:
    assert find_facts("Van Der La Di went home.").words[-1].text == "home"


@pytest.mark.parametrize("text", ["He said “we will not go there” today.", 'He said "we will not go there" today.'])
def test_quoted_words_are_found_in_any_quotation_marks(text: str) -> None:
    (quoted,) = find_facts(text).quoted
    assert quoted.words == ("we", "will", "not", "go", "there")


@pytest.mark.parametrize(
    ("claim", "source", "other"),
    [
        ("They vote next month.", "They vote later this week.", "next month"),
        ("They voted last week.", "They voted last week.", ""),
        ("They vote this weekend.", "They vote on Saturday.", ""),
    ],
)
def test_a_period_told_from_the_day_of_writing_is_the_sources(claim: str, source: str, other: str) -> None:
    assert other_period(find_facts(claim).words, find_facts(source).words) == other


def test_numbers_that_a_sentence_adds_up_need_not_be_written() -> None:
    numbers = find_facts("two hours on Monday and five hours on Sunday").numbers
    added, claimed = (
        find_facts(text) for text in ("In all they talked for seven hours.", "They talked for seven hours.")
    )
    assert says_sum(numbers, added.numbers[0], added.words)
    assert not says_sum(numbers, claimed.numbers[0], claimed.words)


def test_a_difference_may_be_told_where_it_is_said_to_be_one() -> None:
    numbers = find_facts("They voted by 412 to 377 on Thursday.").numbers
    margin, count = (find_facts(text) for text in ("It passed with a margin of 35 votes.", "It got 35 votes."))
    assert says_sum(numbers, margin.numbers[0], margin.words)
    assert not says_sum(numbers, count.numbers[0], count.words)


@pytest.mark.parametrize(
    ("claim", "source", "same"),
    [
        ("by 20 percent", "Sales fell by a fifth.", True),
        ("by 30 percent", "Sales fell by a fifth.", False),
        ("fewer than a third of the seats", "It holds 48 of the 150 seats.", True),
        ("fewer than a fifth of the seats", "It holds 48 of the 150 seats.", False),
        ("just under three quarters", "The turnout was 74 per cent.", True),
        ("three quarters", "The turnout was 69 per cent.", False),
        ("nearly nine in ten", "Of those voting 88 per cent backed it.", True),
        ("nearly six in ten", "Of those voting 88 per cent backed it.", False),
        ("a third runner", "It holds 50 of the 150 seats.", False),
    ],
)
def test_a_share_may_be_told_in_other_figures(claim: str, source: str, same: bool) -> None:
    told = find_facts(claim)
    assert all(says_share(told, number, find_facts(source)) for number in told.numbers) == same


def test_an_age_may_be_told_in_words() -> None:
    aged, older = (find_facts(text) for text in ("a 22-year-old winner", "a 23-year-old winner"))
    numbers = find_facts("Hanna Tade, 22, won the race.").numbers
    assert says_age(numbers, aged.numbers[0], aged.words)
    assert not says_age(numbers, older.numbers[0], older.words)
