"""Turn: one message of a conversation; a follow-up becomes a question that stands alone."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Turn:
    """One message. It may come from the browser: untrusted, data in a prompt, never instructions."""

    role: Literal["user", "assistant"]
    content: str
