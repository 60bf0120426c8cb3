"""A scripted server on loopback that speaks OpenAI's chat completions, whole and as a stream, with its faults.

A test module that imports `serve_openai as serve_openai` has the fixture `openai_server`.
"""

import asyncio
import json
from array import array
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from tests.fakes import HashingEmbedding
from tests.scripted_server import ScriptedServer


@dataclass(frozen=True)
class Reply:
    """What the model says.

    Attributes:
        pieces: the stream's pieces; all of them together where no stream was asked for.
        delay_seconds: wait before each piece.
        finish_reason: None for a stream that ends without saying that it is done.
        reasoning: what it thinks, in a field of its own.
        usage: tokens read and written; None where the server does not count.
        breaks: the connection is cut after the pieces.
        hangs: nothing more comes after the pieces.
        error: an error event after the pieces.
        done: whether the stream ends with `[DONE]`.
    """

    pieces: Sequence[str] = ("Yes.",)
    delay_seconds: float = 0.0
    finish_reason: str | None = "stop"
    reasoning: str = ""
    usage: tuple[int, int] | None = (100, 20)
    breaks: bool = False
    hangs: bool = False
    error: str = ""
    done: bool = True


@dataclass(frozen=True)
class Fault:
    """An answer that is an error, or no answer at all.

    Attributes:
        status: HTTP status.
        message: what OpenAI's error says.
        code: OpenAI's code of the error.
        headers: `Retry-After` and the like.
        body: sent as it is in place of an error in JSON.
        hangs: nothing is ever sent.
    """

    status: int = 500
    message: str = "The server had an error"
    code: str = "server_error"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    hangs: bool = False


INVALID_KEY = Fault(401, "Incorrect API key provided: sk-wron*****-key.", "invalid_api_key")
UNKNOWN_MODEL = Fault(404, "The model `nobody` does not exist", "model_not_found")
TOO_LONG = Fault(
    400,
    "This model's maximum context length is 4096 tokens. However, your messages resulted in 9000 tokens.",
    "context_length_exceeded",
)
HANG = Fault(hangs=True)
NONSENSE = Fault(200, body=b"\xff\xfe\x00\x01 data: \xc3\x28\n\n\x00")
HTML_PAGE = Fault(200, body=b"<!doctype html><title>Router</title><p>Log in</p>")


@dataclass(frozen=True)
class Received:
    """A request as it came in."""

    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def prompt(self) -> str:
        """All messages, one after another."""
        return "\n\n".join(str(message["content"]) for message in self.body["messages"])


Script = Reply | Fault | Callable[[Received], Reply | Fault]


class OpenAIServer(ScriptedServer[Script]):
    """The server: `enqueue` what it says next; `requests` is what it was asked."""

    def __init__(self, *, models: Sequence[str] = ("small",)) -> None:
        self.models = list(models)
        self.about_models: dict[str, Any] = {}  # what some servers say of each model, such as vLLM's max_model_len
        self.props: dict[str, Any] | None = None  # what llama.cpp's server says beside the protocol
        self.requests: list[Received] = []
        self.embedded: list[dict[str, Any]] = []
        super().__init__()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def _app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/v1/models")
        async def list_models() -> dict[str, Any]:
            data = [{"id": name, "object": "model", **self.about_models} for name in self.models]
            return {"object": "list", "data": data}

        @app.get("/props")
        async def tell_props() -> Response:
            return JSONResponse(self.props or {"error": "not found"}, 200 if self.props else 404)

        @app.post("/v1/embeddings")
        async def embed(request: Request) -> Response:
            asked = await request.json()
            if asked["model"] not in self.models:
                return await self._fail(UNKNOWN_MODEL)
            self.embedded.append({**asked, "authorization": request.headers.get("authorization")})
            texts = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
            vectors = HashingEmbedding().get_text_embedding_batch(texts)
            data = [_embedding(at, vector, asked.get("encoding_format")) for at, vector in enumerate(vectors)]
            usage = {"prompt_tokens": 5, "total_tokens": 5}
            return JSONResponse({"object": "list", "data": data, "model": asked["model"], "usage": usage})

        @app.post("/v1/chat/completions")
        async def complete(request: Request) -> Response:
            received = Received(dict(request.headers), await request.json())
            self.requests.append(received)
            script = self._script.popleft() if self._script else self.default
            if script is None:
                script = Fault(message="the script has no reply left for this call")
            reply = script if isinstance(script, (Reply, Fault)) else script(received)
            if isinstance(reply, Fault):
                return await self._fail(reply)
            if received.body.get("stream"):
                return StreamingResponse(self._stream(reply, received), media_type="text/event-stream")
            return await self._whole(reply, received)

        return app

    async def _fail(self, fault: Fault) -> Response:
        if fault.hangs:
            await self._hang()
        if fault.body is not None:
            return Response(fault.body, fault.status, fault.headers, media_type="text/event-stream")
        error = {"message": fault.message, "type": "invalid_request_error", "param": None, "code": fault.code}
        return JSONResponse({"error": error}, fault.status, fault.headers)

    async def _hang(self) -> None:
        await asyncio.to_thread(self._stopping.wait)

    async def _whole(self, reply: Reply, received: Received) -> Response:
        await asyncio.sleep(reply.delay_seconds * len(reply.pieces))
        message: dict[str, Any] = {"role": "assistant", "content": "".join(reply.pieces)}
        if reply.reasoning:
            message["reasoning_content"] = reply.reasoning
        choice = {"index": 0, "message": message, "finish_reason": reply.finish_reason}
        return JSONResponse(self._envelope(received, "chat.completion", choices=[choice]) | _usage(reply))

    async def _stream(self, reply: Reply, received: Received) -> AsyncIterator[bytes]:
        def event(delta: dict[str, str], *, finish_reason: str | None = None) -> bytes:
            choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
            return _data(self._envelope(received, "chat.completion.chunk", choices=[choice]))

        yield event({"role": "assistant", "content": ""})
        if reply.reasoning:
            yield event({"reasoning_content": reply.reasoning})
        for piece in reply.pieces:
            await asyncio.sleep(reply.delay_seconds)
            yield event({"content": piece})
        if reply.hangs:
            await self._hang()
        if reply.breaks:
            raise ConnectionAbortedError("the script cuts the connection")
        if reply.error:
            yield _data({"error": {"message": reply.error, "type": "server_error", "code": None}})
            return
        if reply.finish_reason:
            yield event({}, finish_reason=reply.finish_reason)
        if reply.usage and (received.body.get("stream_options") or {}).get("include_usage"):
            yield _data(self._envelope(received, "chat.completion.chunk", choices=[]) | _usage(reply))
        if reply.done:
            yield b"data: [DONE]\n\n"

    @staticmethod
    def _envelope(received: Received, kind: str, *, choices: list[dict[str, Any]]) -> dict[str, Any]:
        model = received.body.get("model", "")
        return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": model, "choices": choices}


def _embedding(index: int, vector: Sequence[float], form: str | None) -> dict[str, Any]:
    """A vector as the client wants it: in base64, or as numbers."""
    packed = b64encode(array("f", vector).tobytes()).decode() if form == "base64" else list(vector)
    return {"object": "embedding", "index": index, "embedding": packed}


def _usage(reply: Reply) -> dict[str, Any]:
    if reply.usage is None:
        return {}
    read, written = reply.usage
    return {"usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}}


def _data(event: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(event).encode() + b"\n\n"


@pytest.fixture(name="openai_server")
def serve_openai() -> Iterator[OpenAIServer]:
    """A running server with an empty script."""
    with OpenAIServer() as server:
        yield server
