from datetime import date

import pytest

from rag.relative_days import days_meant

WEDNESDAY = date(2025, 12, 17)
CURRENT = ["2025-12-08", "2025-12-12", "2025-12-15", "2025-12-16", "2025-12-17"]


@pytest.mark.parametrize(
    ("question", "meant"),
    [
        ("What happened yesterday in Kyiv?", ("2025-12-16", "2025-12-17")),
        ("What was announced today?", ("2025-12-17",)),
        ("Who spoke on Monday?", ("2025-12-15", "2025-12-16")),
        ("How long were Monday's talks?", ("2025-12-15", "2025-12-16")),
        ("Who resigned last week?", ("2025-12-08", "2025-12-12")),
        ("What did they agree this week?", ("2025-12-15", "2025-12-16", "2025-12-17")),
    ],
)
def test_where_the_articles_are_of_today_it_is_the_readers_day(question: str, meant: tuple[str, ...]) -> None:
    assert days_meant(question, CURRENT, today=WEDNESDAY) == meant


@pytest.mark.parametrize(
    "question",
    [
        "Who spoke at the talks?",
        "Who will speak on Monday?",
        "Is there a vote on Monday?",
        "Who spoke on Wednesday?",  # this one, or a week ago
        "What has changed since Monday?",
        "What happened last Monday?",
        "Who speaks every Monday?",
        "Where do they meet on Mondays?",
        "Did they meet on Monday or on Tuesday?",
        "Who spoke on Monday, 8 December 2025?",
        "What happened on Saturday?",  # of which, and of the day after, there is no article
        "",
    ],
)
def test_what_is_not_certain_means_no_day(question: str) -> None:
    assert days_meant(question, CURRENT, today=WEDNESDAY) == ()


@pytest.mark.parametrize("sunday", [date(2025, 12, 14), date(2025, 12, 21)])
def test_on_a_sunday_nobody_knows_where_a_week_ends(sunday: date) -> None:
    published = [sunday.isoformat(), "2025-12-10", "2025-12-16"][: 2 if sunday.day == 14 else 3]
    assert days_meant("Who resigned last week?", published, today=sunday) == ()


def test_of_old_articles_a_word_counts_if_it_means_the_same_day_from_each() -> None:
    later = date(2026, 11, 24)
    assert days_meant("Who spoke on Monday?", ["2025-12-15", "2025-12-16"], today=later) == ("2025-12-15", "2025-12-16")
    assert days_meant("Who spoke on Monday?", ["2025-12-14", "2025-12-15"], today=later) == ()
    assert days_meant("What happened yesterday?", ["2025-12-15", "2025-12-16"], today=later) == ()
    assert days_meant("What happened today?", ["2025-12-15", "2025-12-15"], today=later) == ("2025-12-15",)


def test_an_old_article_without_a_day_leaves_nothing_certain() -> None:
    assert days_meant("Who spoke on Monday?", ["2025-12-15", None], today=date(2026, 11, 24)) == ()


@pytest.mark.parametrize("published", [[], [None], ["someday"]])
def test_without_a_known_day_nothing_is_meant(published: list[str | None]) -> None:
    assert days_meant("Who spoke on Monday?", published, today=WEDNESDAY) == ()
