"""Makes `words.txt` from WordNet 3.0: irregular forms, synonyms, derived words and opposites that news text uses.

    python rag/wordnet/export.py FOLDER OUT     FOLDER holds data.verb, index.verb, cntlist.rev, verb.exc and the rest

A word is taken as far as WordNet's tagged texts use it: a sense that was never tagged is left out, unless it is the
word's first. A line is one group: `>` irregular forms and their word, `=` synonyms, `~` a word and one derived from
it, `!` two opposites.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PARTS = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}
FEWEST_TAGGED = 1
# A verb is exchanged for another more freely than a noun, so that fewer of its senses are meant.
SENSES = {"n": 2, "v": 3, "a": 2, "r": 2}


@dataclass(frozen=True)
class Synset:
    """Words of one sense, and its lexical pointers: symbol, part of speech and offset, place of either word."""

    words: tuple[str, ...]
    pointers: tuple[tuple[str, str, int, int], ...]


def read_synsets(folder: Path) -> dict[str, Synset]:
    """Every synset by its part of speech and offset."""
    synsets = {}
    for name, part in PARTS.items():
        for line in (folder / f"data.{name}").read_text(encoding="ascii").splitlines():
            if line.startswith("  "):
                continue
            fields = line.partition(" | ")[0].split()
            count = int(fields[3], 16)
            words = tuple(fields[4 + 2 * at].partition("(")[0].lower() for at in range(count))
            at = 4 + 2 * count
            pointers = []
            for number in range(int(fields[at])):
                symbol, offset, of, places = fields[at + 1 + 4 * number : at + 5 + 4 * number]
                pointers.append((symbol, f"{of}{offset}", int(places[:2], 16), int(places, 0)))
            synsets[f"{part}{fields[0]}"] = Synset(words, tuple(pointers))
    return synsets


def used_senses(folder: Path) -> dict[str, set[str]]:
    """Synset -> the words that the tagged texts use in that sense; a word's first sense always counts."""
    used: dict[str, set[str]] = {}
    for name, part in PARTS.items():
        for line in (folder / f"index.{name}").read_text(encoding="ascii").splitlines():
            if line.startswith("  "):
                continue
            fields = line.split()
            count, pointers = int(fields[2]), int(fields[3])
            tagged, offsets = int(fields[5 + pointers]), fields[6 + pointers :]
            if len(offsets) != count:
                raise SystemExit(f"index.{name}: {fields[0]} cannot be read.")
            for offset in offsets[: max(1, min(tagged, SENSES[part]))]:
                used.setdefault(f"{part}{offset}", set()).add(fields[0])
    return used


def is_plain(word: str) -> bool:
    """Whether it is one word in letters, long enough to mean something."""
    return word.isalpha() and word.isascii() and len(word) > 2


def lines(folder: Path) -> Iterator[str]:
    """The lines of words.txt."""
    tagged_lemmas = {
        line.partition("%")[0] for line in (folder / "cntlist.rev").read_text(encoding="ascii").split("\n")
    }
    synsets, used = read_synsets(folder), used_senses(folder)
    common = {word for word in tagged_lemmas if is_plain(word)}
    for name in ("verb", "noun"):
        for line in (folder / f"{name}.exc").read_text(encoding="ascii").splitlines():
            form, *words = line.split()
            if is_plain(form) and words[0] in common and form != words[0]:
                yield f"> {form} {words[0]}"
    for key, synset in synsets.items():
        group = [word for word in synset.words if word in used.get(key, ()) and word in common]
        if len(set(group)) > 1:
            yield "= " + " ".join(dict.fromkeys(group))
    pairs = set()
    for key, synset in synsets.items():
        for symbol, other, mine, its in synset.pointers:
            if symbol not in {"!", "+"} or not mine or not its:
                continue
            one, two = synset.words[mine - 1], synsets[other].words[its - 1]
            if not {one, two} <= common or one not in used.get(key, ()) or two not in used.get(other, ()):
                continue
            if symbol == "+" and one[:3] != two[:3]:
                continue
            if symbol == "!" and key[0] == "n":
                continue
            pairs.add(("~" if symbol == "+" else "!", *sorted((one, two))))
    yield from (" ".join(pair) for pair in sorted(pairs))


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    arguments.out.write_text("\n".join(lines(arguments.folder)) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
