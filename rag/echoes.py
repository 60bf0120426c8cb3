"""Whether a model recites its instructions instead of answering.

They are no secret, but a model that recites them was talked into it, and what it writes then is no answer.
"""

import re
from collections.abc import Iterator, Sequence

from llama_index.core.base.llms.types import ChatMessage

from rag.prompts import FENCE

# Words in a row: longer than any line an answer has in common with the rules, such as "The articles do not say what".
_RUN_WORDS = 12

_Run = tuple[str, ...]


class EchoGuard:
    """Knows what a model was told, and hears when it says that again."""

    def __init__(self, messages: Sequence[ChatMessage], *, known: Sequence[str]) -> None:
        """Take in what the model was told.

        Args:
            messages: all that was sent.
            known: the parts of it that are data and may be repeated: passages, the question.
        """
        told = {run for message in messages for run in _runs(message.content or "")}
        self._told = told.difference(run for text in known for run in _runs(text))

    def hears(self, text: str) -> bool:
        """Whether `text` has twelve words in a row of the instructions, or the mark around data."""
        return bool(FENCE.search(text)) or any(run in self._told for run in _runs(text))


def _runs(text: str) -> Iterator[_Run]:
    words = re.findall(r"[^\W_]+", text.lower())
    return zip(*(words[at:] for at in range(_RUN_WORDS)), strict=False)
