"""Coverage: who else reports what an answer says, and who differs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DifferingValue:
    """What one article says where others say otherwise; `start` and `end` as in a citation."""

    value: str
    article_id: str
    title: str
    source: str | None
    passage_id: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One subject on which articles give different values."""

    subject: str
    values: tuple[DifferingValue, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Who stands behind an answer.

    Attributes:
        origins: independent reports among the articles cited and those that say the same; copies count once.
        also_reported_by: ids of articles not cited that say the same.
        differences: where articles give different values.
    """

    origins: int
    also_reported_by: tuple[str, ...]
    differences: tuple[Difference, ...]
