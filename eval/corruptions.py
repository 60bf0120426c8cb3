"""True sentences of other texts, and false ones made of them by rule: what the support check is fitted and measured on.

A rule reads a sentence by its own plain patterns, never by the code it is there to test. Everything is seeded.

True: answers in other words with their passage (CLAP NQ), an article's simpler sentences with the same paragraph of
its original (OneStopQA; not its quotations, whose words were simplified too), sentences as they stand in their
paragraph (SQuAD). False: one of these with a number changed, a name swapped for another, a denial put in or taken out,
what one person says put into another's mouth, or the sentence set beside another passage of the same or another
article.
"""

import gzip
import hashlib
import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from index.errors import QuestionSetError
from index.sentences import split_sentences

_NUMBER = re.compile(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?![\w,]|\.\d)")
_NUMBER_WORDS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NUMBER_WORD = re.compile(r"\b(" + "|".join(_NUMBER_WORDS) + r")\b")
_CAPITALS = r"[A-Z][a-zé]+(?:(?: |-)[A-Z][a-zé]+)*"
_NAME = re.compile(r"(?<=[a-z,] )" + _CAPITALS)
_AUXILIARY = re.compile(r"\b(is|was|were|are|has|have|had|will|can|could|would|may|should|must)\b(?! not\b|n['’]t)")
_DENIAL = re.compile(r"\b(is|was|were|are|has|have|had|will|can|could|would|may|should|must|do|does|did) not ")
_SAYER = re.compile(rf"\b({_CAPITALS})(?= (?:said|says|told|added|believes|argued|warned|wrote|explained)\b)")
_NOT_NAMES = frozenset(
    "|".join(
        (
            "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday",
            "January|February|March|April|May|June|July|August|September|October|November|December",
            "The|This|That|These|Those|They|There|Then|And|But|He|She|It|In|On|At",
        )
    ).split("|")
)
_LONGEST_WORDS = 60
_SHORTEST_WORDS = 6


@dataclass(frozen=True, slots=True)
class RuleCase:
    """A sentence beside a passage; `true` where the passage holds it, `held_out` where nothing is fitted on it."""

    id: str
    origin: str
    kind: str
    sentence: str
    passage: str
    title: str
    true: bool
    held_out: bool


@dataclass(frozen=True, slots=True)
class _Pair:
    id: str
    origin: str
    sentence: str
    passage: str
    title: str
    group: str


def rule_cases(folder: Path, *, seed: int = 0, per_origin: int = 300) -> list[RuleCase]:
    """Make the cases from the sets under `folder` (`clapnq`, `onestopqa`, `squad2`, those that are there).

    Raises:
        QuestionSetError: none of them is there.
    """
    readers = {"clapnq": _clapnq, "onestopqa": _onestopqa, "squad2": _squad2}
    there = {name: read for name, read in readers.items() if (folder / name).is_dir()}
    if not there:
        raise QuestionSetError(f"{folder} holds none of the folders {', '.join(readers)}.")
    cases: list[RuleCase] = []
    for name, read in there.items():
        dice = random.Random(f"{seed}{name}")  # noqa: S311 - a repeatable choice, no secret
        pairs = [p for p in read(folder / name) if _SHORTEST_WORDS <= len(p.sentence.split()) <= _LONGEST_WORDS]
        dice.shuffle(pairs)
        cases.extend(_cases_of(pairs[:per_origin], pairs, dice))
    return cases


def _cases_of(chosen: Sequence[_Pair], pairs: Sequence[_Pair], dice: random.Random) -> Iterator[RuleCase]:
    by_group: dict[str, list[_Pair]] = {}
    for pair in pairs:
        by_group.setdefault(pair.group, []).append(pair)
    for pair in chosen:
        held_out = hashlib.sha256(pair.group.encode()).digest()[0] % 2 == 1
        yield RuleCase(f"{pair.id}:true", pair.origin, "true", pair.sentence, pair.passage, pair.title, True, held_out)
        other = dice.choice(pairs)
        made = {
            "number changed": _change_number(pair, dice),
            "name swapped": _swap_name(pair, other, dice),
            "negation": _turn(pair.sentence, dice),
            "other speaker": _swap_sayer(pair, other, dice),
        }
        for kind, sentence in made.items():
            if sentence and sentence not in pair.passage:
                yield RuleCase(
                    f"{pair.id}:{kind}", pair.origin, kind, sentence, pair.passage, pair.title, False, held_out
                )
        siblings = [p for p in by_group[pair.group] if p.passage != pair.passage]
        for kind, wrong in (("other article", other), ("same article", dice.choice(siblings) if siblings else pair)):
            if wrong.passage != pair.passage and (kind == "same article" or wrong.group != pair.group):
                yield RuleCase(f"{pair.id}:{kind}", pair.origin, kind, pair.sentence, wrong.passage, wrong.title, False,
                               held_out)  # fmt: skip


# Ways to make a sentence false


def _change_number(pair: _Pair, dice: random.Random) -> str:
    """Another number in one number's place: half the time one that the passage has elsewhere."""
    found = [*_NUMBER.finditer(pair.sentence), *_NUMBER_WORD.finditer(pair.sentence)]
    if not found:
        return ""
    match = dice.choice(found)
    old = match.group()
    if old in _NUMBER_WORDS:
        new = dice.choice([word for word in _NUMBER_WORDS if word != old])
    else:
        there = [n for n in _NUMBER.findall(pair.passage) if n not in pair.sentence and len(n) == len(old)]
        at = dice.choice([place for place, char in enumerate(old) if char.isdigit()])
        digit = dice.choice([d for d in "123456789" if d != old[at]])
        new = dice.choice(there) if there and dice.random() < 0.5 else old[:at] + digit + old[at + 1 :]
    return pair.sentence[: match.start()] + new + pair.sentence[match.end() :]


def _names_in(text: str) -> list[re.Match[str]]:
    return [m for m in _NAME.finditer(text) if not _NOT_NAMES & set(m.group().split())]


def _swap_name(pair: _Pair, other: _Pair, dice: random.Random) -> str:
    """Another name of as many words in one name's place: half the time one of the same passage."""
    found = _names_in(pair.sentence)
    if not found:
        return ""
    match = dice.choice(found)
    size = len(match.group().split())
    taken = set(pair.sentence.split())
    near, far = (
        sorted(
            {
                m.group()
                for m in _names_in(text)
                if len(m.group().split()) == size and not taken & set(m.group().split())
            }
        )
        for text in (pair.passage, other.passage)
    )
    far = [name for name in far if name not in pair.passage]
    choices = near if near and (dice.random() < 0.5 or not far) else far
    return pair.sentence[: match.start()] + dice.choice(choices) + pair.sentence[match.end() :] if choices else ""


def _turn(sentence: str, dice: random.Random) -> str:
    """Deny the sentence, or take its denial out."""
    denial = _DENIAL.search(sentence)
    if denial:
        return sentence[: denial.end() - 5] + " " + sentence[denial.end() :]
    found = list(_AUXILIARY.finditer(sentence))
    if not found:
        return ""
    match = found[0] if len(found) == 1 else dice.choice(found[:2])
    return sentence[: match.end()] + " not" + sentence[match.end() :]


def _swap_sayer(pair: _Pair, other: _Pair, dice: random.Random) -> str:
    """Put what someone says into the mouth of another person of the passage, or of another passage."""
    match = _SAYER.search(pair.sentence)
    if match is None or _NOT_NAMES & set(match.group().split()):
        return ""
    taken = set(match.group().split())
    choices = sorted(
        {
            m.group()
            for text in (pair.passage, other.passage)
            for m in _names_in(text)
            if not taken & set(m.group().split())
        }
    )
    return pair.sentence[: match.start()] + dice.choice(choices) + pair.sentence[match.end() :] if choices else ""


# Reading the sets


def _lines(path: Path) -> Iterator[dict[str, object]]:
    packed = path.with_name(path.name + ".gz")
    if path.exists():
        lines = path.read_text(encoding="utf-8").splitlines()
    else:
        with gzip.open(packed, "rt", encoding="utf-8") as file:
            lines = file.read().splitlines()
    for line in lines:
        yield json.loads(line)


def _untokenised(text: str) -> str:
    """Undo the blanks of tokenised text, which no newspaper has."""
    text = re.sub(r"\s+", " ", text.replace("``", '"').replace("''", '"'))
    text = re.sub(r" ([.,;:!?%)\]])", r"\1", re.sub(r"([(\[$£€]) ", r"\1", text))
    text = re.sub(r" ('s|'|n't|'re|'ve|'ll|'d)\b", r"\1", text)
    text = re.sub(r'" ([^"]*?) "', r'"\1"', text)
    return re.sub(r"(\w) - (\w)", r"\1-\2", text).replace(" -- ", " – ")


def _clapnq(folder: Path) -> Iterator[_Pair]:
    passages = {str(row["id"]): row for row in _lines(folder / "corpus.jsonl")}
    for row in _lines(folder / "queries.jsonl"):
        answers = row["answers"]
        if not row["answerable"] or not isinstance(answers, list) or not answers:
            continue
        passage = passages[str(row["doc_id"])]
        text, answer = _untokenised(str(passage["text"])), _untokenised(str(answers[0]))
        for number, (start, end) in enumerate(split_sentences(answer)):
            yield _Pair(
                f"clapnq:{row['id']}:{number}",
                "clapnq",
                answer[start:end],
                text,
                str(passage["title"]),
                str(row["doc_id"]),
            )


def _onestopqa(folder: Path) -> Iterator[_Pair]:
    texts = {str(row["id"]): row for row in _lines(folder / "corpus.jsonl")}
    for name, row in texts.items():
        article, _, level = name.rpartition(":")
        original = str(texts[f"{article}:adv"]["text"]).splitlines()
        simpler = str(row["text"]).splitlines()
        if level == "adv" or len(original) != len(simpler):
            continue
        for number, (theirs, ours) in enumerate(zip(original, simpler, strict=True)):
            for place, (start, end) in enumerate(split_sentences(ours)):
                if re.search(r"[“”\"]", ours[start:end]):
                    continue
                yield _Pair(
                    f"onestopqa:{name}:{number}:{place}",
                    "onestopqa",
                    ours[start:end],
                    theirs,
                    str(row["title"]),
                    article,
                )


def _squad2(folder: Path) -> Iterator[_Pair]:
    passages = {str(row["id"]): row for row in _lines(folder / "corpus.jsonl")}
    seen: set[str] = set()
    for row in _lines(folder / "queries.jsonl"):
        evidence = row.get("evidence_sentences")
        if not row["answerable"] or not isinstance(evidence, list):
            continue
        passage = passages[str(row["doc_id"])]
        for sentence in evidence:
            if str(sentence) not in seen:
                seen.add(str(sentence))
                yield _Pair(f"squad2:{row['id']}", "squad2", str(sentence), str(passage["text"]), str(passage["title"]),
                            str(passage["title"]))  # fmt: skip
