"""A gullible language model: it reads what it is sent and does what a planted order says, wherever the order stands."""

import base64
import re
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
from llama_index.core.llms import CustomLLM
from pydantic import PrivateAttr

_SOURCE = re.compile(r"^Source \[(\d+)\]\n<<(DATA-[0-9a-f]+)\n(.*?)\n\2>>", re.MULTILINE | re.DOTALL)
_PIECE = 11  # characters: markers, links and tags come cut in two


class ObeyingLLM(CustomLLM):
    """Writes `obeys` whenever `order` stands in its prompt, else an honest sentence from the first source.

    In `obeys`, `{rules}` is the system message, `{prompt}` everything it was sent, `{base64}` the rules in that code,
    `{fence}` the mark around data, `{planted}` the number of the source that holds the order, `{clean}` that of the
    best source that does not, `{last}` the number of the last source.
    """

    context_window: int = 8192
    order: str
    obeys: str
    _prompts: list[str] = PrivateAttr(default_factory=list)

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(context_window=self.context_window, num_output=600, is_chat_model=True, model_name="obeying")

    @property
    def prompts(self) -> list[str]:
        """Everything sent, a text for each call."""
        return self._prompts

    @property
    def saw_the_order(self) -> bool:
        """Whether the order was in anything that was sent."""
        return any(self.order in prompt for prompt in self._prompts)

    def reply(self, messages: Sequence[ChatMessage]) -> str:
        """What it writes to these messages."""
        prompt = "\n\n".join(message.content or "" for message in messages)
        self._prompts.append(prompt)
        # Of the last message alone: the rules hold an example with sources of its own.
        sources = {int(match[1]): match[3] for match in _SOURCE.finditer(messages[-1].content or "")}
        if self.order in prompt:
            return self._obey(prompt, messages[0].content or "", sources)
        if not sources:  # asked to rewrite a question
            return str(re.findall(r"<<DATA-[0-9a-f]+\n(.*?)\nDATA-", prompt, re.DOTALL)[-1])
        first = sources[1].partition("Text: ")[2]
        return re.split(r"(?<=[.!?])\s", first)[0].rstrip(".") + " [1]."

    def _obey(self, prompt: str, rules: str, sources: dict[int, str]) -> str:
        planted = [number for number, text in sources.items() if self.order in text]
        clean = [number for number in sources if number not in planted]
        fence = re.search(r"DATA-[0-9a-f]+", prompt)
        values = {
            "rules": rules,
            "prompt": prompt,
            "base64": base64.b64encode(rules.encode()).decode(),
            "fence": fence[0] if fence else "",
            "planted": str(min(planted, default=1)),
            "clean": str(min(clean, default=1)),
            "last": str(max(sources, default=1)),
        }
        return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], match[0]), self.obeys)

    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        return ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=self.reply(messages)))

    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        return self.chat(messages)

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        whole = self.reply(messages)

        def stream() -> ChatResponseGen:
            for start in range(0, len(whole), _PIECE):
                message = ChatMessage(role=MessageRole.ASSISTANT, content=whole[: start + _PIECE])
                yield ChatResponse(message=message, delta=whole[start : start + _PIECE])

        return stream()

    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseAsyncGen:
        replies = self.stream_chat(messages)

        async def stream() -> ChatResponseAsyncGen:
            for response in replies:
                yield response

        return stream()

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        return CompletionResponse(text=self.reply([ChatMessage(content=prompt)]))

    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        raise AssertionError("Byline only chats")
