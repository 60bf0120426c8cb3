"""Coverage metrics: does an answer rightly say who else reports it, from how many origins, and where reports differ?

Measured where the set's makers say what is true: the evidence of a question names every article known to carry its
answer, and `expected.json` beside the set names copies and differences (`eval.expected`). Ours; no definition of others
was found to take over.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from eval.places import Place, meets

Known = Sequence[Sequence[Sequence[Place]]]
"""Differences that exist: for each its values, for each value the places that give it."""


def coverage_parts(
    named: Collection[str], cited: Collection[str], carrying: Collection[str]
) -> dict[str, tuple[float, float]]:
    """One answer's share in coverage precision and recall.

    * `coverage_precision`  articles named that carry the answer / articles named as reporting it too
    * `coverage_recall`     articles named that carry the answer / articles that carry it and are not cited

    Args:
        named: articles the answer names as reporting the same, none of them cited.
        cited: articles it cites.
        carrying: all articles known to carry the answer.
    """
    right = float(len(set(named) & set(carrying)))
    return {
        "coverage_precision": (right, float(len(set(named)))),
        "coverage_recall": (right, float(len(set(carrying) - set(cited)))),
    }


def origins_right(origins: int, articles: Collection[str], origin_of: Callable[[str], str]) -> float:
    """1.0 when `origins` is the number of independent reports among `articles`, copies counted once, else 0.0."""
    return float(origins == len({origin_of(article) for article in articles}))


def difference_parts(
    shown: Sequence[Sequence[Place]], known: Known, wanted: Collection[int]
) -> dict[str, tuple[float, float]]:
    """One answer's share in difference precision and recall.

    A difference shown exists when two of its values stand at places of two different values of one known difference.

    * `difference_precision`  differences shown that exist / differences shown
    * `difference_recall`     wanted differences shown / wanted differences

    Args:
        shown: for each difference shown the places of its values.
        known: the differences that exist.
        wanted: which of them, by position, the question is about.
    """
    found = [[number for number, values in enumerate(known) if _is_difference(places, values)] for places in shown]
    return {
        "difference_precision": (float(sum(bool(numbers) for numbers in found)), float(len(shown))),
        "difference_recall": (
            float(len(set(wanted) & {number for numbers in found for number in numbers})),
            float(len(wanted)),
        ),
    }


def differences_asked_for(evidence: Sequence[Place], known: Known) -> list[int]:
    """The known differences that a question is about: its evidence stands at two of their values or more."""
    return [number for number, values in enumerate(known) if _is_difference(evidence, values)]


def _is_difference(places: Sequence[Place], values: Sequence[Sequence[Place]]) -> bool:
    met: Mapping[int, list[int]] = {
        at: [number for number, value in enumerate(values) if any(meets(place, known) for known in value)]
        for at, place in enumerate(places)
    }
    return any(
        one != other
        for at, numbers in met.items()
        for beside, others in met.items()
        if at < beside
        for one in numbers
        for other in others
    )
