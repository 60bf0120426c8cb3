"""A model's server of known speed, which speaks OpenAI's protocol: what `python -m eval load` puts behind the page.

It answers with the first sentence of the first source, cited, so that the answer stands as it is. It runs in a process
of its own: `python -m eval.load_model FIRST_SECONDS TOKEN_SECONDS` prints its address and goes on until it is killed.
"""

import asyncio
import json
import re
import sys
import time
from collections import deque
from collections.abc import AsyncGenerator
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from index.sentences import split_sentences

MODEL: Final = "scripted"
OPENING: Final = "Reportedly"
"""The first word, by which a client tells the answer from what is said while there is none."""

_TOKENS: Final = 100
_TEXT: Final = re.compile(r"^Text: (.+)$", re.MULTILINE)


def model_app(first_seconds: float, token_seconds: float) -> Starlette:
    """The server; `/log` tells when each call came and when its first token left, on the machine's monotonic clock.

    Args:
        first_seconds: from a call to its first token.
        token_seconds: between tokens.
    """
    log: deque[tuple[float, float]] = deque(maxlen=10_000)

    async def models(_: Request) -> Response:
        return JSONResponse({"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    async def told(_: Request) -> Response:
        return JSONResponse(list(log))

    async def complete(request: Request) -> Response:
        came = time.monotonic()
        body = await request.json()
        tokens = _tokens(str(body["messages"][-1]["content"]))
        if not body.get("stream"):
            await asyncio.sleep(first_seconds)
            message = {"role": "assistant", "content": "".join(tokens)}
            return JSONResponse(_chunk("chat.completion", message=message, finish_reason="stop"))
        return StreamingResponse(_stream(tokens, came), media_type="text/event-stream")

    async def _stream(tokens: list[str], came: float) -> AsyncGenerator[str, None]:
        await asyncio.sleep(came + first_seconds - time.monotonic())
        for number, token in enumerate(tokens):
            if number == 0:
                log.append((came, time.monotonic()))
            yield _event(_chunk("chat.completion.chunk", delta={"content": token}, finish_reason=None))
            await asyncio.sleep(came + first_seconds + (number + 1) * token_seconds - time.monotonic())
        yield _event(_chunk("chat.completion.chunk", delta={}, finish_reason="stop"))
        yield "data: [DONE]\n\n"

    return Starlette(
        routes=[
            Route("/v1/models", models),
            Route("/v1/chat/completions", complete, methods=["POST"]),
            Route("/log", told),
        ]
    )


def _tokens(prompt: str) -> list[str]:
    """What is answered: about the same number of tokens to whatever is asked for."""
    text = _TEXT.search(prompt)
    if text is None:  # a follow-up is to be put so that it stands alone, or somebody asks without sources
        return ["What was said about the talks on Sunday?"]
    first = text[1][: split_sentences(text[1])[0].end].rstrip(".")
    said = [f" {word}" for word in f"{first} [1].".split()]
    return [f"{OPENING}:", *(said * (1 + _TOKENS // len(said)))[: _TOKENS - 1]]


def _chunk(kind: str, **choice: Any) -> dict[str, Any]:
    return {"id": "1", "object": kind, "created": 1, "model": MODEL, "choices": [{"index": 0, **choice}]}


def _event(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data)}\n\n"


class _Server(uvicorn.Server):
    """Says where it is once it answers."""

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        sys.stdout.write(f"http://127.0.0.1:{self.servers[0].sockets[0].getsockname()[1]}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    first, token = (float(argument) for argument in sys.argv[1:])
    _Server(uvicorn.Config(model_app(first, token), port=0, log_level="critical")).run()
