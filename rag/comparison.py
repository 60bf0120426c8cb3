"""Which of two is more: a comparison that the source makes the other way round, or between other numbers."""

from dataclasses import dataclass

from rag.claims import SAYING, Window
from rag.denials import is_negation
from rag.facts import Facts, Number, Word, number_says
from rag.numbers import is_year
from rag.order import count_alike
from rag.words import listed

_MORE = frozenset(
    listed("""more longer higher larger bigger greater later older heavier faster stronger better farther louder deeper
    wider richer warmer hotter dearer harder noisier""")
)
_LESS = frozenset(
    listed("""less fewer shorter lower smaller earlier younger lighter slower weaker worse nearer quieter shallower
    narrower poorer colder cooler cheaper easier""")
)
_REACH_WORDS = 14
_REACH_OF_DENIAL = 9
_GAP_WORDS = 9  # between `more` and `than`


@dataclass(frozen=True, slots=True)
class _Comparison:
    """What stands on either side of `than`; `more` is True where the left side is said to have more."""

    left: frozenset[str]
    right: frozenset[str]
    more: bool
    grade: str


def wrong_comparison(claim: Facts, source: Facts, window: Window) -> str:
    """The fault where the sentence has more what the source has less, in words or by two numbers that it gives."""
    return _turned(claim, source) or _by_numbers(claim, source, window)


def _turned(claim: Facts, source: Facts) -> str:
    theirs = _comparisons(source)
    for ours in _comparisons(claim):
        for other in theirs:
            straight = count_alike(ours.left, other.left) + count_alike(ours.right, other.right)
            crossed = count_alike(ours.left, other.right) + count_alike(ours.right, other.left)
            if straight == crossed:
                continue
            if (ours.more == other.more) != (straight > crossed):
                return f"The passage compares the two the other way round (“{other.grade}”)."
    return ""


def _comparisons(facts: Facts) -> list[_Comparison]:
    """`A is larger than B`, `fewer A than B`, `not as many A as B`; comparisons with a number are none."""
    words, found = facts.words, list[_Comparison]()
    for at, word in enumerate(words):
        beyond = min(len(words), at + _GAP_WORDS)
        equal = word.plain == "as"
        side = word.plain in _MORE or equal
        if not side and word.plain not in _LESS:
            continue
        link = "as" if equal else "than"
        than = next((p for p in range(at + 1, beyond) if words[p].plain == link), 0)
        if not than or words[than].sentence != word.sentence or any(than < n.first <= than + 2 for n in facts.numbers):
            continue
        before = [p for p in range(max(0, at - _REACH_WORDS), at) if words[p].sentence == word.sentence]
        denied = any(is_negation(words[p]) for p in before[-_REACH_OF_DENIAL:])
        if equal and not denied:
            continue
        right = [w for w in words[than + 1 : than + 1 + _REACH_WORDS] if w.sentence == word.sentence]
        end = next((p for p, w in enumerate(right) if w.plain in SAYING | {"but", "according"}), len(right))
        left = [*(words[p] for p in before), *words[at + 1 : than]]
        more = bool(side) != denied
        found.append(_Comparison(_keys(left), _keys(right[:end]), more, facts.text[word.start : words[than].end]))
    return found


def _keys(words: list[Word]) -> frozenset[str]:
    return frozenset(w.stem for w in words if w.content and w.plain not in SAYING | {"one", "ones"})


def _by_numbers(claim: Facts, source: Facts, window: Window) -> str:
    """`Monday's meeting lasted longer than Sunday's`, where the source gives both lengths, and the other is longer."""
    for at, word in enumerate(claim.words):
        side = word.plain in _MORE or (-1 if word.plain in _LESS else 0)
        than = next((p for p in range(at + 1, min(len(claim.words), at + 5)) if claim.words[p].plain == "than"), 0)
        if not side or not than or any(than < n.first <= than + 2 for n in claim.numbers):
            continue
        left = {w.stem for w in claim.words[:at] if w.content and w.sentence == word.sentence}
        right = {w.stem for w in claim.words[than + 1 :] if w.content and w.sentence == word.sentence}
        one = _number_of(source, window, left - right)
        two = _number_of(source, window, right - left)
        if one is None or two is None or one == two or one.unit != two.unit or number_says(one, two):
            continue
        if (one.low > two.low) != (side is True or side == 1):
            return f"The passage says “{one.text}” of the one and “{two.text}” of the other."
    return ""


def _number_of(source: Facts, window: Window, words: set[str]) -> Number | None:
    """The number nearest to one of the words, in the same clause."""
    best: tuple[float, Number] | None = None
    for number in source.numbers:
        sentence = source.words[number.first].sentence
        if number.ordinal or is_year(number) or not window[0] <= sentence <= window[1]:
            continue
        for at, word in enumerate(source.words):
            if word.stem not in words or word.sentence != sentence or number.first <= at <= number.last:
                continue
            distance = _clause_distance(source, number, at)
            if best is None or distance < best[0]:
                best = distance, number
    return best[1] if best else None


def _clause_distance(facts: Facts, fact: Number, place: int) -> float:
    """Words between a fact and a place, more where a comma stands between."""
    first, last = (fact.last, place) if place > fact.last else (place, fact.first)
    between = facts.text[facts.words[first].end : facts.words[last].start]
    return last - first + 6.0 * sum(between.count(sign) for sign in ",;–—")
