"""Days named in full are known; what lacks a year, or is no day, is not guessed."""

import pytest

from index.days import days_named


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("published on October 6, 2023, and later", ["2023-10-06"]),
        ("the report of 6 Oct. 2023", ["2023-10-06"]),
        ("on the 6th of October 2023", ["2023-10-06"]),
        ("between 2023-11-24 and December 5th, 2023", ["2023-11-24", "2023-12-05"]),
        ("2023-11-24, then again on November 24, 2023", ["2023-11-24"]),
        ("on 5 December", []),
        ("last Monday in October 2023", []),
        ("February 30, 2023 and 2023-13-01", []),
        ("ticket 12023-11-241", []),
        ("", []),
    ],
)
def test_days_are_read(text: str, expected: list[str]) -> None:
    assert days_named(text) == expected
