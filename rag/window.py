"""The context window that a model really has, found by a bounded probe: a word to repeat from before a long text.

A server that drops the beginning of what it is sent, as some do without a word, does not repeat it.
"""

import re
import secrets
from dataclasses import dataclass

from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.llms import LLM

from index.errors import ModelContextError
from index.settings import Settings
from index.tokens import count_tokens
from rag.model_stream import ModelStream

MOST_TOKENS = 8192
"""The longest text that is tried: on a slow machine more takes minutes, and answers need less."""

_TRIES = 4
_LEAST_TOKENS = 512
_REPLY_TOKENS = 64  # what asking for the word takes on top of the text
_LINE = "Line {number}: the tide at the harbour stood at {height} centimetres when the clock struck {hour}.\n"
# How servers that refuse say how much they can read: OpenAI and vLLM, llama.cpp's server, llama-cpp-python.
_TOLD = re.compile(
    r"(?:maximum context length is|context (?:size|window)(?: of)?|['\"]?n_ctx['\"]?\s*[:=]) ?\(?(\d{3,8})",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Window:
    """What the probe found.

    Attributes:
        held: the longest text, in tokens, of which the model still saw the beginning; 0 where it never did.
        limit: the window to budget for, in tokens, where it is smaller than the one set; None where it is not, or
            where nothing could be found out.
    """

    held: int
    limit: int | None = None


async def probe_window(llm: LLM, *, settings: Settings, label: str = "") -> Window:
    """Try whether the model reads as much as the settings budget for, at most `MOST_TOKENS`.

    Args:
        llm: the model.
        settings: the window budgeted for, the length of an answer and the longest silence.
        label: the model in messages.

    Raises:
        ModelError: the model cannot be asked at all.
    """
    # Another model's tokens are only estimated, so a tenth is left free, as in every prompt.
    budget = min(settings.llm_context_tokens, MOST_TOKENS)
    tokens = budget - budget // 10 - settings.llm_answer_tokens - _REPLY_TOKENS
    met_limit = False
    for _ in range(_TRIES):
        tokens = max(tokens, _LEAST_TOKENS)
        try:
            seen, read = await _sees_beginning(llm, tokens, settings=settings, label=label)
        except ModelContextError as exc:
            if told := _told_limit(exc):
                return Window(0, told)
            seen, read = False, 0
        if seen:
            needed = (tokens + settings.llm_answer_tokens + _REPLY_TOKENS) * 10 // 9
            return Window(tokens, needed if met_limit else None)
        if tokens == _LEAST_TOKENS:
            break
        met_limit = True
        # A server that drops the beginning may still count what was left.
        tokens = read * 9 // 10 - _REPLY_TOKENS if 0 < read < tokens * 0.8 else tokens // 2
    return Window(0)


async def _sees_beginning(llm: LLM, tokens: int, *, settings: Settings, label: str) -> tuple[bool, int]:
    """Whether the model repeats a word that stands before `tokens` of text; and how many the server says it read."""
    word = f"{secrets.choice(_WORDS)}-{secrets.randbelow(90) + 10}"  # a new one each time: servers keep what they read
    text = f"The code word is {word}.\n{_filler(tokens)}"
    question = "What is the code word in the first line? Reply with the code word alone."
    stream = ModelStream(
        llm,
        [ChatMessage(role=MessageRole.USER, content=f"{text}\n{question}")],
        label=label,
        base_url=settings.llm_base_url,
        silence_seconds=settings.llm_read_seconds,
    )
    reply = "".join([piece async for piece in stream.pieces()])
    return word in reply.lower(), stream.reported.get("prompt_tokens", 0)


_WORDS = ("amber", "birch", "cobalt", "dahlia", "ember", "falcon", "garnet", "harbour", "indigo", "juniper")


def _filler(tokens: int) -> str:
    """Lines of plain text, `tokens` tokens together or a few less."""
    lines: list[str] = []
    used = 0
    while True:
        number = len(lines) + 1
        line = _LINE.format(number=number, height=100 + number * 37 % 400, hour=1 + number % 12)
        used += count_tokens(line)
        if used > tokens:
            return "".join(lines)
        lines.append(line)


def _told_limit(exc: ModelContextError) -> int | None:
    """The window's size, where the refusal names it."""
    cause = exc.__cause__
    told = _TOLD.search(f"{getattr(cause, 'body', '')} {cause}")
    return int(told[1]) if told else None
