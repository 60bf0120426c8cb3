"""Whether a sentence denies what its source says, says what it denies, or takes the other side."""

from itertools import pairwise

from index.sentences import seen_in_lower_case
from rag.claims import EVERYWHERE, SAYING, Window, clear_between
from rag.facts import Facts, Word, stem
from rag.thesaurus import family, opposites


def _stems(words: str) -> frozenset[str]:
    return frozenset(stem(word) for word in words.split())


_NEGATIONS = frozenset(
    {"not", "no", "never", "nor", "neither", "none", "nobody", "nothing", "without", "cannot", "hardly"}
)
# These deny the phrase that follows, which a preposition ends: `no talks with Norvia` denies nothing of Norvia.
_IN_PHRASE = frozenset({"no", "without"})
_PHRASE_ENDS = frozenset(
    {
        *("in", "on", "at", "for", "from", "with", "by", "during", "after", "before", "until", "since", "over"),
        *("between", "into", "through", "about"),
    }
)
_DENYING = _stems(
    """refuse refused refusal fail failed failure unable lack lacked reject rejected deny denied decline declined
    rule ruled yet avoid avoided prevent prevented difficult difficulty impossible unlikely rather instead few
    little only first ease eased against swap free silence silent spare spared escape escaped doubt doubts doubtful
    sceptic skeptic scepticism skepticism lose
    lost stop stopped halt halted cease ceased cancel cancelled suspend suspended oppose opposed ban banned
    bar barred block blocked prohibit prohibited forbid forbidden exclude excluded unresolved unsolved unknown
    secret missing absent too"""
)
# A denial of these leaves open what follows.
_EXCLUDING = _stems("rule exclude deny reject refuse doubt dispute object oppose")
# What a text that compares or ranks denies of all others: `the first of its kind`, `older than any other`.
_RANKING = frozenset({"first", "any", "only"})
_CLAUSE_ENDS = frozenset(
    {"but", "and", "that", "how", "what", "whether", "if", "who", "which", "because", "when", "where", "than"}
)
# `nothing to suggest that it is so` denies what follows.
_DENIED_WHOLE = frozenset(
    {
        "suggest",
        "suggests",
        "think",
        "thinks",
        "believe",
        "believes",
        "mean",
        "means",
        "show",
        "shows",
        "case",
        "true",
        "sign",
        "evidence",
        "anything",
    }
)
_WEAK_VERBS = frozenset({"have", "has", "had", "do", "does", "did", "is", "was", "were", "are"})
_WEAK_STEMS = frozenset(stem(word) for word in _WEAK_VERBS)
# From which share of equal words a denial of `was` or `had` is one of the same thing.
_ALIKE = 0.7
_NEARBY_WORDS = 7
_FREE = _stems("free")
# Two sides of one question: a sentence on one side is not carried by a source on the other.
_SIDES = tuple(
    (_stems(one), _stems(other))
    for one, other in (
        (
            "accept accepts accepted agree agreed agrees approve approved support supported supports endorse endorsed "
            "welcome welcomed praise praised praising embrace embraced consent",
            "reject rejected rejects rejection refuse refused refuses refusal dismiss dismissed oppose opposed opposes "
            "resist resisted resisting resists condemn condemned condemning unacceptable decline declined ruled",
        ),
        (
            "rise rises rose risen rising increase increased increases climb climbed grow grew grown growth "
            "jump jumped gain gained higher",
            "fall falls fell fallen falling decrease decreased decreases drop dropped slump slumped shrink "
            "shrank lower decline declined",
        ),
        (
            "confirm confirmed confirms admit admitted admits acknowledge acknowledged concede conceded confess",
            "deny denied denies dispute disputed contest contested",
        ),
        (
            "allow allowed allows permit permitted",
            "ban banned bar barred forbid forbidden prohibit prohibited block blocked prevent",
        ),
        ("succeed succeeded success successful manage managed manages", "fail failed fails failure unsuccessful"),
        ("arrive arrived arrives", "depart departed left leave"),
        ("right correct", "wrong incorrect mistaken"),
        ("better improve improved improves", "worse worsen worsened worsens"),
        ("keep keeps kept retain retained maintain maintained", "end ends ended abolish abolished scrap scrapped"),
        ("reach reached achieve achieved", "miss missed"),
        ("optimistic optimism hopeful", "pessimistic pessimism gloomy"),
        ("survive survived", "die died killed"),
        ("begin began begun start started", "end ended finish finished conclude concluded"),
        ("highest", "lowest"),
        ("largest biggest greatest", "smallest tiniest"),
        ("longest", "shortest"),
        ("best", "worst"),
        ("oldest", "youngest newest"),
        ("win won wins victory", "lose lost loses defeat"),
        ("open opened opens reopen reopened", "close closed closes shut"),
        ("strengthen strengthened", "weaken weakened"),
        ("expand expanded widen widened", "narrow narrowed"),
        ("buy bought purchase purchased", "sell sold"),
        ("build built construct constructed", "demolish demolished dismantle dismantled"),
        ("join joined", "quit"),
        ("convict convicted guilty", "acquit acquitted clear cleared innocent"),
        ("raise raised raises", "cut cuts lower lowered reduce reduced"),
        ("double doubled doubles", "halve halved halves"),
        ("grant granted grants", "refuse refused deny denied withhold withheld"),
        ("trust trusts trusted", "doubt doubts doubted"),
        ("unite united", "divide divided split"),
        ("hasten hastened speed", "delay delayed postpone postponed"),
        ("impose imposed", "lift lifted"),
        ("ally friend partner", "rival enemy foe opponent"),
        ("publish published publishes", "withhold withheld"),
        ("hire hired appoint appointed", "sack sacked fire fired"),
        ("advance advanced advances", "retreat retreated retreats"),
        ("majority", "minority"),
        ("praise praised praises commend commended", "criticise criticised criticize criticized blame blamed"),
        ("legal lawful", "illegal unlawful"),
        ("public", "private secret"),
        ("safe", "dangerous unsafe"),
        ("cheap cheaper", "expensive dearer"),
        ("north northern", "south southern"),
        ("east eastern", "west western"),
    )
)
_BUY, _SELL = stem("buy"), stem("sell")
_OPPOSING_PREFIXES = ("un", "in", "im", "il", "ir", "dis", "non")


def denied_otherwise(claim: Facts, source: Facts, window: Window) -> str:
    """The fault where the sentence denies what the source says, says what it denies, or takes the other side."""
    ours, theirs = _denials(claim, EVERYWHERE), _denials(source, window)
    alike = _shared_part(claim, source, window) >= _ALIKE
    for word in ours.keys() & theirs.keys():
        if word in _WEAK_STEMS and not alike:
            continue  # `never had one before` beside `demand had grown`
        added = any(ours[word]) and not any(theirs[word]) and not _denies_nearby(source, window, word)
        if added and (alike or not _denied_in_other_words(claim, source)):
            return "The passage does not deny this."
        dropped = all(theirs[word]) and not any(ours[word]) and not _denies_nearby(claim, EVERYWHERE, word)
        if dropped and not any(is_negation(w) and w.plain != "without" for w in claim.words):
            return "The passage denies this."
    return _turned(claim, source, window) or _opposite(claim, source, window, ours, theirs)


def _shared_part(claim: Facts, source: Facts, window: Window) -> float:
    """Which share of the sentence's words of content the source has there."""
    wanted = {word.stem for word in claim.words if word.content}
    there = {word.stem for word in source.words if window[0] <= word.sentence <= window[1]}
    return len(wanted & there) / max(1, len(wanted))


def _denied_in_other_words(claim: Facts, source: Facts) -> bool:
    """Whether a sentence of the source that denies or ranks alone has a word of the claim: `No fuel left it`."""
    named = {at for name in claim.names for at in range(name.first, name.last + 1)}
    wanted = frozenset(
        w.stem for at, w in enumerate(claim.words) if w.content and at not in named and w.plain not in SAYING
    )
    denying = {w.sentence for w in source.words if is_negation(w) or w.plain in _RANKING or w.stem in _FREE}
    inside = frozenset(w.stem for w in source.words if w.sentence in denying)
    outside = frozenset(w.stem for w in source.words if w.sentence not in denying)
    return bool(wanted & inside - outside)


def adds_denial(claim: Facts, source: Facts, window: Window) -> str:
    """The doubt where the sentence denies something that the source has, and nothing near in the source denies."""
    denied = frozenset[str]()
    for at, word in enumerate(claim.words):
        if is_negation(word) and word.plain != "without" and not _leaves_open(claim, at):
            heads = [w.stem for w in claim.words[at + 1 : at + 5] if w.content][:2]
            denied = denied.union(*map(family, heads))
    against = frozenset(other for word in claim.words if word.content for other in _other_side(word.stem))
    near = [word for word in source.words if window[0] <= word.sentence <= window[1]]
    if not denied or any(is_negation(word) or word.stem in _DENYING or _is_opposed(word) for word in near):
        return ""
    if _shared_part(claim, source, window) < _ALIKE and (
        denied.isdisjoint(word.stem for word in source.words)
        or any(word.stem in against for word in source.words)
        or _denied_in_other_words(claim, source)
    ):
        return ""
    return "The passage does not deny anything here."


def _other_side(stem_: str) -> frozenset[str]:
    """Stems of the words on the other side, and of the opposite: not open, but closed."""
    sides = [two if stem_ in one else one for one, two in _SIDES if stem_ in one or stem_ in two]
    return opposites(stem_).union(*sides)


def _is_opposed(word: Word) -> bool:
    """`unaffected`, `illegal`."""
    return any(
        word.plain.startswith(prefix)
        and len(word.plain) > len(prefix) + 3
        and seen_in_lower_case(word.plain[len(prefix) :])
        for prefix in ("un", "il", "ir", "dis", "non")
    )


def _turned(claim: Facts, source: Facts, window: Window) -> str:
    """`the least realistic option` where the source has `the most realistic option`."""
    ours, theirs = _graded(claim, EVERYWHERE), _graded(source, window)
    for stem_, side in ours.items():
        if theirs.get(stem_, side) != side:
            return f"The passage says the opposite of “{_GRADES[side][0]} {stem_}”."
    return ""


_GRADES = (("more", "most"), ("less", "least"))


def _graded(facts: Facts, window: Window) -> dict[str, int]:
    """Stem of a word -> 0 where the text says more or most of it, 1 where less or least."""
    return {
        after.stem: side
        for word, after in pairwise(facts.words)
        for side, grades in enumerate(_GRADES)
        if word.plain in grades and after.content and window[0] <= after.sentence <= window[1]
    }


def _denials(facts: Facts, window: Window) -> dict[str, list[bool]]:
    """Stem of each word of content in the window -> for each place it has there, whether it is denied."""
    denials: dict[str, list[bool]] = {}
    named = {at for name in facts.names for at in range(name.first, name.last + 1) if name.certain}
    for place, word in enumerate(facts.words):
        if place in named:
            continue
        if window[0] <= word.sentence <= window[1] and (word.content or word.plain in _WEAK_VERBS):
            denials.setdefault(word.stem, []).append(_is_negated(facts, place))
    return denials


def _is_negated(facts: Facts, place: int) -> bool:
    """Whether a negation stands before the word with at most one word of content between."""
    between, in_phrase = 0, False
    for at in range(place - 1, max(-1, place - 8), -1):
        word, after = facts.words[at], facts.words[at + 1]
        if word.sentence != facts.words[place].sentence or not clear_between(facts, word, after):
            return False
        if is_negation(word) or (word.plain == "yet" and after.plain == "to"):
            if word.plain in _IN_PHRASE and (in_phrase or (word.plain == "without" and _is_denied_already(facts, at))):
                return False
            if facts.words[max(0, at - 1)].plain == "or":
                return False  # `whether or not they are`
            if _leaves_open(facts, at) and facts.words[place].stem not in _EXCLUDING:
                return False
            return not (word.plain in {"no", "not"} and after.plain in {"doubt", "only", "just", "until"})
        if word.plain in _CLAUSE_ENDS and not (word.plain == "that" and facts.words[at - 1].plain in _DENIED_WHOLE):
            return False
        in_phrase |= word.plain in _PHRASE_ENDS
        between += word.content and word.plain not in _DENIED_WHOLE
        if between > 1:
            return False
    return False


def _leaves_open(facts: Facts, place: int) -> bool:
    """Whether a negation denies nothing that follows: `does not rule out a deal`; `cannot lift as much as`."""
    follows = [w for w in facts.words[place + 1 : place + 9] if w.sentence == facts.words[place].sentence]
    plains = [w.plain for w in follows]
    return any(w.stem in _EXCLUDING for w in follows[:2]) or ("as" in plains[:4] and plains.count("as") > 1)


def _is_denied_already(facts: Facts, place: int) -> bool:
    """Whether a denial stands before in the sentence: in `do not go without a ticket` the ticket is not denied."""
    return any(is_negation(word) for word in facts.words[:place] if word.sentence == facts.words[place].sentence)


def is_negation(word: Word) -> bool:
    """Whether the word denies by itself."""
    return word.plain in _NEGATIONS or word.plain.endswith("n't")


def _denies_nearby(facts: Facts, window: Window, stem_: str) -> bool:
    """Whether the text denies something close to this word in words that the order of words does not reach."""
    for place, word in enumerate(facts.words):
        if word.stem == stem_ and window[0] <= word.sentence <= window[1]:
            near = facts.words[max(0, place - _NEARBY_WORDS) : place + _NEARBY_WORDS]
            if any(
                is_negation(w) or (w.stem in _DENYING and w.stem != stem_) for w in near if w.sentence == word.sentence
            ):
                return True
    return False


def _likest_sentences(claim: Facts, source: Facts, window: Window) -> tuple[int, int]:
    """The sentences of the window, from first to last, that share most words with the claim, or nearly so."""
    named = {at for name in claim.names for at in range(name.first, name.last + 1)}
    ours = {
        word.stem
        for at, word in enumerate(claim.words)
        if word.content and at not in named and word.plain not in SAYING
    }
    shared: dict[int, set[str]] = {sentence: set() for sentence in range(window[0], window[1] + 1)}
    for word in source.words:
        if word.sentence in shared and word.stem in ours:
            shared[word.sentence].add(word.stem)
    most = max(len(words) for words in shared.values())
    likest = [sentence for sentence, words in shared.items() if len(words) >= most - 1]
    return likest[0], likest[-1]


def _is_near_to(facts: Facts, place: int) -> bool:
    """`close to the limit`."""
    return facts.words[place].plain == "close" and [w.plain for w in facts.words[place + 1 : place + 2]] == ["to"]


def _of_one_thing(claim: Facts, word: Word, source: Facts, opposed: list[str]) -> bool:
    """Whether a word and its opposite have a word of content in common close to them."""
    ours = _around(claim, claim.words.index(word))
    return any(
        any(not family(stem_).isdisjoint(_around(source, at)) for stem_ in ours)
        for at, there in enumerate(source.words)
        if there.stem in opposed
    )


def _around(facts: Facts, place: int) -> frozenset[str]:
    return frozenset(
        w.stem
        for w in facts.words[max(0, place - _NEARBY_WORDS) : place + _NEARBY_WORDS + 1]
        if w.content and w.sentence == facts.words[place].sentence and w is not facts.words[place]
    )


def _converse(claim: Facts, word: Word, source: Facts) -> bool:
    """Whether the two sides tell one deed of both: `buys from the growers`, `sell to the mill`."""
    links = {_BUY: ("from", "to"), _SELL: ("to", "from")}.get(word.stem)
    said = [at for at, w in enumerate(source.words) if w.stem in {_BUY, _SELL} and w.stem != word.stem]
    if links is not None and any(source.words[at - 1].plain in {"was", "were", "been"} for at in said if at):
        return True  # `sold tickets`, `tickets were bought`
    return (
        links is not None
        and any(w.plain == links[0] for w in claim.words)
        and any(w.plain == links[1] for w in source.words)
    )


def _opposite(
    claim: Facts,
    source: Facts,
    window: Window,
    ours: dict[str, list[bool]],
    theirs: dict[str, list[bool]],
) -> str:
    likest = _denials(source, _likest_sentences(claim, source, window))
    for one, other in _SIDES:
        for mine, its in ((one, other), (other, one)):
            said = [
                w for at, w in enumerate(claim.words)
                if w.stem in mine and w.stem in ours and (w.initial or not w.capital) and not _is_near_to(claim, at)
            ]  # fmt: skip
            there = [word for word in likest if word in its]
            # Where the source has a word of the same side too, whether it is denied is compared above.
            if not said or not there or any(word in mine for word in likest) or _converse(claim, said[0], source):
                continue
            if not _of_one_thing(claim, said[0], source, there):
                continue
            if {any(ours[w.stem]) for w in said} & {any(likest[word]) for word in there}:
                return f"The passage says the opposite of “{said[0].text}”."
    near = {word.plain for word in source.words if window[0] <= word.sentence <= window[1]}
    for claimed in (word for word in claim.words if word.content and word.plain not in near):
        for prefix in _OPPOSING_PREFIXES:
            bare = claimed.plain.removeprefix(prefix)
            opposite = bare if bare != claimed.plain and len(bare) > 3 else prefix + claimed.plain
            if opposite in near and any(ours.get(claimed.stem, [])) == any(theirs.get(stem(opposite), [])):
                return f"The passage says “{opposite}”, not “{claimed.text}”."
    return ""
