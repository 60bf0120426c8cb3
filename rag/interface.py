"""Interface text: every word the page shows, from `text.json` beside this file: all that a translation replaces.

An entry is a text with {names} in it, or one for each plural form of its {count}: `one`, `other`.
"""

import json
from pathlib import Path
from typing import Final

TEXT: Final[dict[str, str | dict[str, str]]] = json.loads(
    (Path(__file__).parent / "text.json").read_text(encoding="utf-8")
)


def phrase(key: str, *, count: int | None = None, **values: object) -> str:
    """A text of the interface.

    Args:
        key: its key in `text.json`.
        count: chooses the plural form and stands for {count}.
        values: what stands for the other names in it.
    """
    text = TEXT[key]
    if isinstance(text, dict):
        text = text["one" if count == 1 else "other"]
    return text.format(count=f"{count:,}" if count is not None else "", **values)
