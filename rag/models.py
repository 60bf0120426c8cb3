"""The language model by name, and one call of it as a stream; what providers raise becomes our errors here.

One layer retries: the openai client, twice, honouring Retry-After up to a minute; LlamaIndex's own retries are off.
However often it retries, `ModelStream` waits no longer than the silence that the settings allow.
"""

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from typing import Any, Literal
from urllib.parse import urlsplit

from llama_index.core.base.llms.types import ChatMessage, ChatResponse, MessageRole
from llama_index.core.llms import LLM

from index.errors import (
    BylineError,
    ModelContextError,
    ModelError,
    ModelRefusedError,
    ModelUnreachableError,
    SettingsError,
)
from index.settings import Settings
from index.tokens import count_tokens

log = logging.getLogger(__name__)

OPENAI_URL = "https://api.openai.com/v1"
OLLAMA_URL = "http://localhost:11434"
_RETRIES = 2

Ending = Literal["whole", "too long", "broken"]


# --- by name ------------------------------------------------------------------------------------------------------


def model_label(settings: Settings) -> str:
    """`provider/model`, or `none`."""
    return settings.llm_name


def load_llm(settings: Settings) -> LLM | None:
    """The language model that `BYLINE_LLM` names, or None for `none`; nothing is sent yet.

    Raises:
        SettingsError: no such provider, or what it needs is not set or not installed.
    """
    name = settings.llm_name
    if name == "none":
        return None
    provider, _, model = name.partition("/")
    load = _PROVIDERS.get(provider)
    if load and model:
        return load(settings, model)
    if not model and "." in name:
        return _load_class(settings, name)
    raise SettingsError(
        f"BYLINE_LLM: there is no language model '{name}'. There are: "
        + ", ".join(f"{known}/MODEL" for known in _PROVIDERS)
        + ", none, auto, or the import path of a LlamaIndex class such as package.module.MyLLM."
    )


def _load_openai(settings: Settings, model: str) -> LLM:
    key = settings.llm_api_key or settings.openai_api_key
    if key is None:
        raise SettingsError(f"BYLINE_LLM={settings.llm_name} needs a key: set OPENAI_API_KEY or BYLINE_LLM_API_KEY.")
    url = settings.llm_base_url or settings.openai_base_url or OPENAI_URL
    return _openai_protocol(settings, model, url=url, key=key.get_secret_value())


def _load_openai_like(settings: Settings, model: str) -> LLM:
    if settings.llm_base_url is None:
        raise SettingsError(
            f"BYLINE_LLM={settings.llm_name} needs the server's address: set BYLINE_LLM_BASE_URL, "
            "for example http://localhost:8080/v1."
        )
    # OPENAI_API_KEY is OpenAI's alone and is not sent to other servers.
    key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else "none"
    return _openai_protocol(settings, model, url=settings.llm_base_url, key=key)


def _openai_protocol(settings: Settings, model: str, *, url: str, key: str) -> LLM:
    """A model behind OpenAI's chat completions, whatever its name."""
    # Imported here because they take half a second, which quoting without a model does not need.
    import httpx
    from openai import AsyncOpenAI, OpenAI

    timeout = httpx.Timeout(settings.llm_read_seconds, connect=settings.llm_connect_seconds)
    # Connections are not kept: a kept one belongs to the event loop it was opened on, and commands start new loops.
    limits = httpx.Limits(max_keepalive_connections=0)
    # The machine's proxy settings are for other hosts.
    trust_env = not _is_this_machine(url)
    length = {"max_completion_tokens" if url == OPENAI_URL else "max_tokens": settings.llm_answer_tokens}
    arguments: dict[str, Any] = {
        "temperature": 0.0,
        "context_window": settings.llm_context_tokens,
        "additional_kwargs": {"stream_options": {"include_usage": True}, **length},
        **settings.llm_options,
    }
    openai_like = _import_class("llama_index.llms.openai_like.OpenAILike", package="llama-index-llms-openai-like")
    return openai_like(
        model=model,
        api_base=url,
        api_key="held by the clients",  # so that no repr and no trace of this object shows it
        is_chat_model=True,
        max_retries=0,
        openai_client=OpenAI(
            api_key=key,
            base_url=url,
            max_retries=_RETRIES,
            http_client=httpx.Client(timeout=timeout, limits=limits, trust_env=trust_env, follow_redirects=True),
        ),
        async_openai_client=AsyncOpenAI(
            api_key=key,
            base_url=url,
            max_retries=_RETRIES,
            http_client=httpx.AsyncClient(timeout=timeout, limits=limits, trust_env=trust_env, follow_redirects=True),
        ),
        **arguments,
    )


def _load_ollama(settings: Settings, model: str) -> LLM:
    """Ollama by its own protocol: through its OpenAI door the context window set here would be ignored."""
    ollama_class = _import_class("llama_index.llms.ollama.Ollama", package="llama-index-llms-ollama")
    headers = {"Authorization": f"Bearer {settings.llm_api_key.get_secret_value()}"} if settings.llm_api_key else None
    arguments: dict[str, Any] = {
        "base_url": (settings.llm_base_url or OLLAMA_URL).removesuffix("/v1"),
        "context_window": settings.llm_context_tokens,
        "request_timeout": settings.llm_read_seconds,
        "temperature": 0.0,
        "headers": headers,
        "additional_kwargs": {"num_predict": settings.llm_answer_tokens},
        **settings.llm_options,
    }
    return ollama_class(model=model, **arguments)


_PROVIDERS: dict[str, Callable[[Settings, str], LLM]] = {
    "openai": _load_openai,
    "openai-like": _load_openai_like,
    "ollama": _load_ollama,
}


def _load_class(settings: Settings, path: str) -> LLM:
    """Any LlamaIndex class, made with `BYLINE_LLM_OPTIONS`."""
    found = _import_class(path)
    try:
        return found(**settings.llm_options)
    except (TypeError, ValueError) as exc:  # pydantic's ValidationError is a ValueError
        first = str(exc).strip().splitlines()[0]
        raise SettingsError(f"BYLINE_LLM_OPTIONS do not fit {path}: {_without_secrets(first, exc)}.") from exc


def _import_class(path: str, *, package: str | None = None) -> Callable[..., LLM]:
    module, _, name = path.rpartition(".")
    try:
        found = getattr(import_module(module), name)
    except ImportError as exc:
        mend = f"install it with: pip install {package}" if package else "install its package or mend the path"
        raise SettingsError(f"BYLINE_LLM: {path} cannot be imported; {mend}.") from exc
    except AttributeError as exc:
        raise SettingsError(f"BYLINE_LLM: the module {module} has no {name}.") from exc
    if not (isinstance(found, type) and issubclass(found, LLM)):
        raise SettingsError(f"BYLINE_LLM: {path} is not a language model class of LlamaIndex.")
    return found


def _is_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in {"localhost", "::1"} or host.startswith("127.")


# --- one call -----------------------------------------------------------------------------------------------------


class ModelStream:
    """One call of a model; `pieces` may be read once, the rest is known afterwards.

    Attributes:
        ending: `whole`, or `too long` where the model came to its limit, or `broken` where its server stopped sending
            without saying that it was done.
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
        self._base_url = base_url
        self._silence_seconds = silence_seconds
        self._text = ""
        self._reported: dict[str, int] = {}

    async def pieces(self) -> AsyncIterator[str]:
        """The text as it arrives, without the model's reasoning.

        Raises:
            ModelError: the server cannot be reached, refuses, or breaks off; what came before was given.
        """
        thoughts = ThoughtFilter()
        received = False
        async for response in self._responses():
            received = True
            self._note(response)
            if text := thoughts.feed(response.delta or ""):
                self._text += text
                yield text
        if not received:
            raise ModelRefusedError(
                f"{self._label}{_place(self._base_url)} sent nothing that can be read. Is BYLINE_LLM_BASE_URL the"
                " address of a server that speaks OpenAI's protocol (it often ends in /v1)?"
            )
        if text := thoughts.finish():
            self._text += text
            yield text

    def usage(self) -> dict[str, int]:
        """`prompt_tokens` and `completion_tokens`: as the server reports them, else counted."""
        counted = {
            "prompt_tokens": sum(count_tokens(message.content or "", model=self._label) for message in self._messages),
            "completion_tokens": count_tokens(self._text, model=self._label),
        }
        return counted | self._reported

    async def _responses(self) -> AsyncIterator[ChatResponse]:
        stream: AsyncIterator[ChatResponse] | None = None
        with _our_errors(self._label, self._base_url, anything=True):
            stream, response = await self._begin()
        while response is not None:
            yield response
            with _our_errors(self._label, self._base_url, anything=True):
                async with asyncio.timeout(self._silence_seconds):
                    response = await anext(stream, None)

    async def _begin(self) -> tuple[AsyncIterator[ChatResponse], ChatResponse | None]:
        """Send the question; what the server refuses to be told is left out, each thing once."""
        refusals = 0
        async with asyncio.timeout(self._silence_seconds):
            while True:
                try:
                    stream = await self._llm.astream_chat(self._messages)
                    return stream, await anext(stream, None)
                except NotImplementedError:
                    return _nothing(), _whole(await self._llm.achat(self._messages))
                except Exception as exc:
                    refusals += 1
                    if refusals > len(_REFUSED_PARAMETERS) + 1 or not self._leave_out(exc):
                        raise

    def _leave_out(self, exc: Exception) -> bool:
        """Change what is sent where the server says that it does not take it; it is then never sent again."""
        if _status(exc) not in (400, 422):
            return False
        said = _said(exc).lower()
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
        for name in ("prompt_tokens", "completion_tokens"):
            tokens = response.additional_kwargs.get(name)
            if isinstance(tokens, int) and tokens > 0:
                self._reported[name] = tokens
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


# --- errors -------------------------------------------------------------------------------------------------------


@contextmanager
def model_errors(label: str, base_url: str | None = None) -> Iterator[None]:
    """Turn what a provider's client raises into the ModelError family; other exceptions pass.

    Args:
        label: the model, `provider/model`.
        base_url: its server's address, where one is set.

    Raises:
        ModelError: one line that says what failed and which setting mends it; never a key.
    """
    with _our_errors(label, base_url, anything=False):
        yield


@contextmanager
def _our_errors(label: str, base_url: str | None, *, anything: bool) -> Iterator[None]:
    try:
        yield
    except BylineError:
        raise
    except Exception as exc:  # providers' classes share no base
        if not (anything or _is_providers(exc)):
            raise
        raise _translated(exc, _Call(label, base_url)) from exc


def _is_providers(exc: Exception) -> bool:
    """Whether an exception comes from a provider's client and not from our own code."""
    package = type(exc).__module__.partition(".")[0]
    known = package in {"openai", "httpx", "httpcore", "ollama", "requests", "urllib3", "aiohttp", "anyio"}
    kinds = (ConnectionError, TimeoutError, json.JSONDecodeError, UnicodeDecodeError)
    return known or isinstance(exc, kinds) or _status(exc) is not None


class _Call:
    """Words for messages about one call."""

    def __init__(self, label: str, base_url: str | None) -> None:
        self.label = label
        self.base_url = base_url

    @cached_property
    def server(self) -> str:
        return f"{self.label}{_place(self.base_url)}"

    @cached_property
    def key_setting(self) -> str:
        return "OPENAI_API_KEY or BYLINE_LLM_API_KEY" if self.label.startswith("openai/") else "BYLINE_LLM_API_KEY"

    @cached_property
    def address_setting(self) -> str:
        return "BYLINE_LLM_BASE_URL" if self.base_url or not self.label.startswith("openai/") else "the network"


def _translated(exc: Exception, call: _Call) -> ModelError:
    import httpx
    import openai

    if isinstance(exc, (TimeoutError, httpx.TimeoutException, openai.APITimeoutError)):
        if _caused_by(exc, httpx.ConnectTimeout):
            return ModelUnreachableError(
                f"{call.server} cannot be reached within BYLINE_LLM_CONNECT_SECONDS: check {call.address_setting}."
            )
        return ModelUnreachableError(
            f"{call.server} sent nothing for too long; raise BYLINE_LLM_READ_SECONDS if it is only slow."
        )
    status = _status(exc)
    if status is not None:
        return _refused(exc, status, call)
    if _caused_by(exc, httpx.RemoteProtocolError, httpx.ReadError):
        return ModelUnreachableError(f"{call.server} broke the connection off; see the server's log and try again.")
    if isinstance(exc, (ConnectionError, httpx.TransportError, openai.APIConnectionError)):
        return ModelUnreachableError(
            f"{call.server} cannot be reached: is the server running? Check {call.address_setting}."
        )
    if isinstance(exc, (json.JSONDecodeError, UnicodeDecodeError, openai.APIResponseValidationError)):
        return ModelRefusedError(
            f"{call.server} answered with something that is not OpenAI's protocol: check {call.address_setting}."
        )
    said = _without_secrets(_said(exc), exc)
    if _is_about_context(said):
        return _context_error(call)
    return ModelRefusedError(f"{call.server} failed: {said}.")


def _refused(exc: Exception, status: int, call: _Call) -> ModelError:
    said = _without_secrets(_said(exc), exc)
    if status in (400, 413, 422) and (status == 413 or _is_about_context(said)):
        return _context_error(call)
    hints = {
        401: f"does not accept the key (401): check {call.key_setting}",
        403: f"does not allow this model with this key (403): check {call.key_setting} and BYLINE_LLM",
        404: f"has no such model or no such address (404: {said}): check BYLINE_LLM and {call.address_setting}",
        429: f"asks to wait (429: {said}): try again later, or check the quota of the key",
    }
    if status >= 500:
        return ModelRefusedError(f"{call.server} failed ({status}: {said}); try again, or see the server's log.")
    return ModelRefusedError(f"{call.server} {hints.get(status, f'refused the request ({status}: {said})')}.")


def _context_error(call: _Call) -> ModelContextError:
    return ModelContextError(
        f"{call.server} cannot read that much at once: set BYLINE_LLM_CONTEXT_TOKENS to its real context window, or "
        "lower BYLINE_TOP_K."
    )


def _is_about_context(said: str) -> bool:
    return bool(
        re.search(
            r"context.{0,20}(?:length|window|size)|(?:exceed|larger|longer|too long|too many|maximum).{0,60}"
            r"(?:context|tokens)|prompt is too long",
            said,
            re.IGNORECASE,
        )
    )


def _caused_by(exc: BaseException | None, *kinds: type[BaseException]) -> bool:
    while exc is not None:
        if isinstance(exc, kinds):
            return True
        exc = exc.__cause__ or exc.__context__
    return False


def _status(exc: BaseException) -> int | None:
    """The HTTP status that an exception of openai, ollama, httpx or another client carries."""
    for holder in (exc, getattr(exc, "response", None)):
        for name in ("status_code", "code"):
            status = getattr(holder, name, None)
            if isinstance(status, int) and 400 <= status < 600:
                return status
    return None


def _said(exc: BaseException) -> str:
    """The first line of what the provider says."""
    body = getattr(exc, "body", None)  # of openai's exceptions; their text is the whole JSON
    if isinstance(body, dict):
        inner = body.get("error", body)
        body = inner.get("message") if isinstance(inner, dict) else inner
    text = body if isinstance(body, str) and body.strip() else str(exc)
    lines = re.sub(r"<[^>]*>", " ", text).strip().splitlines()
    return " ".join(lines[0].split())[:200].rstrip(".") if lines else type(exc).__name__


def _without_secrets(text: str, exc: BaseException) -> str:
    """`text` without the key that was sent and without what looks like one."""
    headers = getattr(getattr(exc, "request", None), "headers", {})
    sent = str(headers.get("authorization", "")).removeprefix("Bearer ").strip()
    if len(sent) > 3:
        text = text.replace(sent, "***")
    return re.sub(r"\b(?:sk|pk|gsk|hf|key)[-_][\w*-]{6,}|Bearer\s+\S+|(?<=//)[^/@\s]+@", "***", text)


def _place(base_url: str | None) -> str:
    return f" at {re.sub(r'(?<=//)[^/@]*@', '***@', base_url)}" if base_url else ""
