"""Language models that run in this process: a GGUF file by llama.cpp, a folder or name by transformers.

They compute in threads of their own, one answer at a time, so that the page lives on meanwhile.
"""

import asyncio
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

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
from rag.model_server import ModelServer


def serve_gguf(settings: Settings) -> tuple[ModelServer, object]:
    """Start llama.cpp's own server in this process with the file of `llama-cpp/PATH.gguf`.

    Returns:
        Where it listens, on this machine alone and with a key made for it; and the running server, which stops when
        it is let go.

    Raises:
        SettingsError: its package is not installed, the file cannot be read, or an option is not one of its.
    """
    name = settings.llm_name
    path = Path(name.partition("/")[2]).expanduser()
    try:
        llama_cpp = import_module("xllamacpp")
    except ImportError as exc:
        raise SettingsError(f"BYLINE_LLM={name} needs a package: install it with: pip install xllamacpp") from exc
    if not path.is_file():
        raise SettingsError(f"BYLINE_LLM={name}: there is no file {path}.")
    key = secrets.token_hex(16)
    options = {
        "model.path": str(path),
        "model_alias": {path.stem},
        "n_ctx": settings.llm_context_tokens,
        "n_parallel": 1,  # else the window is shared out among questions asked at once
        "cache_ram_mib": 0,  # else it keeps up to 8 GiB of what it read before
        "hostnames": ["127.0.0.1"],
        "port": 0,
        "api_keys": [key],
        "ui": False,
        "verbosity": -1,
        **settings.llm_options,
    }
    params = llama_cpp.CommonParams()
    for option, value in options.items():
        _set_option(params, option, value)
    try:
        running = llama_cpp.Server(params)
    except RuntimeError as exc:
        raise SettingsError(
            f"BYLINE_LLM={name} cannot be loaded: llama.cpp does not read {path}, or there is not enough memory."
        ) from exc
    return ModelServer("openai", f"{running.listening_address}/v1", path.stem, key, name), running


def _set_option(params: object, option: str, value: object) -> None:
    """Set one of llama.cpp's parameters; a dot leads into a group, as in `cpuparams.n_threads`."""
    *groups, field = option.split(".")
    try:
        for group in groups:
            params = getattr(params, group)
        setattr(params, field, value)
    except (AttributeError, TypeError, ValueError, OverflowError) as exc:
        raise SettingsError(f"BYLINE_LLM_OPTIONS: llama.cpp takes no {option}={value!r}: {said_by(exc)}.") from exc


def load_transformers(settings: Settings) -> LLM:
    """The model of `huggingface/NAME_OR_FOLDER`, with the chat template of its tokenizer.

    Raises:
        SettingsError: a package is not installed, there is no such model, or an option is not one of its.
    """
    name = settings.llm_name.partition("/")[2]
    try:
        transformers = import_module("transformers")
        import_module("torch")
    except ImportError as exc:
        raise SettingsError(
            f"BYLINE_LLM={settings.llm_name} needs packages: install them with: "
            "pip install transformers torch accelerate"
        ) from exc
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(name)
        model = transformers.AutoModelForCausalLM.from_pretrained(
            name, **{"device_map": "auto", **settings.llm_options}
        )
    except (ValueError, TypeError, OSError, ImportError, RuntimeError) as exc:
        raise SettingsError(f"BYLINE_LLM={settings.llm_name} cannot be loaded: {said_by(exc)}.") from exc
    trained = getattr(model.config, "max_position_embeddings", None)
    window = min(settings.llm_context_tokens, trained) if isinstance(trained, int) else settings.llm_context_tokens
    return ThreadedLLM(TransformersModel(name, window, settings.llm_answer_tokens, model, tokenizer))


class Computing(Protocol):
    """A model that computes where it is called."""

    @property
    def metadata(self) -> LLMMetadata:
        """What LlamaIndex wants to know of a model."""

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """The reply as it is computed."""


@dataclass(frozen=True, slots=True)
class TransformersModel:
    """A causal language model and its tokenizer.

    LlamaIndex's own class for these neither stops when nobody reads on nor says that a prompt or an answer is too long.
    """

    name: str
    window: int
    answer_tokens: int
    model: Any
    tokenizer: Any

    @property
    def metadata(self) -> LLMMetadata:
        """What LlamaIndex wants to know of a model."""
        return LLMMetadata(
            context_window=self.window, num_output=self.answer_tokens, is_chat_model=True, model_name=self.name
        )

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """The reply as it is computed; who closes it stops the model at its next token."""
        transformers = import_module("transformers")
        torch = import_module("torch")
        asked = self._read(messages)
        tokens = asked["input_ids"].shape[1]
        if tokens + self.answer_tokens > self.window:
            raise ValueError(f"{tokens} tokens and an answer exceed the context window of {self.window} tokens")
        streamer = transformers.TextIteratorStreamer(self.tokenizer, skip_prompt=True, skip_special_tokens=True)
        left = threading.Event()
        outcome: dict[str, Any] = {}

        def stop(ids: Any, scores: Any, **more: Any) -> Any:
            return torch.full((ids.shape[0],), left.is_set(), device=ids.device, dtype=torch.bool)

        def compute() -> None:
            try:
                written = self.model.generate(
                    **asked,
                    streamer=streamer,
                    do_sample=False,
                    max_new_tokens=self.answer_tokens,
                    stopping_criteria=transformers.StoppingCriteriaList([stop]),
                )
                outcome["written"] = written.shape[1] - tokens
            except Exception as exc:  # raised again where the reply is read
                outcome["failed"] = exc
                streamer.end()

        computing = threading.Thread(target=compute, name="transformers", daemon=True)
        computing.start()
        text = ""
        try:
            for delta in streamer:
                text += delta
                yield _piece(text, delta, None)
        finally:
            left.set()
            computing.join()
        if "failed" in outcome:
            raise outcome["failed"]
        written = outcome["written"]
        counts = {"prompt_tokens": tokens, "completion_tokens": written}
        yield _piece(text, "", "length" if written >= self.answer_tokens else "stop", counts)

    def _read(self, messages: Sequence[ChatMessage]) -> Any:
        """The messages as tokens, by the model's template; where it has no place for rules, they are asked along."""
        asked = [{"role": message.role.value, "content": message.content or ""} for message in messages]
        if not self.tokenizer.chat_template:
            text = "\n\n".join(message["content"] for message in asked)
            return self.tokenizer(text, return_tensors="pt").to(self.model.device)
        try:
            return self._templated(asked)
        except import_module("jinja2").TemplateError:
            rules, first, *rest = asked
            merged = {"role": "user", "content": f"{rules['content']}\n\n{first['content']}"}
            return self._templated([merged, *rest])

    def _templated(self, asked: list[dict[str, str]]) -> Any:
        read = self.tokenizer.apply_chat_template(
            asked, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        return read.to(self.model.device)


def _piece(text: str, delta: str, finish_reason: str | None, counts: dict[str, int] | None = None) -> ChatResponse:
    """A piece of a reply, in the form that OpenAI's protocol gives it."""
    return ChatResponse(
        message=ChatMessage(role=MessageRole.ASSISTANT, content=text),
        delta=delta,
        raw={"choices": [{"finish_reason": finish_reason}]},
        additional_kwargs=dict(counts or {}),
    )


class ThreadedLLM(CustomLLM):
    """A model that computes where it is called, made to do so in a thread, one call at a time, and only to chat."""

    _inner: Computing = PrivateAttr()
    _one_at_a_time: threading.Lock = PrivateAttr(default_factory=threading.Lock)

    def __init__(self, inner: Computing) -> None:
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
