"""Language models that run in this process: a GGUF file by llama.cpp, a folder or name by transformers.

They compute in a thread of their own, one answer at a time, so that the page lives on meanwhile.
"""

import asyncio
import threading
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
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
from llama_index.core.llms import LLM, CustomLLM
from pydantic import PrivateAttr

from index.errors import SettingsError
from index.model_errors import said_by
from index.settings import Settings


def load_gguf(settings: Settings) -> LLM:
    """The model of `llama-cpp/PATH.gguf`.

    Raises:
        SettingsError: llama-cpp-python is not installed, or the file cannot be read.
    """
    path = Path(settings.llm_name.partition("/")[2]).expanduser()
    try:
        llama_cpp = import_module("llama_cpp")
    except ImportError as exc:
        raise SettingsError(
            f"BYLINE_LLM={settings.llm_name} needs a package: install it with: pip install llama-cpp-python"
        ) from exc
    if not path.is_file():
        raise SettingsError(f"BYLINE_LLM={settings.llm_name}: there is no file {path}.")
    options = {"n_ctx": settings.llm_context_tokens, "verbose": False, **settings.llm_options}
    try:
        model = llama_cpp.Llama(model_path=str(path), **options)
    except (ValueError, TypeError, OSError, RuntimeError) as exc:
        raise SettingsError(f"BYLINE_LLM={settings.llm_name} cannot be loaded: {said_by(exc)}.") from exc
    gguf = GgufLLM(name=path.name, context_window=settings.llm_context_tokens, answer_tokens=settings.llm_answer_tokens)
    return ThreadedLLM(gguf.around(model))


def load_transformers(settings: Settings) -> LLM:
    """The model of `huggingface/NAME_OR_FOLDER`, with the chat template of its tokenizer.

    Raises:
        SettingsError: the package is not installed, or there is no such model.
    """
    name = settings.llm_name.partition("/")[2]
    try:
        found = import_module("llama_index.llms.huggingface")
    except ImportError as exc:
        raise SettingsError(
            f"BYLINE_LLM={settings.llm_name} needs a package: install it with: pip install llama-index-llms-huggingface"
        ) from exc
    arguments: dict[str, Any] = {
        "context_window": settings.llm_context_tokens,
        "max_new_tokens": settings.llm_answer_tokens,
        "generate_kwargs": {"do_sample": False},
        **settings.llm_options,
    }
    try:
        inner = found.HuggingFaceLLM(model_name=name, tokenizer_name=name, **arguments)
    except (ValueError, TypeError, OSError, ImportError, RuntimeError) as exc:
        raise SettingsError(f"BYLINE_LLM={settings.llm_name} cannot be loaded: {said_by(exc)}.") from exc
    return ThreadedLLM(inner)


class _Chatting(CustomLLM):
    """A model that only chats, as Byline asks of one."""

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """One message's reply."""
        response = self.chat([ChatMessage(role=MessageRole.USER, content=prompt)], **kwargs)
        return CompletionResponse(text=response.message.content or "", raw=response.raw)

    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        """One message's reply, as it comes."""
        for response in self.stream_chat([ChatMessage(role=MessageRole.USER, content=prompt)], **kwargs):
            yield CompletionResponse(text=response.message.content or "", delta=response.delta, raw=response.raw)

    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """The whole reply."""
        last = ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=""))
        for response in self.stream_chat(messages, **kwargs):
            last = response
        return last


class GgufLLM(_Chatting):
    """A GGUF file, asked with the chat template that it holds."""

    name: str
    context_window: int
    answer_tokens: int
    _model: Any = PrivateAttr()

    def around(self, model: Any) -> "GgufLLM":
        """Give it the loaded model."""
        self._model = model
        return self

    @property
    def metadata(self) -> LLMMetadata:
        """What LlamaIndex wants to know of a model."""
        return LLMMetadata(
            context_window=self.context_window,
            num_output=self.answer_tokens,
            is_chat_model=True,
            model_name=self.name,
        )

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """The reply as it is computed."""
        text = ""
        asked = [{"role": message.role.value, "content": message.content or ""} for message in messages]
        options = {"max_tokens": self.answer_tokens, "temperature": 0.0, **kwargs}
        for chunk in self._model.create_chat_completion(messages=asked, stream=True, **options):
            delta = chunk["choices"][0]["delta"].get("content") or ""
            text += delta
            message = ChatMessage(role=MessageRole.ASSISTANT, content=text)
            yield ChatResponse(message=message, delta=delta, raw=chunk)


class ThreadedLLM(_Chatting):
    """A model that computes where it is called, made to do so in a thread, one call at a time."""

    _inner: LLM = PrivateAttr()
    _one_at_a_time: threading.Lock = PrivateAttr(default_factory=threading.Lock)

    def __init__(self, inner: LLM) -> None:
        super().__init__()
        self._inner = inner

    @property
    def metadata(self) -> LLMMetadata:
        """What LlamaIndex wants to know of a model."""
        return self._inner.metadata

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """The reply as it is computed, in this thread."""
        with self._one_at_a_time:
            yield from self._inner.stream_chat(messages, **kwargs)

    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """The whole reply."""
        return await asyncio.to_thread(self.chat, messages, **kwargs)

    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseAsyncGen:
        """The reply as it is computed; a reader who stops reading stops the model at its next token."""
        loop = asyncio.get_running_loop()
        arrived: asyncio.Queue[ChatResponse | Exception | None] = asyncio.Queue()
        stopped = threading.Event()

        def tell(what: ChatResponse | Exception | None) -> None:
            if not stopped.is_set():
                loop.call_soon_threadsafe(arrived.put_nowait, what)

        def compute() -> None:
            try:
                for response in self.stream_chat(messages, **kwargs):
                    if stopped.is_set():
                        return
                    tell(response)
                tell(None)
            except Exception as exc:  # raised again where it is awaited
                tell(exc)

        async def stream() -> ChatResponseAsyncGen:
            threading.Thread(target=compute, name="language model", daemon=True).start()
            try:
                while (what := await arrived.get()) is not None:
                    if isinstance(what, Exception):
                        raise what
                    yield what
            finally:
                stopped.set()

        return stream()
