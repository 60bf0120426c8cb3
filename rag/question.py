"""What a question asks for, read from its words alone: what it is about, its names, and the kind of answer."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import log
from typing import Literal

from index.lexical import words_of
from index.store import PassageStore
from rag.claims import sayings
from rag.facts import Facts, Name, Number, find_facts, same_spelling, spell
from rag.roles import roles_of

Kind = Literal["duration", "number", "time", "role", "person", "place", "reason", "statement", "other"]

_TIME_UNITS = frozenset({"second", "minute", "hour", "day", "week", "month", "year"})
_UNIT_WORDS = r"(?:seconds|minutes|hours|days|nights|weeks|weekends|months|years|decades)"
_SAYING = (
    r"(?:say|said|saying|tell|told|claim|warn|announce|argue|think|call|describe|respond|react|comment|state|stress|"
    r"write|wrote)"
)
_SAYS = re.compile(rf"\b{_SAYING}(?:ing)?\b", re.IGNORECASE)
_DOES = frozenset({"did", "does", "do", "has", "have", "had", "will", "would"})
# The first that fits counts. The words that fit ask; they are not what the question is about.
_KINDS: tuple[tuple[Kind, str], ...] = (
    ("duration", rf"\bhow long\b(?:.*\b(?:last|take|took|go on)\b)?|\bhow many {_UNIT_WORDS}\b|\bduration\b"
                 r"|\blength of time\b"),
    ("number", r"\bhow (?:many|much|often|far|large|big|old|tall|high|deep|fast)\b"
               r"|\b(?:what|which) (?:percentage|percent|numbers?|share|proportion|amount|price|cost|fraction)\b"),
    ("time", r"\bwhen\b|\b(?:what|which) (?:day|date|year|month|time|century|decade|weekday)\b"),
    ("role", r"\bwhat(?:[’']s| (?:is|was|are|were))\b(?=.*\b(?:job|post|office|title|occupation|profession)\b\W*$)"
             r"|\bwho(?:[’']s| (?:is|was))(?=(?: (?-i:[A-Z])[\w.-]*)+\W*$)"),
    ("person", r"\bwho(?:m|se)?\b"),
    ("place", r"\bwhere\b|\b(?:what|which) (?:city|country|place|town|region|location)\b"),
    ("reason", r"\bwhy\b|\bwhat (?:is|was|were|are) the (?:reason|cause)"),
    ("statement", rf"\b(?:what|how) (?:did|does|do|has|have|had|is|was)\b.*\b{_SAYING}(?:ing)?\b"),
)  # fmt: skip
_ASKED_FOR = re.compile(
    r"\b(?:last|take|took|go on|duration|length|percentage|percent|numbers?|share|proportion|amount|price|cost|"
    r"fraction|often|far|large|big|old|tall|high|deep|fast|day|date|year|month|time|century|decade|weekday|city|country|place|"
    rf"town|region|location|reason|cause|{_SAYING})\b",
    re.IGNORECASE,
)
_ROLE_WORDS = re.compile(r"\b(?:job|post|office|title|occupation|profession)\b", re.IGNORECASE)
_OF_A_WHOLE = re.compile(r"\b(?:what|which) (?:percentage|percent|share|proportion|fraction)\b", re.IGNORECASE)
_TIME_WORDS = re.compile(
    r"\b(?:spring|summer|autumn|winter|yesterday|today|tomorrow|tonight|overnight|morning|afternoon|evening|midnight|"
    r"noon|weekend|last|next|later|earlier|ago|1\d{3}|20\d\d|\d{1,2}:\d\d|\d{1,2} ?[ap]\.?m)\b",
    re.IGNORECASE,
)
_REASON_WORDS = re.compile(
    r"\b(?:because|due to|owing to|thanks to|so that|in order to|reasons?|since|caus\w+|after|amid|fear\w*|to avoid|"
    r"to prevent|as a result|therefore)\b",
    re.IGNORECASE,
)
# Words of a question that ask, rather than tell what it is about; function words are left out by `words_of`.
_ASKING = (
    "explain describe give given happen article mention anything something let long often kind sort type exactly "
    "actually whether might news report reported question answer happening"
)


@dataclass(frozen=True, slots=True)
class Question:
    """A question taken apart.

    Attributes:
        text: as it was asked.
        kind: what kind of thing answers it.
        weights: each word it is about, in one spelling, with the share of the question that it makes: rare words make
            more. They sum to 1, or there are none.
        unknown: those of them that no indexed passage holds.
        facts: its names, numbers and dates.
    """

    text: str
    kind: Kind
    weights: Mapping[str, float]
    unknown: frozenset[str]
    facts: Facts

    def share(self, words: Collection[str]) -> float:
        """How much of the question `words` (in one spelling) hold, from 0 to 1."""
        return sum(weight for word, weight in self.weights.items() if word in words)


@lru_cache(maxsize=1)
def _asking() -> frozenset[str]:
    return frozenset(words_of(_ASKING))


def read_question(text: str, store: PassageStore) -> Question:
    """Take a question apart; how much a word tells comes from how few passages of `store` hold it."""
    kind, subject = _split_kind(text)
    count = store.count()
    weights: dict[str, float] = {}
    unknown: set[str] = set()
    for word, held in store.document_frequency(subject).items():
        if word not in _asking():
            spelled = spell(word)
            weights[spelled] = max(weights.get(spelled, 0.0), log(1 + (count - held + 0.5) / (held + 0.5)))
            if not held:
                unknown.add(spelled)
    whole = sum(weights.values())
    shares = {word: weight / whole for word, weight in weights.items()}
    return Question(text, kind, shares, frozenset(unknown), find_facts(text))


def _split_kind(text: str) -> tuple[Kind, str]:
    """What kind of thing is asked for, and the question without the words that only say so."""
    for kind, pattern in _KINDS:
        if match := re.search(pattern, text, re.IGNORECASE):
            rest = _ROLE_WORDS.sub(" ", text[match.end() :]) if kind == "role" else text[match.end() :]
            return kind, text[: match.start()] + _ASKED_FOR.sub(" ", match.group()) + rest
    return "other", text


def mend_spelling(question: Question, words: Collection[str]) -> Question:
    """Give words that the index does not have the spelling of a word of the passages found, where one is that near."""
    mended = {
        word: near
        for word in question.unknown
        if (near := min((other for other in words if same_spelling(word, other)), default=""))
    }
    weights: dict[str, float] = {}
    for word, weight in question.weights.items():
        spelled = mended.get(word, word)
        weights[spelled] = weights.get(spelled, 0.0) + weight
    return replace(question, weights=weights, unknown=question.unknown - mended.keys())


def missing_names(question: Question) -> list[str]:
    """Names and numbers of the question that no article has, as the question writes them."""
    missing = [
        name.text
        for name in question.facts.names
        if name.certain and {spell(word) for word in words_of(name.text)} <= question.unknown
    ]
    missing += [
        number.text
        for number in question.facts.numbers
        if number.low == number.high and {spell(word) for word in words_of(number.text)} <= question.unknown
    ]
    return list(dict.fromkeys(missing))


def answers_kind(question: Question, sentence: str, *, before: str = "") -> bool:
    """Whether a sentence holds something of the kind asked for that the question itself does not hold.

    Args:
        question: what is asked.
        sentence: what may answer.
        before: the sentence before it, which may say who "he" is.
    """
    facts = find_facts(sentence)
    match question.kind:
        case "duration":
            return any(number.unit in _TIME_UNITS for number in facts.numbers)
        case "number":
            return any(_counts(question, number, facts) for number in facts.numbers)
        case "time":
            return bool(facts.dates or _TIME_WORDS.search(sentence))
        case "role":
            return any(role.offices and names_it(question.facts, role.name) for role in roles_of(facts))
        case "person" | "place":
            return any(not names_it(question.facts, name) for name in facts.names)
        case "reason":
            return bool(_REASON_WORDS.search(sentence))
        case "statement":
            return _says(question, sentence, before)
        case "other":
            return True


def _counts(question: Question, number: Number, facts: Facts) -> bool:
    """Whether a number can be the one asked for: not the question's own, and no part of a name (`Article 5`)."""
    if number.ordinal or number.text in {asked.text for asked in question.facts.numbers}:
        return False
    if _OF_A_WHOLE.search(question.text):
        return number.unit == "percent"
    before = facts.words[number.first - 1] if number.first else None
    return not (before and before.capital and not before.initial)


def _says(question: Question, sentence: str, before: str) -> bool:
    """Whether in `sentence` someone speaks of whom the question asks that; if it names nobody, whether anybody does."""
    asked = {part for name in _speakers_asked_for(question) for part in name.parts}
    whole = find_facts(f"{before} {sentence}".strip())
    last = whole.words[-1].sentence if whole.words else 0
    said = sayings(whole)
    # A sentence that is all quotation goes on with what was said before it.
    speakers = [saying.speaker for saying in said if saying.sentence == last or sentence.startswith(("“", '"'))]
    return any(not asked or any(same_spelling(a, b) for a in asked for b in speaker) for speaker in speakers)


def _speakers_asked_for(question: Question) -> Sequence[Name]:
    """The names before "say"; whom it was said to stands behind. All names, where none stands before it."""
    names, words = question.facts.names, question.facts.words
    if verb := _SAYS.search(question.text):
        return [name for name in names if words[name.last].end <= verb.start()] or names
    return names


def deed_asked_of(question: Question) -> str:
    """Who does what by the question: `Norway launched.` of "How many ships did Norway launch?"; "" where none does."""
    words = question.facts.words
    for name in question.facts.names:
        before = [word.plain for word in words[: name.first]]
        if before[-1:] == ["the"]:
            before.pop()
        if before and before[-1] in _DOES and name.last + 1 < len(words):
            verb = words[name.last + 1]
            ending = "" if verb.plain.endswith("ed") else "d" if verb.plain.endswith("e") else "ed"
            return f"{name.text} {verb.plain}{ending}{question.text[verb.end :].rstrip('? ')}."
    return ""


def names_it(facts: Facts, name: Name) -> bool:
    """Whether a text names someone or something, in any spelling, by any part of the name."""
    parts = {part for other in facts.names for part in other.parts}
    return any(same_spelling(part, other) for part in name.parts for other in parts)
