"""Roles: which office, nation or house a text gives to whom: `Italy's prime minister, Carla Bindi`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from index.sentences import seen_in_lower_case
from rag.facts import FUNCTION_WORDS, TITLES, Facts, Name, same_spelling, spell
from rag.names import nation_of
from rag.thesaurus import family
from rag.words import Word, listed

_OFFICES = frozenset(
    listed("""president minister chancellor premier mayor governor king queen pope chair head director coach
    spokesman leader ambassador envoy chief secretary commissioner judge boss captain adviser commander negotiator
    delegate lawyer prosecutor senator lawmaker councillor candidate editor manager owner founder economist analyst
    engineer architect professor scientist doctor surgeon nurse teacher farmer driver pilot general colonel sergeant
    inspector detective treasurer curator conductor referee striker goalkeeper son daughter brother sister wife husband
    father mother uncle aunt nephew niece cousin widow officer warden planner skipper brewer crofter librarian
    auditor geologist historian archaeologist astronomer specialist organiser organizer pharmacist carpenter
    technician intendant shopkeeper inspector researcher biologist veterinarian student pensioner""")
)
_SAME_OFFICE = {
    "chairman": "chair", "chairwoman": "chair", "chairperson": "chair", "spokeswoman": "spokesman", "boss": "chief",
    "spokesperson": "spokesman", "chairs": "chair", "heads": "head", "leads": "leader", "runs": "head",
    "governs": "governor", "coaches": "coach", "directs": "director", "advisor": "adviser", "headed": "head",
    "led": "leader", "chaired": "chair", "councilwoman": "councillor", "councilman": "councillor",
    "attorney": "lawyer", "owns": "owner", "manages": "manager", "founded": "founder",
}  # fmt: skip
# Nobody is two of these for one text.
_EXCLUSIVE = frozenset(listed("president premier chancellor mayor governor king queen pope"))
_MINISTRIES = frozenset(
    listed("""foreign defence defense finance interior transport justice health economy energy education environment
    culture agriculture labour trade""")
)
# One who leads may be told of by any of these words.
_LEADING = frozenset(listed("head leader chair chief director boss manager"))
# Who was or stands in for an office does not hold it.
_QUALIFIED = {"former": "former", "ex": "former", "vice": "deputy", "deputy": "deputy", "acting": "acting"}
_REACH_WORDS = 6


@dataclass(frozen=True, slots=True)
class Role:
    """What a text calls someone: offices in one spelling, and the nations and other names that stand with them."""

    name: Name
    offices: frozenset[str]
    nations: frozenset[str]
    houses: frozenset[str]
    text: str


def offices_in(words: Sequence[Word]) -> frozenset[str]:
    """The offices named in a phrase, in one spelling; `deputy mayor` and `former mayor` are not `mayor`."""
    qualified = next((_QUALIFIED[word.plain] for word in words if word.plain in _QUALIFIED), "")
    found = set[str]()
    for at, word in enumerate(words):
        office = _SAME_OFFICE.get(word.plain, word.plain)
        if office not in _OFFICES:
            continue
        before = words[at - 1].plain if at else ""
        if office == "general" and before in {"secretary", "attorney", "director"}:
            continue
        if office == "minister":
            office = "premier" if before == "prime" else f"{before} minister" if before in _MINISTRIES else office
        office = office.replace("defense", "defence")
        found.add(f"{qualified} {office}" if qualified else office)
    return frozenset(found)


def nations_in(words: Sequence[Word]) -> frozenset[str]:
    """The nations named in a phrase, in one spelling."""
    return frozenset(nation for word in words if word.capital and (nation := nation_of(word.plain)))


def _houses_in(words: Sequence[Word]) -> frozenset[str]:
    """The other names in a phrase: whose envoy, of which party."""
    return frozenset(
        spell(word.plain)
        for word in words
        if word.capital
        and not (word.initial and seen_in_lower_case(word.plain))
        and not nation_of(word.plain)
        and word.plain not in TITLES | _OFFICES | FUNCTION_WORDS | _MINISTRIES
    )


def roles_of(facts: Facts) -> list[Role]:
    """The roles that a text gives to those it names, in order."""
    found = []
    for name in facts.names:
        if not name.certain or (len(name.parts) == 1 and nation_of(facts.words[name.first].plain)):
            continue
        words = [*_before(facts, name), *_after(facts, name)]
        offices, nations = offices_in(words), nations_in(words)
        if offices or nations:
            text = facts.text[min(w.start for w in words) : max(w.end for w in words)]
            found.append(Role(name, offices, nations, _houses_in(words), text))
    return found


def _before(facts: Facts, name: Name) -> list[Word]:
    """`Italy's prime minister, [Carla Bindi]`, `French President [Luc Moreau]`, `Italy's [Bindi]`."""
    words, found, apposed = facts.words, list[Word](), False
    named = {at for other in facts.names if _is_person(facts, other) for at in range(other.first, other.last + 1)}
    for at in range(name.first - 1, max(-1, name.first - 1 - _REACH_WORDS), -1):
        gap = facts.text[words[at].end : words[at + 1].start].strip()
        if words[at].sentence != words[name.first].sentence or (gap and (found or gap != ",")):
            break
        apposed |= gap == ","
        owner = words[at].text.endswith(("'s", "’s"))
        if at in named and not owner:
            break
        if words[at].plain in FUNCTION_WORDS and not (found and words[at].plain in {"of", "the"}):
            break
        if found and words[at].plain.endswith("ing") and not words[at].capital:
            break  # `including French President`
        found.insert(0, words[at])
    if not found:
        return []
    held = bool(offices_in(found if apposed else found[-1:])) or (not apposed and found[-1].plain == "general")
    return found if held or (not apposed and nation_of(found[-1].plain) and found[-1].capital) else []


def _is_person(facts: Facts, name: Name) -> bool:
    """Whether a name may be someone's: two words, or one after a title."""
    return name.certain and (len(name.parts) > 1 or (name.first > 0 and facts.words[name.first - 1].plain in TITLES))


def _after(facts: Facts, name: Name) -> list[Word]:
    """`[Pavel Ansem], the deputy chair of the union`, `[Ines Holt], who runs Nordline`."""
    words, found = facts.words, list[Word]()
    for at in range(name.last + 1, min(len(words), name.last + 1 + _REACH_WORDS)):
        gap = facts.text[words[at - 1].end : words[at].start].strip()
        if words[at].sentence != words[name.last].sentence or gap != ("," if at == name.last + 1 else ""):
            break
        opens = at == name.last + 1
        if words[at].plain in FUNCTION_WORDS - {"the", "a", "an", "of", "who", "is", "his", "her", "their", "its"}:
            break
        if (
            opens
            and words[at].plain not in {"the", "a", "an", "who", "his", "her"}
            and not offices_in(words[at : at + 3])
        ):
            break
        if words[at].capital and found and offices_in(found[-1:]):
            return []  # `[Keir Starmer], French President Emmanuel Macron`: the next one's office
        found.append(words[at])
    return found if offices_in(found) else []


def holders(phrase: Sequence[Word], roles: Sequence[Role]) -> frozenset[str]:
    """The words that name whoever holds the office that a phrase names: `the union's chair` -> dora, kesk."""
    offices, nations = offices_in(phrase), nations_in(phrase)
    return frozenset(
        part
        for role in roles
        if share_office(offices, role.offices) and not (nations and role.nations and not nations & role.nations)
        for part in role.name.parts
    )


def share_office(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two sets of offices have one in common, by any of its words."""
    if one & other or (one & _LEADING and other & _LEADING):
        return True
    ministers = [{office for office in offices if "minister" in office} for offices in (one, other)]
    return all(ministers) and any("minister" in each for each in ministers)


def wrong_role(claim: Facts, source: Facts) -> str:
    """The fault where the sentence gives someone an office or nation that in the source is another's, or not theirs."""
    theirs = roles_of(source)
    for role in roles_of(claim):
        own = [other for other in theirs if same_spelling(other.name.parts[-1], role.name.parts[-1])]
        fault = _not_theirs(role, own, source) if own else ""
        if fault:
            return fault
        office = _exclusive(role.offices)
        if any(_exclusive(other.offices) for other in own) or not office or not role.nations:
            continue
        for other in theirs:
            if other not in own and share_office(office, _exclusive(other.offices)) and role.nations & other.nations:
                return f"In the passage it is {other.name.text} who is “{other.text}”, not {role.name.text}."
    return ""


def _not_theirs(role: Role, own: Sequence[Role], source: Facts) -> str:
    fault = f"The passage calls {own[0].name.text} “{own[0].text}”, not “{role.text}”."
    held = frozenset(office for other in own for office in other.offices)
    nations = frozenset(nation for other in own for nation in other.nations)
    houses = frozenset(house for other in own for house in other.houses)
    if role.nations and nations and not role.nations & nations:
        return fault
    if role.offices and held and not share_office(role.offices, held):
        exclusive = _exclusive(role.offices), _exclusive(held)
        if all(exclusive) or _qualifies(held, role.offices) or not _mentioned(role.offices, source):
            return fault
        if any(share_office(role.offices, other.offices) for other in roles_of(source) if other not in own):
            return fault
    shares = any(same_spelling(one, other) for one in role.houses for other in houses)
    if role.houses and houses and not shares and not (role.nations or nations) and share_office(role.offices, held):
        return fault
    return ""


def _qualifies(held: frozenset[str], offices: frozenset[str]) -> bool:
    """Whether one of them is the other's deputy or former one."""
    return any(one.split()[-1] == other.split()[-1] for one in held for other in offices)


def _mentioned(offices: frozenset[str], source: Facts) -> bool:
    """Whether the source has one of the offices in any words."""
    there = {_SAME_OFFICE.get(word.plain, word.plain) for word in source.words}
    stems = {word.stem for word in source.words}
    return any(
        office.split()[-1] in there and (" " not in office or office.split()[0] in there) for office in offices
    ) or any(family(office) & stems for office in offices if " " not in office)


def _exclusive(offices: frozenset[str]) -> frozenset[str]:
    return frozenset(office for office in offices if office in _EXCLUSIVE or re.search(r"\bminister$", office))
