"""A scripted server on loopback that speaks Ollama's own protocol: lines of JSON, and a context window that it cuts to.

Like Ollama it says nothing when it cuts: what does not fit into `num_ctx` is dropped from the beginning.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from index.tokens import encode
from tests.fakes import HashingEmbedding
from tests.openai_server import Fault, Received, Reply, Script
from tests.scripted_server import ScriptedServer

DEFAULT_WINDOW = 4096
"""What Ollama gives a model where a request does not say `num_ctx`."""


class OllamaServer(ScriptedServer[Script]):
    """The server: `enqueue` what it says next; `requests` is what the model was shown, cut as Ollama cuts."""

    def __init__(self, *, models: Sequence[str] = ("small:latest",), trained_tokens: int = 32768) -> None:
        self.models = list(models)
        self.trained_tokens = trained_tokens
        self.key = ""  # a proxy before Ollama may ask for one
        self.requests: list[Received] = []
        self.embedded: list[dict[str, Any]] = []
        super().__init__()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _app(self) -> FastAPI:
        app = FastAPI()

        @app.middleware("http")
        async def ask_for_key(request: Request, call_next: Any) -> Any:
            if self.key and request.headers.get("authorization") != f"Bearer {self.key}":
                return JSONResponse({"error": "unauthorized"}, 401)
            return await call_next(request)

        @app.get("/api/tags")
        async def list_models() -> dict[str, Any]:
            return {"models": [{"name": name, "model": name} for name in self.models]}

        @app.post("/api/show")
        async def show(request: Request) -> Response:
            asked = await request.json()
            if not self._has(asked["model"]):
                return self._unknown(asked["model"])
            about = {"general.architecture": "qwen3", "qwen3.context_length": self.trained_tokens}
            return JSONResponse({"model_info": about, "capabilities": ["completion"]})

        @app.post("/api/embed")
        async def embed(request: Request) -> Response:
            asked = await request.json()
            if not self._has(asked["model"]):
                return self._unknown(asked["model"])
            self.embedded.append(asked)
            texts = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
            return JSONResponse(
                {"model": asked["model"], "embeddings": HashingEmbedding().get_text_embedding_batch(texts)}
            )

        @app.post("/api/chat")
        async def chat(request: Request) -> Response:
            body = await request.json()
            received = Received(dict(request.headers), {**body, "messages": _cut(body)})
            self.requests.append(received)
            script = self._script.popleft() if self._script else self.default
            if not self._has(body["model"]):
                return self._unknown(body["model"])
            if script is None:
                script = Fault(message="the script has no reply left for this call")
            reply = script if isinstance(script, (Reply, Fault)) else script(received)
            if isinstance(reply, Fault):
                return await self._fail(reply)
            if body.get("stream", True):
                return StreamingResponse(self._stream(reply, received), media_type="application/x-ndjson")
            text = "".join(reply.pieces)
            return JSONResponse(self._line(received, text) | self._last(reply, received))

        return app

    def _has(self, model: str) -> bool:
        return model in self.models or f"{model}:latest" in self.models

    def _unknown(self, model: str) -> Response:
        return JSONResponse({"error": f"model '{model}' not found"}, 404)

    async def _fail(self, fault: Fault) -> Response:
        if fault.hangs:
            await asyncio.to_thread(self._stopping.wait)
        if fault.body is not None:
            return Response(fault.body, fault.status, fault.headers)
        return JSONResponse({"error": fault.message}, fault.status, fault.headers)

    async def _stream(self, reply: Reply, received: Received) -> AsyncIterator[bytes]:
        if reply.reasoning:
            line = self._line(received, "")
            line["message"]["thinking"] = reply.reasoning
            yield _bytes(line)
        for piece in reply.pieces:
            await asyncio.sleep(reply.delay_seconds)
            yield _bytes(self._line(received, piece))
        if reply.hangs:
            await asyncio.to_thread(self._stopping.wait)
        if reply.breaks:
            raise ConnectionAbortedError("the script cuts the connection")
        if reply.error:
            yield _bytes({"error": reply.error})
            return
        if reply.finish_reason:
            yield _bytes(self._line(received, "") | self._last(reply, received))

    def _line(self, received: Received, text: str) -> dict[str, Any]:
        message = {"role": "assistant", "content": text}
        when = "2025-01-01T00:00:00Z"
        return {"model": received.body["model"], "created_at": when, "message": message, "done": False}

    def _last(self, reply: Reply, received: Received) -> dict[str, Any]:
        counts: dict[str, Any] = {"done": True, "done_reason": reply.finish_reason}
        if reply.usage:
            counts |= {"prompt_eval_count": len(encode(received.prompt)), "eval_count": reply.usage[1]}
        return counts


def _cut(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages as far as the window holds them: the oldest go first, then the beginning of the last."""
    window = (body.get("options") or {}).get("num_ctx") or DEFAULT_WINDOW
    messages = [dict(message) for message in body["messages"]]

    def used() -> int:
        return sum(len(encode(message["content"])) for message in messages)

    while len(messages) > 1 and used() > window:
        first = 1 if messages[0]["role"] == "system" and len(messages) > 2 else 0
        messages.pop(first)
    if used() > window:
        text = messages[0]["content"]
        messages[0]["content"] = text[-int(len(text) * window / used()) :]
    return messages


def _bytes(line: dict[str, Any]) -> bytes:
    return json.dumps(line).encode() + b"\n"


@pytest.fixture(name="ollama_server")
def serve_ollama() -> Any:
    """A running server with an empty script."""
    with OllamaServer() as server:
        yield server
