"""Stand-ins for models: deterministic, offline, small enough to read."""

import hashlib
import math
import re
from collections import deque
from collections.abc import Sequence
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseGen,
    LLMMetadata,
    MessageRole,
)
from llama_index.core.embeddings import BaseEmbedding
from llama_index.core.llms import CustomLLM
from pydantic import PrivateAttr


class HashingEmbedding(BaseEmbedding):
    """A bag of hashed words as a unit vector: texts that share words are near each other."""

    dimensions: int = 64

    def _embed(self, text: str) -> list[float]:
        vector = [0.0] * self.dimensions
        for word in re.findall(r"\w+", text.lower()):
            digest = hashlib.sha256(word.encode()).digest()
            vector[digest[0] % self.dimensions] += 1.0 if digest[1] % 2 else -1.0
        norm = math.sqrt(sum(value * value for value in vector)) or 1.0
        return [value / norm for value in vector]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._embed(text)

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._embed(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._embed(query)


class ScriptedLLM(CustomLLM):
    """Says what was enqueued, in pieces, and remembers what it was asked.

    `enqueue("...")` or `enqueue(["pieces", "of a", "stream"])` or `enqueue(SomeError())`.
    """

    context_window: int = 8192
    _replies: deque[list[str] | Exception] = PrivateAttr(default_factory=deque)
    _history: list[list[ChatMessage]] = PrivateAttr(default_factory=list)

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(
            context_window=self.context_window, num_output=600, is_chat_model=True, model_name="scripted"
        )

    @property
    def history(self) -> list[list[ChatMessage]]:
        """The messages of every call, in order."""
        return self._history

    def enqueue(self, reply: str | list[str] | Exception) -> None:
        """Add what the next call says or raises."""
        self._replies.append([reply] if isinstance(reply, str) else reply)

    def _next(self, messages: Sequence[ChatMessage]) -> list[str]:
        self._history.append(list(messages))
        assert self._replies, "the script has no reply left for this call"
        reply = self._replies.popleft()
        if isinstance(reply, Exception):
            raise reply
        return reply

    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        text = "".join(self._next(messages))
        return ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=text))

    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        return self.chat(messages, **kwargs)

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        pieces = self._next(messages)

        def stream() -> ChatResponseGen:
            text = ""
            for piece in pieces:
                text += piece
                yield ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=text), delta=piece)

        return stream()

    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseAsyncGen:
        replies = self.stream_chat(messages, **kwargs)

        async def stream() -> ChatResponseAsyncGen:
            for reply in replies:
                yield reply

        return stream()

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        return CompletionResponse(text="".join(self._next([ChatMessage(content=prompt)])))

    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        raise AssertionError("Byline only chats")
