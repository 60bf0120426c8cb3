import asyncio
import itertools
import sys
import time
from types import ModuleType
from typing import Any

import httpx
import openai
import pytest
from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.llms import LLM, MockLLM
from pydantic import ConfigDict

from index.errors import (
    BylineError,
    ModelContextError,
    ModelError,
    ModelRefusedError,
    ModelUnreachableError,
    SettingsError,
)
from index.model_errors import ModelCall, model_errors
from index.settings import Settings
from rag.model_stream import ThoughtFilter
from rag.models import ModelStream, complete_text, load_llm, model_label
from tests.fakes import ScriptedLLM
from tests.openai_server import (
    HANG,
    HTML_PAGE,
    INVALID_KEY,
    NONSENSE,
    TOO_LONG,
    UNKNOWN_MODEL,
    Fault,
    OpenAIServer,
    Reply,
)
from tests.openai_server import serve_openai as serve_openai

KEY = "sk-test-0123456789abcdef"
MESSAGES = [
    ChatMessage(role=MessageRole.SYSTEM, content="Rules."),
    ChatMessage(role=MessageRole.USER, content="How long?"),
]


def _settings(**values: Any) -> Settings:
    return Settings(**values)


def _at(server: OpenAIServer, **values: Any) -> Settings:
    given = {"llm": "openai-like/small", "llm_base_url": server.base_url, "llm_api_key": KEY, "llm_read_seconds": 5.0}
    return _settings(**(given | values))


def _stream(settings: Settings, *, silence_seconds: float = 60.0) -> ModelStream:
    llm = load_llm(settings)
    assert llm is not None
    return ModelStream(
        llm,
        MESSAGES,
        label=model_label(settings),
        base_url=settings.llm_base_url,
        silence_seconds=silence_seconds,
    )


async def _read(stream: ModelStream) -> tuple[str, ModelError | None]:
    text = ""
    try:
        async for piece in stream.pieces():
            text += piece
    except ModelError as exc:
        return text, exc
    return text, None


# --- by name ---


def test_none_is_no_model() -> None:
    assert load_llm(_settings(llm="none")) is None
    assert model_label(_settings(llm="none")) == "none"


def test_auto_is_openai_where_its_key_is_set() -> None:
    assert load_llm(_settings()) is None
    settings = _settings(OPENAI_API_KEY=KEY)
    assert model_label(settings).startswith("openai/")
    assert load_llm(settings) is not None


@pytest.mark.parametrize("key", ["OPENAI_API_KEY", "llm_api_key"])
def test_openai_takes_either_key(key: str, openai_server: OpenAIServer) -> None:
    settings = _settings(llm="openai/gpt-nobody-knows", llm_base_url=openai_server.base_url, **{key: KEY})
    openai_server.enqueue(Reply())
    text, _ = asyncio.run(_read(_stream(settings)))
    assert text == "Yes."
    assert openai_server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert openai_server.requests[0].body["model"] == "gpt-nobody-knows"


async def test_openais_key_is_not_sent_to_another_server(
    openai_server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    openai_server.enqueue(Reply())
    await _read(_stream(_at(openai_server, llm_api_key=None)))
    assert KEY not in openai_server.requests[0].headers["authorization"]


def test_context_window_is_the_one_that_is_set() -> None:
    llm = load_llm(_settings(llm="openai/gpt-4o", OPENAI_API_KEY=KEY, llm_context_tokens=5000))
    assert llm is not None
    assert llm.metadata.context_window == 5000
    assert llm.metadata.is_chat_model


def test_key_is_in_no_repr_and_no_trace() -> None:
    llm = load_llm(_settings(llm="openai/gpt-4o", OPENAI_API_KEY=KEY))
    assert llm is not None
    assert KEY not in repr(llm)
    assert KEY not in str(llm.to_dict())


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"llm": "openai/gpt-4o"}, "OPENAI_API_KEY"),
        ({"llm": "openai-like/small"}, "BYLINE_LLM_BASE_URL"),
        ({"llm": "nobody/model"}, "openai-like/MODEL"),
        ({"llm": "nowhere.at.all.Model"}, "nowhere.at.all.Model cannot be imported"),
        ({"llm": "llama_index.core.llms.NoSuchLLM"}, "has no NoSuchLLM"),
        ({"llm": "pathlib.Path"}, "not a language model class"),
        ({"llm": "llama_index.core.llms.MockLLM", "llm_options": {"max_tokens": "many"}}, "BYLINE_LLM_OPTIONS"),
    ],
)
def test_what_cannot_be_loaded_names_the_setting(values: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load_llm(_settings(**values))


def test_ollama_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llama_index.llms.ollama", None)
    with pytest.raises(SettingsError, match="pip install llama-index-llms-ollama"):
        load_llm(_settings(llm="ollama/qwen3"))


def test_any_llama_index_class_by_its_import_path() -> None:
    llm = load_llm(_settings(llm="llama_index.core.llms.MockLLM", llm_options='{"max_tokens": 3}'))
    assert isinstance(llm, MockLLM)
    assert llm.max_tokens == 3


class _Client:
    """Stands in for the clients of Ollama's package."""

    def __init__(self, host: str, **given: Any) -> None:
        self.host = host
        self.given = given


def test_ollama_is_told_the_context_window_by_its_own_protocol(monkeypatch: pytest.MonkeyPatch) -> None:
    class Ollama(ScriptedLLM):
        """Stands in for LlamaIndex's class, whose package is an extra."""

        model_config = ConfigDict(extra="allow")

    module, clients = ModuleType("llama_index.llms.ollama"), ModuleType("ollama")
    module.__dict__["Ollama"] = Ollama
    clients.__dict__.update(Client=_Client, AsyncClient=_Client)
    monkeypatch.setitem(sys.modules, "llama_index.llms.ollama", module)
    monkeypatch.setitem(sys.modules, "ollama", clients)
    settings = _settings(llm="ollama/qwen3:8b", llm_base_url="http://localhost:11434/v1", llm_context_tokens=4096)
    llm = load_llm(settings)
    assert isinstance(llm, Ollama)
    assert llm.context_window == 4096
    assert llm.model_extra is not None
    assert llm.model_extra["model"] == "qwen3:8b"
    assert llm.model_extra["base_url"] == "http://localhost:11434"
    assert llm.model_extra["additional_kwargs"] == {"num_predict": settings.llm_answer_tokens}


# --- a call ---


async def test_pieces_arrive_as_they_are_sent(openai_server: OpenAIServer) -> None:
    openai_server.enqueue(Reply(["Five ", "hours ", "[1]."]))
    stream = _stream(_at(openai_server))
    assert [piece async for piece in stream.pieces()] == ["Five ", "hours ", "[1]."]
    assert stream.ending == "whole"
    assert stream.usage() == {"prompt_tokens": 100, "completion_tokens": 20}


async def test_tokens_are_counted_where_the_server_does_not(openai_server: OpenAIServer) -> None:
    openai_server.enqueue(Reply(["Five hours [1]."], usage=None))
    stream = _stream(_at(openai_server))
    await _read(stream)
    usage = stream.usage()
    assert 3 <= usage["completion_tokens"] <= 10
    assert 3 <= usage["prompt_tokens"] <= 10


async def test_answer_cut_by_its_limit_is_too_long(openai_server: OpenAIServer) -> None:
    openai_server.enqueue(Reply(["Five"], finish_reason="length"))
    stream = _stream(_at(openai_server))
    assert await _read(stream) == ("Five", None)
    assert stream.ending == "too long"


@pytest.mark.parametrize("done", [True, False])
async def test_stream_that_does_not_say_it_is_done_is_broken(openai_server: OpenAIServer, done: bool) -> None:
    openai_server.enqueue(Reply(["Five hours"], finish_reason=None, usage=None, done=done))
    stream = _stream(_at(openai_server))
    assert await _read(stream) == ("Five hours", None)
    assert stream.ending == "broken"


async def test_reasoning_is_left_out_in_its_field_and_in_tags(openai_server: OpenAIServer) -> None:
    openai_server.enqueue(Reply(["<thi", "nk>maybe [3]</th", "ink>\n\n", "Five hours [1]."], reasoning="Hmm [2]."))
    assert await _read(_stream(_at(openai_server))) == ("Five hours [1].", None)


async def test_question_reaches_the_server_as_set(openai_server: OpenAIServer) -> None:
    openai_server.enqueue(Reply())
    await _read(_stream(_at(openai_server, llm_answer_tokens=321)))
    body = openai_server.requests[0].body
    assert body["max_tokens"] == 321
    assert body["temperature"] == 0
    assert [message["role"] for message in body["messages"]] == ["system", "user"]


@pytest.mark.parametrize(
    ("parameter", "message", "instead"),
    [
        (
            "max_tokens",
            "Unsupported parameter: 'max_tokens' is not supported with this model.",
            "max_completion_tokens",
        ),
        ("temperature", "Unsupported value: 'temperature' does not support 0.0 with this model.", None),
        ("stream_options", "Extra inputs are not permitted: stream_options", None),
    ],
)
async def test_what_the_server_refuses_is_left_out_for_good(
    openai_server: OpenAIServer, parameter: str, message: str, instead: str | None
) -> None:
    settings = _at(openai_server)
    llm = load_llm(settings)
    assert llm is not None
    openai_server.enqueue(Fault(400, message, "unsupported_parameter"), Reply(), Reply())
    assert await complete_text(llm, MESSAGES) == "Yes."
    assert await complete_text(llm, MESSAGES) == "Yes."
    first, second, third = (request.body for request in openai_server.requests)
    assert parameter in first
    assert parameter not in second
    assert parameter not in third
    if instead:
        assert third[instead] == settings.llm_answer_tokens


async def test_rules_go_into_the_question_where_the_system_role_is_refused(openai_server: OpenAIServer) -> None:
    openai_server.enqueue(Fault(400, "System role not supported", "bad_request"), Reply())
    assert await _read(_stream(_at(openai_server))) == ("Yes.", None)
    assert openai_server.requests[1].body["messages"] == [{"role": "user", "content": "Rules.\n\nHow long?"}]


async def test_refusals_without_end_are_not_followed_without_end(openai_server: OpenAIServer) -> None:
    openai_server.default = Fault(400, "temperature, max_tokens, system role: all wrong", "bad_request")
    _, error = await _read(_stream(_at(openai_server)))
    assert isinstance(error, ModelRefusedError)
    assert len(openai_server.requests) <= 6


async def test_model_that_cannot_stream_answers_at_once() -> None:
    class Whole(ScriptedLLM):
        async def astream_chat(self, messages: Any, **kwargs: Any) -> Any:
            raise NotImplementedError

    llm = Whole()
    llm.enqueue("Five hours [1].")
    assert await complete_text(llm, MESSAGES) == "Five hours [1]."


# --- faults ---


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        (INVALID_KEY, ModelRefusedError, "BYLINE_LLM_API_KEY"),
        (UNKNOWN_MODEL, ModelRefusedError, "BYLINE_LLM,"),
        (TOO_LONG, ModelContextError, "BYLINE_LLM_CONTEXT_TOKENS"),
        (Fault(403, "Project not allowed"), ModelRefusedError, "does not allow"),
        (Fault(400, "Bad temperament"), ModelRefusedError, "Bad temperament"),
        (HTML_PAGE, ModelRefusedError, "BYLINE_LLM_BASE_URL"),
        (NONSENSE, ModelRefusedError, "BYLINE_LLM_BASE_URL"),
        (Fault(200, body=b"data: {nonsense\n\n"), ModelRefusedError, "BYLINE_LLM_BASE_URL"),
    ],
)
async def test_refusals_are_one_line_that_names_the_setting(
    openai_server: OpenAIServer, fault: Fault, kind: type[ModelError], said: str
) -> None:
    openai_server.enqueue(fault, fault)
    text, error = await _read(_stream(_at(openai_server)))
    assert text == ""
    assert type(error) is kind
    assert said in str(error)
    assert "openai-like/small" in str(error)
    assert "\n" not in str(error)
    assert KEY not in str(error)
    assert len(openai_server.requests) == 1 + (fault is HTML_PAGE)  # an empty stream is asked about once


async def test_a_server_that_refuses_by_an_empty_stream_is_asked_for_its_reason(openai_server: OpenAIServer) -> None:
    openai_server.enqueue(Fault(200, body=b""), TOO_LONG)
    _, error = await _read(_stream(_at(openai_server)))
    assert isinstance(error, ModelContextError)
    openai_server.enqueue(Fault(200, body=b""), Reply(["Five hours [1]."]))
    assert await _read(_stream(_at(openai_server))) == ("Five hours [1].", None)


async def test_server_error_is_retried_by_one_layer_only(openai_server: OpenAIServer) -> None:
    openai_server.default = Fault(500, "Out of memory")
    _, error = await _read(_stream(_at(openai_server)))
    assert isinstance(error, ModelRefusedError)
    assert "Out of memory" in str(error)
    assert len(openai_server.requests) == 3


async def test_passing_fault_is_not_seen(openai_server: OpenAIServer) -> None:
    openai_server.enqueue(Fault(503, "Loading model"), Reply())
    assert await _read(_stream(_at(openai_server))) == ("Yes.", None)


async def test_retry_after_is_waited_for(openai_server: OpenAIServer) -> None:
    openai_server.enqueue(Fault(429, "Slow down", "rate_limit_exceeded", {"Retry-After": "1"}), Reply())
    began = time.monotonic()
    assert await _read(_stream(_at(openai_server))) == ("Yes.", None)
    assert time.monotonic() - began >= 0.9


async def test_retry_after_is_not_waited_for_without_bound(openai_server: OpenAIServer) -> None:
    openai_server.default = Fault(429, "Slow down", "rate_limit_exceeded", {"Retry-After": "30"})
    began = time.monotonic()
    _, error = await _read(_stream(_at(openai_server), silence_seconds=1.0))
    assert isinstance(error, ModelRefusedError)
    assert "asks to wait (429)" in str(error)
    assert time.monotonic() - began < 10
    openai_server.default = HANG
    _, error = await _read(_stream(_at(openai_server), silence_seconds=0.3))
    assert isinstance(error, ModelUnreachableError), "the refusal of an earlier call is no reason of this one"


@pytest.mark.parametrize("fault", [HANG, Reply(["Five "], hangs=True)])
async def test_silence_ends_the_call_and_keeps_what_came(openai_server: OpenAIServer, fault: Fault | Reply) -> None:
    openai_server.enqueue(fault)
    text, error = await _read(_stream(_at(openai_server), silence_seconds=0.3))
    assert text == ("Five " if isinstance(fault, Reply) else "")
    assert isinstance(error, ModelUnreachableError)
    assert "BYLINE_LLM_READ_SECONDS" in str(error)


async def test_silence_inside_the_stream_ends_by_the_clients_own_time_out(openai_server: OpenAIServer) -> None:
    openai_server.enqueue(Reply(["Five "], hangs=True))
    text, error = await _read(_stream(_at(openai_server, llm_read_seconds=0.3)))
    assert text == "Five "
    assert isinstance(error, ModelUnreachableError)
    assert "BYLINE_LLM_READ_SECONDS" in str(error)


async def test_broken_connection_keeps_what_came(openai_server: OpenAIServer) -> None:
    openai_server.enqueue(Reply(["Five ", "hours"], breaks=True))
    text, error = await _read(_stream(_at(openai_server)))
    assert text == "Five hours"
    assert isinstance(error, ModelUnreachableError)


async def test_error_inside_the_stream_keeps_what_came(openai_server: OpenAIServer) -> None:
    openai_server.enqueue(Reply(["Five "], error="The engine crashed"))
    text, error = await _read(_stream(_at(openai_server)))
    assert text == "Five "
    assert isinstance(error, ModelRefusedError)
    assert "The engine crashed" in str(error)


async def test_no_server_is_unreachable() -> None:
    with OpenAIServer() as server:
        settings = _at(server)
    text, error = await _read(_stream(settings))
    assert text == ""
    assert isinstance(error, ModelUnreachableError)
    assert "BYLINE_LLM_BASE_URL" in str(error)


async def test_slow_but_steady_stream_is_read_to_its_end(openai_server: OpenAIServer) -> None:
    openai_server.enqueue(Reply(["a"] * 5, delay_seconds=0.15))
    assert await _read(_stream(_at(openai_server), silence_seconds=0.5)) == ("aaaaa", None)


async def test_call_that_is_stopped_leaves_the_server_free(openai_server: OpenAIServer) -> None:
    openai_server.enqueue(Reply(["a"] * 100, delay_seconds=0.02), Reply())
    settings = _at(openai_server)
    pieces = _stream(settings).pieces()
    assert await anext(pieces) == "a"
    await pieces.aclose()
    assert await _read(_stream(settings)) == ("Yes.", None)


def test_one_model_serves_several_event_loops(openai_server: OpenAIServer) -> None:
    openai_server.default = Reply()
    llm = load_llm(_at(openai_server))
    assert llm is not None
    for _ in range(3):
        assert asyncio.run(complete_text(llm, MESSAGES)) == "Yes."


# --- errors on their own ---


def _openai_error(kind: type[openai.APIStatusError], status: int, message: str) -> openai.APIStatusError:
    request = httpx.Request("POST", "http://host/v1", headers={"Authorization": f"Bearer {KEY}"})
    return kind(message, response=httpx.Response(status, request=request), body={"message": message})


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (httpx.ReadTimeout("slow"), ModelUnreachableError),
        (httpx.ConnectError("refused"), ModelUnreachableError),
        (httpx.RemoteProtocolError("closed"), ModelUnreachableError),
        (ConnectionResetError("reset"), ModelUnreachableError),
        (TimeoutError(), ModelUnreachableError),
        (_openai_error(openai.RateLimitError, 429, f"Key {KEY} is out of quota"), ModelRefusedError),
        (_openai_error(openai.BadRequestError, 400, "maximum context length is 10 tokens"), ModelContextError),
    ],
)
def test_providers_errors_become_ours(raised: Exception, kind: type[ModelError]) -> None:
    with pytest.raises(kind) as caught, model_errors(ModelCall("openai/gpt-4o", "http://user:secret@host/v1")):
        raise raised
    assert caught.value.__cause__ is raised
    assert "openai/gpt-4o at http://***@host/v1" in str(caught.value)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("raised", [ValueError("ours"), KeyError("ours"), BylineError("ours"), RuntimeError("ours")])
def test_other_errors_pass_as_they_are(raised: Exception) -> None:
    with pytest.raises(type(raised)) as caught, model_errors(ModelCall("openai/gpt-4o")):
        raise raised
    assert caught.value is raised


# --- reasoning ---


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("Five hours.", "Five hours."),
        ("<think>Hmm.</think>\n\nFive hours.", "Five hours."),
        ("<think>a</think>Five <think>b</think>hours.", "Five hours."),
        ("<Thinking>a < b</Thinking>5 < 6 <b>", "5 < 6 <b>"),
        ("<think>never ends", ""),
        ("a <thin", "a <thin"),
        ("\n\n  Five", "Five"),
    ],
)
def test_thoughts_are_left_out_however_the_stream_is_cut(written: str, text: str) -> None:
    for first, second in itertools.combinations_with_replacement(range(len(written) + 1), 2):
        thoughts = ThoughtFilter()
        pieces = (written[:first], written[first:second], written[second:])
        assert "".join(map(thoughts.feed, pieces)) + thoughts.finish() == text, pieces


def test_fake_model_is_read_like_any_other() -> None:
    llm: LLM = ScriptedLLM()
    assert isinstance(llm, ScriptedLLM)
    llm.enqueue(["Five ", "hours."])
    assert asyncio.run(complete_text(llm, MESSAGES)) == "Five hours."
