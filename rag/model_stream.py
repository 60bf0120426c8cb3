"""One call of a language model: the pieces of its answer as they come, how it ended and what it cost.

What a model thinks aloud is left out, what its server refuses to be told is left out from then on, and however often
the client retries, silence lasts no longer than the settings allow.
"""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any, Literal

from llama_index.core.base.llms.types import ChatMessage, ChatResponse, MessageRole
from llama_index.core.llms import LLM

from index.errors import ModelRefusedError
from index.model_errors import ModelCall, http_status, provider_errors, said_by
from index.tokens import count_tokens

log = logging.getLogger(__name__)

Ending = Literal["whole", "too long", "broken"]


class ModelStream:
    """One call of a model; `pieces` may be read once, the rest is known afterwards.

    Attributes:
        ending: `whole`, or `too long` where the model came to its limit, or `broken` where its server stopped sending
            without saying that it was done.
        reported: `prompt_tokens` and `completion_tokens` as far as the server says them.
    """

    def __init__(
        self,
        llm: LLM,
        messages: Sequence[ChatMessage],
        *,
        label: str = "",
        base_url: str | None = None,
        silence_seconds: float = 60.0,
    ) -> None:
        """Prepare the call; nothing is sent yet.

        Args:
            llm: the model.
            messages: what it is asked.
            label: its name in messages, `provider/model`.
            base_url: its server's address, for messages.
            silence_seconds: longest wait for the first and for each next piece, retries included.
        """
        self.ending: Ending = "whole"
        self._llm = llm
        self._messages = list(messages)
        self._label = label or llm.metadata.model_name
        self._call = ModelCall(self._label, base_url)
        self._silence_seconds = silence_seconds
        self._text = ""
        self._received = False
        self.reported: dict[str, int] = {}

    async def pieces(self) -> AsyncGenerator[str, None]:
        """The text as it arrives, without the model's reasoning.

        Raises:
            ModelError: the server cannot be reached, refuses, or breaks off; what came before was given.
        """
        thoughts = ThoughtFilter()
        # Closed where nobody reads on, so that the server hears of it at once and stops writing.
        async with aclosing(self._responses()) as responses:
            async for response in responses:
                self._received = True
                self._note(response)
                if text := thoughts.feed(response.delta or ""):
                    self._text += text
                    yield text
        if not self._received:
            raise ModelRefusedError(
                f"{self._call.server} sent nothing that can be read. Is BYLINE_LLM_BASE_URL the"
                " address of a server that speaks OpenAI's protocol (it often ends in /v1)?"
            )
        if text := thoughts.finish():
            self._text += text
            yield text

    def usage(self) -> dict[str, int]:
        """`prompt_tokens` and `completion_tokens`: as the server reports them, else counted; 0 where nothing came."""
        if not self._received:
            return {"prompt_tokens": 0, "completion_tokens": 0}
        counted = {
            "prompt_tokens": sum(count_tokens(message.content or "", model=self._label) for message in self._messages),
            "completion_tokens": count_tokens(self._text, model=self._label),
        }
        return counted | self.reported

    async def _responses(self) -> AsyncGenerator[ChatResponse, None]:
        with provider_errors(self._call):
            stream, response = await self._begin()
        try:
            while response is not None:
                yield response
                with provider_errors(self._call):
                    async with asyncio.timeout(self._silence_seconds):
                        response = await anext(stream, None)
        finally:
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()

    async def _begin(self) -> tuple[AsyncIterator[ChatResponse], ChatResponse | None]:
        """Send the question; what the server refuses to be told is left out, each thing once."""
        refusals = 0
        async with asyncio.timeout(self._silence_seconds):
            while True:
                try:
                    stream = await self._llm.astream_chat(self._messages)
                    return stream, await anext(stream, None) or await self._reason_for_nothing()
                except NotImplementedError:
                    return _nothing(), _whole(await self._llm.achat(self._messages))
                except Exception as exc:
                    refusals += 1
                    if refusals > len(_REFUSED_PARAMETERS) + 1 or not self._leave_out(exc):
                        raise

    async def _reason_for_nothing(self) -> ChatResponse | None:
        """Ask for the whole after a stream without a word: llama-cpp-python's server refuses so, and then says why."""
        try:
            return _whole(await self._llm.achat(self._messages))
        except Exception as exc:
            if 400 <= (http_status(exc) or 0) < 500:
                raise
            return None

    def _leave_out(self, exc: Exception) -> bool:
        """Change what is sent where the server says that it does not take it; it is then never sent again."""
        if http_status(exc) not in (400, 422):
            return False
        said = said_by(exc).lower()
        if "system" in said and "role" in said and self._messages[0].role == MessageRole.SYSTEM:
            rules, *others = self._messages
            first, *rest = others or [ChatMessage(role=MessageRole.USER, content="")]
            merged = ChatMessage(role=MessageRole.USER, content=f"{rules.content}\n\n{first.content}".strip())
            self._messages = [merged, *rest]
            return True
        sent = getattr(self._llm, "additional_kwargs", None)
        if not isinstance(sent, dict):
            return False
        for parameter, instead in _REFUSED_PARAMETERS.items():
            if re.search(rf"\b{parameter}\b", said) and sent.get(parameter) is not _omitted():
                log.info("%s does not take %s; it is left out from now on.", self._label, parameter)
                value = sent.get(parameter)
                sent[parameter] = _omitted()
                if instead and value is not None and sent.get(instead) is not _omitted():
                    sent[instead] = value
                return True
        return False

    def _note(self, response: ChatResponse) -> None:
        for name, ollamas_name in (("prompt_tokens", "prompt_eval_count"), ("completion_tokens", "eval_count")):
            tokens = response.additional_kwargs.get(name)
            if tokens is None and isinstance(response.raw, dict):
                tokens = response.raw.get(ollamas_name)
            if isinstance(tokens, int) and tokens > 0:
                self.reported[name] = tokens
        reason, may_tell = _finish_reason(response.raw)
        if reason in ("length", "max_tokens"):
            self.ending = "too long"
        elif reason:
            self.ending = "broken" if reason in ("content_filter", "error") else "whole"
        elif may_tell:
            # Nothing of a lost connection reaches us but that the last piece does not say it is the last.
            self.ending = "broken"


async def complete_text(llm: LLM, messages: Sequence[ChatMessage], *, silence_seconds: float = 60.0) -> str:
    """The whole reply of a model, without its reasoning.

    Raises:
        ModelError: the server cannot be reached, refuses, or breaks off.
    """
    stream = ModelStream(llm, messages, silence_seconds=silence_seconds)
    return "".join([piece async for piece in stream.pieces()]).strip()


# What servers refuse, and what they want instead.
_REFUSED_PARAMETERS: dict[str, str | None] = {
    "max_tokens": "max_completion_tokens",
    "max_completion_tokens": "max_tokens",
    "temperature": None,
    "stream_options": None,
}


def _omitted() -> object:
    """The value that makes the openai client leave a parameter out."""
    from openai import omit

    return omit


async def _nothing() -> AsyncIterator[ChatResponse]:
    """A stream that is at its end."""
    nothing: tuple[ChatResponse, ...] = ()
    for response in nothing:
        yield response


def _whole(response: ChatResponse) -> ChatResponse:
    """A reply that came at once, as the only piece of a stream."""
    return ChatResponse(
        message=response.message,
        delta=response.message.content or "",
        raw=response.raw,
        additional_kwargs=response.additional_kwargs,
    )


def _finish_reason(raw: Any) -> tuple[str | None, bool]:
    """Why the stream ended, where this piece says so, and whether its protocol says so at all."""
    choices = getattr(raw, "choices", None)
    if choices:
        return getattr(choices[0], "finish_reason", None), True
    if isinstance(raw, dict) and raw.get("choices"):  # transformers in this process
        return raw["choices"][0].get("finish_reason"), True
    if raw is not None and hasattr(raw, "get") and "done" in raw:  # Ollama
        return (raw.get("done_reason") or "stop", True) if raw["done"] else (None, True)
    return None, False


class ThoughtFilter:
    """Leaves out what a reasoning model thinks aloud between `<think>` and `</think>`, however the stream is cut."""

    _OPEN = re.compile(r"<(think|thinking|reasoning|thought)>", re.IGNORECASE)
    _TAGS = tuple(f"<{slash}{name}>" for name in ("think", "thinking", "reasoning", "thought") for slash in ("", "/"))

    def __init__(self) -> None:
        self._held = ""
        self._closing = ""  # the tag that ends the thought we are in
        self._begun = False  # whether text has been given

    def feed(self, piece: str) -> str:
        """Take the next piece; returns what of it, and of what was held back, is text."""
        self._held += piece
        text = ""
        while True:
            if self._closing:
                end = self._held.lower().find(self._closing)
                if end < 0:
                    self._held = self._held[-len(self._closing) :]
                    return self._given(text)
                self._held = self._held[end + len(self._closing) :].lstrip()
                self._closing = ""
            opening = self._OPEN.search(self._held)
            if not opening:
                break
            text += self._held[: opening.start()]
            self._closing = f"</{opening[1].lower()}>"
            self._held = self._held[opening.end() :]
        keep = self._tag_begun(self._held)
        text += self._held[: len(self._held) - keep]
        self._held = self._held[len(self._held) - keep :]
        return self._given(text)

    def finish(self) -> str:
        """What was held back, at the end of the stream; a thought that never ended is not text."""
        text, self._held = ("" if self._closing else self._held), ""
        return self._given(text)

    def _given(self, text: str) -> str:
        if not self._begun:
            text = text.lstrip()
            self._begun = bool(text)
        return text

    def _tag_begun(self, text: str) -> int:
        """How many characters at the end of `text` may be the beginning of a tag."""
        start = text.rfind("<", -max(map(len, self._TAGS)))
        begun = text[start:].lower() if start >= 0 else ""
        return len(begun) if begun and any(tag.startswith(begun) for tag in self._TAGS) else 0
