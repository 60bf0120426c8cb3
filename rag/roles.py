"""Roles: which office or nation a text gives to whom: `Italy's prime minister, Carla Bindi`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.facts import FUNCTION_WORDS, Facts, Name, same_spelling
from rag.names import nation_of
from rag.words import Word, listed

_PLAIN_OFFICES = frozenset(
    listed("""president minister chancellor premier mayor governor king queen pope chair head director coach
    spokesman leader ambassador envoy chief secretary commissioner judge boss captain""")
)
_SAME_OFFICE = {
    "chairman": "chair", "chairwoman": "chair", "chairperson": "chair", "spokeswoman": "spokesman", "boss": "chief",
    "spokesperson": "spokesman", "chairs": "chair", "heads": "head", "leads": "leader", "runs": "head",
    "governs": "governor", "coaches": "coach", "directs": "director",
}  # fmt: skip
# Nobody is two of these for one text.
_EXCLUSIVE = frozenset(listed("president premier chancellor mayor governor king queen pope"))
_MINISTRIES = frozenset(
    listed("foreign defence defense finance interior transport justice health economy energy education environment")
)
# One who leads may be told of by any of these words.
_LEADING = frozenset(listed("head leader chair chief director"))
_NO_LONGER = frozenset({"former", "ex", "then", "vice", "deputy", "late", "future", "acting"})
_REACH_WORDS = 5


@dataclass(frozen=True, slots=True)
class Role:
    """What a text calls someone: offices in one spelling, and the nations named with them."""

    name: Name
    offices: frozenset[str]
    nations: frozenset[str]
    text: str


def offices_in(words: Sequence[Word]) -> frozenset[str]:
    """The offices named in a phrase, in one spelling; none where it is a former or deputy one."""
    if any(word.plain in _NO_LONGER for word in words):
        return frozenset()
    found = set[str]()
    for at, word in enumerate(words):
        office = _SAME_OFFICE.get(word.plain, word.plain)
        if office not in _PLAIN_OFFICES:
            continue
        before = words[at - 1].plain if at else ""
        if office == "minister":
            office = "premier" if before == "prime" else f"{before} minister" if before in _MINISTRIES else office
        found.add(office.replace("defense", "defence"))
    return frozenset(found)


def nations_in(words: Sequence[Word]) -> frozenset[str]:
    """The nations named in a phrase, in one spelling."""
    return frozenset(nation for word in words if word.capital and (nation := nation_of(word.plain)))


def roles_of(facts: Facts) -> list[Role]:
    """The roles that a text gives to those it names, in order."""
    found = []
    for name in facts.names:
        phrases = [_before(facts, name), _after(facts, name)] if name.certain else []
        words = [word for phrase in phrases for word in phrase]
        offices, nations = offices_in(words), nations_in(words)
        if offices or nations:
            text = facts.text[min(w.start for w in words) : max(w.end for w in words)]
            found.append(Role(name, offices, nations, text))
    return found


def _before(facts: Facts, name: Name) -> list[Word]:
    """`Italy's prime minister, [Carla Bindi]`, `French President [Luc Moreau]`, `Italy's [Bindi]`."""
    words, found, apposed = facts.words, list[Word](), False
    for at in range(name.first - 1, max(-1, name.first - 1 - _REACH_WORDS), -1):
        gap = facts.text[words[at].end : words[at + 1].start].strip()
        if words[at].sentence != words[name.first].sentence or (gap and (found or gap != ",")):
            break
        apposed |= gap == ","
        if words[at].plain in FUNCTION_WORDS and not (found and words[at].plain in {"of", "the"}):
            break
        found.insert(0, words[at])
    if not found:
        return []
    held = bool(offices_in(found if apposed else found[-1:])) or (not apposed and found[-1].plain == "general")
    return found if held or (not apposed and nation_of(found[-1].plain) and found[-1].capital) else []


def _after(facts: Facts, name: Name) -> list[Word]:
    """`[Pavel Ansem], the deputy chair of the union`, `[Ines Holt], who runs Nordline`."""
    words, found = facts.words, list[Word]()
    for at in range(name.last + 1, min(len(words), name.last + 1 + _REACH_WORDS)):
        gap = facts.text[words[at - 1].end : words[at].start].strip()
        if words[at].sentence != words[name.last].sentence or gap != ("," if at == name.last + 1 else ""):
            break
        opens = at == name.last + 1
        if words[at].plain in FUNCTION_WORDS - {"the", "a", "an", "of", "who", "is"}:
            break
        if opens and words[at].plain not in {"the", "a", "an", "who"} and not offices_in(words[at : at + 3]):
            break
        found.append(words[at])
    if not offices_in(found):
        return []
    return found


def holders(phrase: Sequence[Word], roles: Sequence[Role]) -> frozenset[str]:
    """The words that name whoever holds the office that a phrase names: `the union's chair` -> dora, kesk."""
    offices, nations = offices_in(phrase), nations_in(phrase)
    return frozenset(
        part
        for role in roles
        if _share_office(offices, role.offices) and not (nations and role.nations and not nations & role.nations)
        for part in role.name.parts
    )


def _share_office(one: frozenset[str], other: frozenset[str]) -> bool:
    if one & other or (one & _LEADING and other & _LEADING):
        return True
    ministers = [{office for office in offices if "minister" in office} for offices in (one, other)]
    return all(ministers) and any("minister" in each for each in ministers)


def wrong_role(claim: Facts, source: Facts) -> str:
    """The fault where the sentence gives someone an office or nation that in the source is another's, or not theirs."""
    theirs = roles_of(source)
    for role in roles_of(claim):
        own = [other for other in theirs if same_spelling(other.name.parts[-1], role.name.parts[-1])]
        office = _exclusive(role.offices)
        held = frozenset(office for other in own for office in _exclusive(other.offices))
        nations = frozenset(nation for other in own for nation in other.nations)
        if office and held and not _share_office(office, held):
            return f"The passage calls {own[0].name.text} “{own[0].text}”, not “{role.text}”."
        if role.nations and nations and not role.nations & nations:
            return f"The passage calls {own[0].name.text} “{own[0].text}”, not “{role.text}”."
        if held or not office or not role.nations:
            continue
        for other in theirs:
            if other not in own and _share_office(office, _exclusive(other.offices)) and role.nations & other.nations:
                return f"In the passage it is {other.name.text} who is “{other.text}”, not {role.name.text}."
    return ""


def _exclusive(offices: frozenset[str]) -> frozenset[str]:
    return frozenset(office for office in offices if office in _EXCLUSIVE or re.search(r"\bminister$", office))
