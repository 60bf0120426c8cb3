"""Citation: a marker of the answer bound to the exact words it rests on; markers <-> passages."""

from dataclasses import dataclass
from typing import Literal

from index.passages import Passage

Support = Literal["supported", "partial", "unsupported"]


@dataclass(frozen=True, slots=True)
class Citation:
    """One marker on one sentence of the answer.

    Attributes:
        marker: the number shown; marker n is the retrieved passage of rank n.
        passage: the passage cited.
        start: first character of the quoted words, in the article's text.
        end: one past their last character.
        quote: the words themselves: `article.text[start:end]`.
        answer_start: first character of the sentence that carries the marker, in the answer's text.
        answer_end: one past the sentence's last character, its markers included.
        support: whether the quoted words say what the sentence says.
    """

    marker: int
    passage: Passage
    start: int
    end: int
    quote: str
    answer_start: int
    answer_end: int
    support: Support
