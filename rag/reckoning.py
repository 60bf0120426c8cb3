"""Numbers that a source carries without writing them: a pair, a share, an age, a sum."""

from collections.abc import Iterator
from itertools import combinations, pairwise

from rag.facts import Facts
from rag.numbers import Number, is_year
from rag.words import Word, listed, stem

# `the two`, and the two that every story has: they point at whom the text names and count nobody.
_POINTING = {"the", "these", "those", "its", "their", "his", "her", "our", "other"}
_SIDES = {stem(word) for word in listed("side party country nation neighbour team camp delegation capital")}
_PAIR_WORDS = {"both", "pair", "couple", "duo", "twin", "twins"}
_ADDING = {"all", "total", "altogether", "together", "combined", "overall"}
_PARTING = {"margin", "difference", "majority", "lead", "gap"}
_PARTS = {"half": 1 / 2, "third": 1 / 3, "quarter": 1 / 4, "fifth": 1 / 5, "tenth": 1 / 10}
_BEFORE_PART = frozenset(listed("a one by about nearly almost over"))
# How far a share may be from the one it stands for: as it is, and where the sentence only says `nearly`.
_EXACTLY, _ROUGHLY = 0.005, 0.04
_ROUGH = frozenset(listed("about around nearly almost roughly under over than some"))
_MOST_WORDS_BETWEEN = 3


def says_pair(words: tuple[Word, ...], numbers: tuple[Number, ...], claim: Number, claimed: tuple[Word, ...]) -> bool:
    """Whether a source carries a claimed `two` without the number: it says `both`, or the claim only points at a pair.

    Not where the source counts the same things otherwise: `two officers` of `three officers`.

    Args:
        words: the source's.
        numbers: the source's.
        claim: a number of the claim.
        claimed: the claim's words.
    """
    if not claim.low == claim.high == 2 or claim.unit or claim.ordinal or claim.bound:
        return False
    if any(not number.unit and set(number.noun) & set(claim.noun) for number in numbers):
        return False
    points = claim.first > 0 and claimed[claim.first - 1].plain in _POINTING
    twice = any(word.plain == "twice" and after.plain not in {"as", "the"} for word, after in pairwise(words))
    return points or twice or bool(_SIDES & set(claim.noun)) or any(word.plain in _PAIR_WORDS for word in words)


def says_share(claim: Facts, number: Number, source: Facts) -> bool:
    """Whether a source tells the share that a number is or is part of: `a fifth`, `20 percent`, `2 of the 10`."""
    rough = any(word.plain in _ROUGH for word in claim.words[max(0, number.first - 3) : number.first])
    told = [share for share, numbers in _shares(claim) if number in numbers]
    return any(
        abs(share - other) <= (_ROUGHLY if rough else _EXACTLY) for share in told for other, _ in _shares(source)
    )


def _shares(facts: Facts) -> Iterator[tuple[float, tuple[Number, ...]]]:
    """The shares that a text tells, from 0 to 1, each with the numbers that it is made of."""
    for number in facts.numbers:
        before = facts.words[number.first - 1].plain if number.first else ""
        after = [word.plain for word in facts.words[number.last + 1 : number.last + 2]]
        if number.unit == "percent" and number.low == number.high:
            yield number.low / 100, (number,)
        elif number.ordinal and number.text in _PARTS and before in {"a", "one"} and after in ([], ["of"]):
            yield _PARTS[number.text], (number,)
        elif after and after[0].removesuffix("s") in _PARTS:
            yield number.low * _PARTS[after[0].removesuffix("s")], (number,)
    for before_, word in pairwise(facts.words):
        if word.plain == "half" or (word.plain in _PARTS and before_.plain in _BEFORE_PART):
            yield _PARTS[word.plain], ()
    for part, whole in pairwise(facts.numbers):
        between = [word.plain for word in facts.words[part.last + 1 : whole.first]]
        if between[:1] in (["of"], ["in"], ["out"]) and len(between) <= _MOST_WORDS_BETWEEN and part.low < whole.low:
            yield part.low / whole.low, (part, whole)


def says_age(numbers: tuple[Number, ...], claim: Number, claimed: tuple[Word, ...]) -> bool:
    """Whether a source carries a claimed age: `22-year-old` of `Tadele, 22,`."""
    old = claim.unit == "year" and claim.last + 1 < len(claimed) and claimed[claim.last + 1].plain == "old"
    return old and any(not n.unit and not n.noun and n.low == n.high == claim.low for n in numbers)


def says_sum(numbers: tuple[Number, ...], claim: Number, claimed: tuple[Word, ...]) -> bool:
    """Whether a claim that adds up (`in all`, `a total of`) gives the sum of two numbers of one unit or noun.

    Or their difference, where it says so: `by a margin of 35 votes`.
    """
    plains = {word.plain for word in claimed}
    if claim.low != claim.high or not plains & (_ADDING | _PARTING):
        return False
    if plains & _PARTING and any(
        one.unit == other.unit == "" and abs(abs(one.low - other.low) - claim.low) < 1e-6
        for one, other in combinations(numbers, 2)
        if one.low == one.high and other.low == other.high and not (is_year(one) or is_year(other))
    ):
        return True
    return bool(plains & _ADDING) and any(
        one.unit == other.unit == claim.unit
        and (bool(claim.unit) or bool(set(one.noun) & set(other.noun) & set(claim.noun)))
        and one.low == one.high
        and other.low == other.high
        and abs(one.low + other.low - claim.low) <= (0.05 * claim.low if claim.bound == "about" else 1e-6)
        for one, other in combinations(numbers, 2)
    )
