"""Premises: what an answer denies because the question took it for granted.

Of "They met in Berlin, not in Paris" no source says anything of Paris: the question did. Only what remains without the
denied words can be compared with a source.
"""

import re

from rag.facts import find_facts
from rag.words import read_words

_CONTRAST = re.compile(
    r"\s*[,–—]\s*(?:and\s+|but\s+)?(?:not|never)\s+(?P<after>[^,;.–—]+)[,–—]?"
    r"|\s+(?:rather than|instead of|as opposed to|and not)\s+(?P<within>[^,;.–—]+)"
    r"|\bnot\s+(?P<before>[^,;.–—]+?),?\s+but\s+(?:rather\s+)?",
    re.IGNORECASE,
)
_CLAUSES = re.compile(
    r"\s*[;–—:]\s*(?:rather|instead|in fact)?,?\s*|,?\s+(?:but|rather|instead),?\s+(?=\w+ \w+)", re.IGNORECASE
)
_DENIES = re.compile(r"\b(?:not|never|no|cannot)\b|n['’]t\b", re.IGNORECASE)


def without_denied_premise(sentence: str, question: str) -> str:
    """The sentence without what it denies and the question said; as it is where that is nothing, or all of it.

    Args:
        sentence: of an answer, without markers.
        question: what was asked.
    """
    asked = _Asked(question)
    clauses = [clause.strip() for clause in _CLAUSES.split(sentence) if clause.strip()]
    kept = [clause for clause in clauses if not (_DENIES.search(clause) and asked.named(clause))]
    if len(kept) < len(clauses) and _says_something("; ".join(kept)):
        return "; ".join(kept)
    left = " ".join(
        _CONTRAST.sub(
            lambda match: " " if asked.said(next(group for group in match.groups() if group)) else match[0], sentence
        ).split()
    )
    return left if _says_something(left) else sentence


def _says_something(text: str) -> bool:
    return sum(word.content for word in read_words(text)) > 1


class _Asked:
    """The words and facts of a question."""

    def __init__(self, question: str) -> None:
        self._stems = {word.stem for word in read_words(question)}

    def said(self, words: str) -> bool:
        """Whether all words that carry meaning are the question's."""
        stems = {word.stem for word in read_words(words) if word.content}
        return bool(stems) and stems <= self._stems

    def named(self, clause: str) -> bool:
        """Whether all names and numbers of a clause are the question's; it must have one."""
        facts = find_facts(clause)
        texts = [name.text for name in facts.names] + [number.text for number in facts.numbers]
        texts += [date.text for date in facts.dates]
        return bool(texts) and all(self.said(text) for text in texts)
