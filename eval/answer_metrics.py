"""Answer metrics: what an answer says, whether it rightly says nothing, and how well its confidence tells.

Words are compared by `eval.matching` for the phrases a question asks for, and as SQuAD does for overlap with the
reference answer. Citation markers are never part of what is compared.
"""

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rouge_score.rouge_scorer import RougeScorer
from rouge_score.tokenizers import Tokenizer

_MARKER = re.compile(r"\s*\[\d+\]")
_ARTICLES = re.compile(r"\b(a|an|the)\b")


def without_markers(text: str) -> str:
    """The answer's words, its citation markers `[1]` taken out."""
    return _MARKER.sub("", text)


def missing_phrases(
    text: str, groups: Sequence[Sequence[str]], *, mentions: Callable[[str, str], bool]
) -> list[Sequence[str]]:
    """The groups of which the answer says no alternative.

    An answer passes `must_include` when this is empty: every group must be met, by any one of its alternatives.

    Args:
        text: the answer.
        groups: `[["either", "or"], ["and"]]`.
        mentions: whether a text says a phrase (`eval.matching.mentions`).
    """
    said = without_markers(text)
    return [group for group in groups if not any(mentions(said, phrase) for phrase in group)]


def forbidden_phrases(text: str, phrases: Sequence[str], *, mentions: Callable[[str, str], bool]) -> list[str]:
    """The phrases of `must_not_include` that the answer says all the same; it passes when there are none."""
    said = without_markers(text)
    return [phrase for phrase in phrases if mentions(said, phrase)]


def squad_words(text: str) -> list[str]:
    """Words as SQuAD compares them: lower case, no punctuation, no `a`, `an`, `the` (Rajpurkar et al., EMNLP 2016).

    Curly quotes and dashes, which SQuAD's script leaves in, count as punctuation here.
    """
    lowered = without_markers(text).lower()
    bare = "".join(char for char in lowered if not _is_punctuation(char))
    return _ARTICLES.sub(" ", bare).split()


def exact_match(answer: str, reference: str) -> float:
    """1.0 when the two have the same SQuAD words in the same order, else 0.0."""
    return float(squad_words(answer) == squad_words(reference))


def token_f1(answer: str, reference: str) -> float:
    """F1 over SQuAD words as bags (Rajpurkar et al., EMNLP 2016).

    With `common` the words in both, repeats counted: `precision = common / words of the answer`, `recall = common /
    words of the reference`, `F1 = 2 P R / (P + R)`. Where either has no word, 1.0 if neither has, else 0.0.
    """
    said, wanted = squad_words(answer), squad_words(reference)
    if not said or not wanted:
        return float(said == wanted)
    common = sum((Counter(said) & Counter(wanted)).values())
    return 2 * common / (len(said) + len(wanted))


def rouge_l(answer: str, reference: str) -> float:
    """ROUGE-L F-measure: F1 over the longest common subsequence of words (Lin, 2004), by the package rouge-score.

    Words are runs of letters and digits of any script, lower case, unstemmed; rouge-score's own tokenizer knows ASCII
    only.
    """
    score = _ROUGE.score(without_markers(reference), without_markers(answer))["rougeL"]
    return float(score.fmeasure)


class _UnicodeWords(Tokenizer):  # type: ignore[misc]  # rouge-score ships no types
    """Words of any script, where rouge-score keeps only a to z and digits."""

    def tokenize(self, text: str) -> list[str]:
        return re.findall(r"[^\W_]+", text.lower())


_ROUGE = RougeScorer(["rougeL"], tokenizer=_UnicodeWords())


def refusal_parts(*, refused: bool, answerable: bool) -> dict[str, tuple[float, float]]:
    """One question's share in the refusal metrics, "refuse" being the positive class.

    * `refusal_precision`  rightly refused / refused
    * `refusal_recall`     rightly refused / not answerable
    * `refusal_f1`         `2 TP / (2 TP + FP + FN)`, the harmonic mean of the two
    """
    right = float(refused and not answerable)
    over = float(refused and answerable)
    missed = float(not refused and not answerable)
    return {
        "refusal_precision": (right, right + over),
        "refusal_recall": (right, right + missed),
        "refusal_f1": (2 * right, 2 * right + over + missed),
    }


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """Of all questions the `coverage` most confidently answered ones are accepted; `risk` of those are wrong."""

    coverage: float
    risk: float


def risk_coverage(answers: Sequence[tuple[float, bool]], *, questions: int) -> list[RiskPoint]:
    """The risk-coverage curve of selective answering (El-Yaniv and Wiener, JMLR 2010).

    Answers are accepted from the most confident on; each point gives the share of wrong ones among those accepted.
    Refused questions are never accepted, so the curve ends at the share answered. Answers of equal confidence are
    accepted together, each bearing their mean error.

    Args:
        answers: (confidence, wrong) of each answer that was given; larger is more confident.
        questions: how many were asked, refused ones included.
    """
    points: list[RiskPoint] = []
    taken, wrong = 0, 0.0
    ordered = sorted(answers, key=lambda answer: -answer[0])
    while taken < len(ordered):
        tied = [mistaken for confidence, mistaken in ordered[taken:] if confidence == ordered[taken][0]]
        share = sum(tied) / len(tied)
        for _ in tied:
            taken += 1
            wrong += share
            points.append(RiskPoint(taken / questions, wrong / taken))
    return points


def aurc(answers: Sequence[tuple[float, bool]]) -> float:
    """Area under the risk-coverage curve: the mean risk over its points (Geifman, Uziel and El-Yaniv, ICLR 2019).

    Between 0 and 1, smaller is better; 0.0 where nothing was answered. A confidence that tells nothing gives the plain
    error rate; one that ranks every right answer before every wrong one gives the least this error rate allows.
    """
    points = risk_coverage(answers, questions=len(answers))
    return sum(point.risk for point in points) / len(points) if points else 0.0


def _is_punctuation(char: str) -> bool:
    return char in string.punctuation or unicodedata.category(char).startswith("P")
