"""A small reverse proxy on loopback that shows a page under a path, for tests."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse


def proxy(inner: str, *, stripping: bool, scheme: str = "https") -> FastAPI:
    """Show `inner` under `/news`, as nginx would; `https` says that TLS is in front, as it would there."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.api_route("/news{path:path}", methods=["GET", "POST", "HEAD"])
    async def pass_on(path: str, request: Request) -> StreamingResponse:
        headers = {name: value for name, value in request.headers.items() if name != "content-length"}
        client = request.client.host if request.client else ""
        headers |= {
            "x-forwarded-for": client,
            "x-forwarded-proto": scheme,
            "x-forwarded-host": headers["host"],
        }
        closing = AsyncExitStack()
        asking = await closing.enter_async_context(httpx.AsyncClient(base_url=inner, timeout=60))
        target = (path or "/") if stripping else f"/news{path}"
        sent = asking.stream(
            request.method, target, params=request.query_params, headers=headers, content=await request.body()
        )
        reply = await closing.enter_async_context(sent)

        async def body() -> AsyncIterator[bytes]:
            async with closing:
                async for piece in reply.aiter_raw():
                    yield piece

        kept = {name: value for name, value in reply.headers.items() if name not in {"transfer-encoding", "connection"}}
        return StreamingResponse(body(), status_code=reply.status_code, headers=kept)

    return app
