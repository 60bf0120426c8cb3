"""Model errors: what a client of a language or embedding model raises becomes one line that names the setting to mend.

A key is never in it: neither the one that was sent nor anything that looks like one.
"""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal

from index.errors import BylineError, ModelContextError, ModelError, ModelRefusedError, ModelUnreachableError

_refused_with: ContextVar[int] = ContextVar("refused_with", default=0)


async def note_refusal(response: Any) -> None:
    """For an httpx client that retries by itself: a call that runs out of time meanwhile says what it waited for."""
    _refused_with.set(response.status_code if response.is_error else 0)


@dataclass(frozen=True, slots=True)
class ModelCall:
    """What a message about a call says of it.

    Attributes:
        label: the model, `provider/model`.
        base_url: its server's address, where one is set.
        kind: which model it is, as its settings name it.
        secrets: what must not be in a message, whatever it looks like.
    """

    label: str
    base_url: str | None = None
    kind: Literal["LLM", "EMBEDDING"] = "LLM"
    secrets: tuple[str, ...] = ()

    @property
    def server(self) -> str:
        """The model and where it is."""
        return f"{self.label}{place_of(self.base_url)}"

    @property
    def model_setting(self) -> str:
        """The setting that names the model."""
        return f"BYLINE_{self.kind}"

    @property
    def key_setting(self) -> str:
        """Where its key is set."""
        key = f"BYLINE_{self.kind}_API_KEY"
        return f"OPENAI_API_KEY or {key}" if self.label.startswith("openai/") else key

    @property
    def address_setting(self) -> str:
        """What decides where it is looked for."""
        own = self.base_url or not self.label.startswith("openai/")
        return f"BYLINE_{self.kind}_BASE_URL" if own else "the network"


@contextmanager
def model_errors(call: ModelCall) -> Iterator[None]:
    """Turn what a provider's client raises into the ModelError family; other exceptions pass.

    Raises:
        ModelError: one line that says what failed and which setting mends it; never a key.
    """
    with provider_errors(call, anything=False):
        yield


@contextmanager
def provider_errors(call: ModelCall, *, anything: bool = True) -> Iterator[None]:
    """`model_errors` that takes every exception for the provider's: around its own calls alone."""
    _refused_with.set(0)
    try:
        yield
    except BylineError:
        raise
    except Exception as exc:  # providers' classes share no base
        if not (anything or _is_providers(exc)):
            raise
        raise _translated(exc, call) from exc


def _is_providers(exc: Exception) -> bool:
    """Whether an exception comes from a provider's client and not from our own code."""
    package = type(exc).__module__.partition(".")[0]
    known = package in {"openai", "httpx", "httpcore", "ollama", "requests", "urllib3", "aiohttp", "anyio"}
    kinds = (ConnectionError, TimeoutError, json.JSONDecodeError, UnicodeDecodeError)
    return known or isinstance(exc, kinds) or http_status(exc) is not None


def _translated(exc: Exception, call: ModelCall) -> ModelError:
    import httpx
    import openai

    if isinstance(exc, (TimeoutError, httpx.TimeoutException, openai.APITimeoutError)):
        if _caused_by(exc, httpx.ConnectTimeout):
            return ModelUnreachableError(
                f"{call.server} cannot be reached within BYLINE_LLM_CONNECT_SECONDS: check {call.address_setting}."
            )
        if _refused_with.get() == 429:
            return ModelRefusedError(
                f"{call.server} asks to wait (429) for longer than BYLINE_LLM_READ_SECONDS: try again later, or check "
                "the quota of the key."
            )
        return ModelUnreachableError(
            f"{call.server} sent nothing for too long; raise BYLINE_LLM_READ_SECONDS if it is only slow."
        )
    status = http_status(exc)
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
            f"{call.server} answered with something that cannot be read: check {call.address_setting}."
        )
    said = without_secrets(said_by(exc), exc, secrets=call.secrets)
    if _is_about_context(said):
        return _context_error(call)
    return ModelRefusedError(f"{call.server} failed: {said}.")


def _refused(exc: Exception, status: int, call: ModelCall) -> ModelError:
    said = without_secrets(said_by(exc), exc, secrets=call.secrets)
    if status in (400, 413, 422) and (status == 413 or _is_about_context(said)):
        return _context_error(call)
    hints = {
        401: f"does not accept the key (401): check {call.key_setting}",
        403: f"does not allow this model with this key (403): check {call.key_setting} and {call.model_setting}",
        404: f"has no such model or no such address (404: {said}): check {call.model_setting}, {call.address_setting}",
        429: f"asks to wait (429: {said}): try again later, or check the quota of the key",
    }
    if status >= 500:
        return ModelRefusedError(f"{call.server} failed ({status}: {said}); try again, or see the server's log.")
    return ModelRefusedError(f"{call.server} {hints.get(status, f'refused the request ({status}: {said})')}.")


def _context_error(call: ModelCall) -> ModelContextError:
    if call.kind == "EMBEDDING":
        return ModelContextError(f"{call.server} cannot read a text that long: lower BYLINE_PASSAGE_TOKENS.")
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


def http_status(exc: BaseException) -> int | None:
    """The HTTP status that an exception of openai, ollama, httpx or another client carries."""
    for holder in (exc, getattr(exc, "response", None)):
        for name in ("status_code", "code"):
            status = getattr(holder, name, None)
            if isinstance(status, int) and 400 <= status < 600:
                return status
    return None


def said_by(exc: BaseException) -> str:
    """The first line of what the provider says."""
    body = getattr(exc, "body", None)  # of openai's exceptions; their text is the whole JSON
    if isinstance(body, dict):
        inner = body.get("error", body)
        body = inner.get("message") if isinstance(inner, dict) else inner
    text = body if isinstance(body, str) and body.strip() else str(exc)
    lines = re.sub(r"<[^>]*>", " ", text).strip().splitlines()
    return " ".join(lines[0].split())[:200].rstrip(".") if lines else type(exc).__name__


def without_secrets(text: str, exc: BaseException, *, secrets: Iterable[str] = ()) -> str:
    """`text` without `secrets`, without the key that was sent and without what looks like one."""
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    headers = getattr(getattr(exc, "request", None), "headers", {})
    sent = str(headers.get("authorization", "")).removeprefix("Bearer ").strip()
    if len(sent) > 3:
        text = text.replace(sent, "***")
    return re.sub(r"\b(?:sk|pk|gsk|hf|key)[-_][\w*-]{6,}|Bearer\s+\S+|(?<=//)[^/@\s]+@", "***", text)


def place_of(base_url: str | None) -> str:
    """` at ADDRESS` without the password in it, or ""."""
    return f" at {re.sub(r'(?<=//)[^/@]*@', '***@', base_url)}" if base_url else ""
