"""What every provider of language models must do alike, whatever protocol its server speaks."""

import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, MessageRole

from index.errors import ModelContextError, ModelError, ModelRefusedError, ModelUnreachableError
from index.settings import Settings
from rag.model_server import ask_server, find_server
from rag.models import ModelStream, load_llm, model_label
from rag.window import probe_window
from tests.ollama_server import OllamaServer
from tests.openai_server import Fault, OpenAIServer, Received, Reply

KEY = "sk-test-0123456789abcdef"
HAS_OLLAMA = find_spec("ollama") is not None
Server = OpenAIServer | OllamaServer
Open = Callable[..., Settings]


@pytest.fixture(
    params=[
        "openai",
        "openai-like",
        pytest.param(
            "ollama",
            marks=pytest.mark.skipif(not HAS_OLLAMA, reason="llama-index-llms-ollama, an extra, is not installed"),
        ),
    ]
)
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(provider: str) -> Iterator[Server]:
    kind: type[Server] = OllamaServer if provider == "ollama" else OpenAIServer
    with kind() as running:
        yield running


@pytest.fixture
def at(provider: str, server: Server) -> Open:
    def settings(**values: Any) -> Settings:
        given: dict[str, Any] = {"llm_base_url": server.base_url, "llm_api_key": KEY, "llm_read_seconds": 5.0}
        given["llm"] = f"{provider}/small"
        return Settings(**(given | values))

    return settings


async def ask(settings: Settings, *, silence_seconds: float = 60.0) -> tuple[list[str], ModelStream, ModelError | None]:
    llm = load_llm(settings)
    assert llm is not None
    messages = [
        ChatMessage(role=MessageRole.SYSTEM, content="Answer from the sources."),
        ChatMessage(role=MessageRole.USER, content="How long did they talk?"),
    ]
    stream = ModelStream(
        llm,
        messages,
        label=model_label(settings),
        base_url=settings.llm_base_url,
        silence_seconds=silence_seconds,
    )
    pieces: list[str] = []
    try:
        async for piece in stream.pieces():
            pieces.append(piece)  # noqa: PERF401 - what came before an error counts
    except ModelError as exc:
        return pieces, stream, exc
    return pieces, stream, None


async def test_the_answer_arrives_in_pieces_and_whole(at: Open, server: Server) -> None:
    server.enqueue(Reply(["Five ", "hours ", "[1]."]))
    pieces, stream, error = await ask(at())
    assert error is None
    assert pieces == ["Five ", "hours ", "[1]."]
    assert stream.ending == "whole"
    usage = stream.usage()
    assert usage["prompt_tokens"] > 0
    assert usage["completion_tokens"] > 0


async def test_rules_and_question_reach_the_model(at: Open, server: Server) -> None:
    server.enqueue(Reply())
    await ask(at())
    [request] = server.requests
    assert [message["role"] for message in request.body["messages"]] == ["system", "user"]
    assert "Answer from the sources." in request.prompt
    assert "How long did they talk?" in request.prompt
    assert request.headers["authorization"] == f"Bearer {KEY}"


async def test_thoughts_are_left_out(at: Open, server: Server) -> None:
    server.enqueue(Reply(["<think>Hmm [2].</think>", "Five hours [1]."], reasoning="Perhaps [3]."))
    pieces, _, _ = await ask(at())
    assert "".join(pieces) == "Five hours [1]."


async def test_an_answer_cut_by_its_limit_says_so(at: Open, server: Server) -> None:
    server.enqueue(Reply(["Five"], finish_reason="length"))
    _, stream, error = await ask(at())
    assert (stream.ending, error) == ("too long", None)


async def test_a_stream_without_an_end_is_broken(at: Open, server: Server) -> None:
    server.enqueue(Reply(["Five"], finish_reason=None, usage=None, done=False))
    pieces, stream, _ = await ask(at())
    assert (pieces, stream.ending) == (["Five"], "broken")


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(401, f"Incorrect API key provided: {KEY}", "invalid_api_key"), ModelRefusedError),
        (Fault(404, "model 'small' not found", "model_not_found"), ModelRefusedError),
        (Fault(400, "the prompt exceeds the available context size of 4096 tokens"), ModelContextError),
        (Fault(200, body=b"\xff\xfe\x00\x01 nonsense"), ModelError),
    ],
)
async def test_a_refusal_is_one_line_without_the_key(
    at: Open, server: Server, fault: Fault, kind: type[ModelError]
) -> None:
    server.enqueue(fault)
    pieces, _, error = await ask(at())
    assert pieces == []
    assert isinstance(error, kind)
    assert "\n" not in str(error)
    assert KEY not in str(error)


async def test_a_server_that_fails_is_asked_three_times_at_most(at: Open, server: Server) -> None:
    server.default = Fault(500, "Out of memory")
    _, _, error = await ask(at())
    assert isinstance(error, ModelRefusedError)
    assert "Out of memory" in str(error)
    assert len(server.requests) <= 3


async def test_no_server_is_unreachable(at: Open, provider: str) -> None:
    with OllamaServer() if provider == "ollama" else OpenAIServer() as gone:
        address = gone.base_url
    _, _, error = await ask(at(llm_base_url=address))
    assert isinstance(error, ModelUnreachableError)
    assert address in str(error)


@pytest.mark.parametrize("reply", [Fault(hangs=True), Reply(["Five "], hangs=True)])
async def test_silence_is_bounded_and_what_came_is_kept(at: Open, server: Server, reply: Reply | Fault) -> None:
    server.enqueue(Reply(), reply)
    await ask(at())  # a first call loads what the next need not wait for
    began = time.monotonic()
    pieces, _, error = await ask(at(llm_read_seconds=60.0), silence_seconds=1.0)
    assert time.monotonic() - began < 10
    assert pieces == ([] if isinstance(reply, Fault) else ["Five "])
    assert isinstance(error, ModelUnreachableError)


@pytest.mark.parametrize("reply", [Reply(["Five "], breaks=True), Reply(["Five "], error="The engine crashed")])
async def test_a_stream_cut_in_the_middle_keeps_what_came(at: Open, server: Server, reply: Reply) -> None:
    server.enqueue(reply)
    pieces, stream, error = await ask(at())
    assert pieces == ["Five "]
    assert error is not None or stream.ending == "broken"


# --- Ollama's own ---


@pytest.fixture
def ollama() -> Iterator[OllamaServer]:
    with OllamaServer() as running:
        yield running


def _ollama(server: OllamaServer, **values: Any) -> Settings:
    return Settings(**({"llm": "ollama/small", "llm_base_url": f"{server.base_url}/v1"} | values))


@pytest.mark.skipif(not HAS_OLLAMA, reason="llama-index-llms-ollama, an extra, is not installed")
async def test_ollama_is_given_the_window_that_is_budgeted_for(ollama: OllamaServer) -> None:
    ollama.enqueue(Reply())
    await ask(_ollama(ollama, llm_context_tokens=6000, llm_answer_tokens=321))
    options = ollama.requests[0].body["options"]
    assert (options["num_ctx"], options["num_predict"], options["temperature"]) == (6000, 321, 0.0)


@pytest.mark.skipif(not HAS_OLLAMA, reason="llama-index-llms-ollama, an extra, is not installed")
async def test_ollama_reads_what_its_openai_door_would_drop(ollama: OllamaServer) -> None:
    def repeat(received: Received) -> Reply:
        word = received.prompt.partition("The code word is ")[2].partition(".\n")[0]
        return Reply([word or "I see none."])

    ollama.default = repeat
    settings = _ollama(ollama, llm_context_tokens=8192)
    llm = load_llm(settings)
    assert llm is not None
    assert (await probe_window(llm, settings=settings)).limit is None
    smaller = _ollama(ollama, llm_context_tokens=8192, llm_options={"additional_kwargs": {"num_ctx": 2048}})
    cut = load_llm(smaller)
    assert cut is not None
    limit = (await probe_window(cut, settings=smaller)).limit
    assert limit is not None
    assert limit < 4096


def test_ollama_tells_its_models_and_how_much_one_was_trained_to_read(ollama: OllamaServer) -> None:
    server = find_server(_ollama(ollama))
    assert server is not None
    facts = ask_server(server, connect_seconds=5, read_seconds=5)
    assert facts.models == ("small:latest",)
    assert facts.lists("small")
    assert facts.context_tokens == 32768


def test_ollama_behind_a_proxy_is_sent_the_key(ollama: OllamaServer) -> None:
    ollama.key = KEY
    with_key = find_server(_ollama(ollama, llm_api_key=KEY))
    without = find_server(_ollama(ollama))
    assert with_key is not None
    assert without is not None
    assert ask_server(with_key, connect_seconds=5, read_seconds=5).models
    with pytest.raises(ModelRefusedError, match="BYLINE_LLM_API_KEY"):
        ask_server(without, connect_seconds=5, read_seconds=5)
