"""Whom "he" or "she" at the start of a quoted sentence means, where the sentences before it leave no doubt."""

import re
from collections.abc import Sequence

from rag.claims import sayings
from rag.facts import TITLES, Facts, Name, find_facts
from rag.names import nation_of

# Not behind a quotation mark: whom a speaker means by "he" is told by what was spoken of.
_OPENS = re.compile(r"(He|She)\b")
_OWNER = re.compile(r"['’]s?$")
# Sentences looked back over while they begin with the same word.
_FURTHEST = 4


def name_pronoun(sentence: str, before: Sequence[str]) -> str:
    """`sentence` with a name in brackets behind the "He" or "She" that opens it: `He [Merz] said so.`

    It stays as it is where no name is certain: the sentence before must begin with the name or have that one name
    speak, and name nobody else who may be meant.

    Args:
        sentence: one of an article.
        before: those before it in the article, in order.
    """
    opening = _OPENS.match(sentence)
    if not opening:
        return sentence
    for earlier in reversed(before[-_FURTHEST:]):
        again = _OPENS.match(earlier)
        if again and again[1] == opening[1]:
            continue  # whoever that one is, it is the same
        name = _subject(find_facts(earlier))
        return f"{sentence[: opening.end()]} [{name}]{sentence[opening.end() :]}" if name else sentence
    return sentence


def _subject(facts: Facts) -> str:
    people = [name for name in facts.names if _may_be_person(facts, name)]
    first = people[0] if people and _opens(facts, people[0]) else None
    speakers = {saying.text for saying in sayings(facts) if saying.named}
    spoken = [name for name in people if any(name.text in speaker for speaker in speakers)]
    chosen = spoken[0] if len(speakers) == 1 and spoken else first
    if chosen is None or (first and chosen.parts[-1] != first.parts[-1]):
        return ""
    others = [name for name in people if name.parts[-1] != chosen.parts[-1] and not _owns(facts, name)]
    return "" if others or (speakers and not spoken) else chosen.text


def _may_be_person(facts: Facts, name: Name) -> bool:
    """Whether a name can be somebody's: no nation, no seat of government, no acronym, no house."""
    if not name.certain or name.text.isupper() or any(nation_of(part) for part in name.parts):
        return False
    titled = name.first > 0 and facts.words[name.first - 1].plain in TITLES
    placed = name.first > 0 and facts.words[name.first - 1].plain in {"in", "at", "on", "from", "near", "of", "the"}
    return titled or not placed


def _owns(facts: Facts, name: Name) -> bool:
    return bool(_OWNER.search(facts.words[name.last].text))


def _opens(facts: Facts, name: Name) -> bool:
    """Whether a sentence begins with a name, titles and nations before it left out."""
    lead = facts.words[: name.first]
    return not _owns(facts, name) and all(
        word.plain in TITLES or nation_of(word.plain) or word.plain in {"the", "and"} for word in lead
    )
