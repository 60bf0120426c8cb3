"""Errors as programs get them: JSON of our own form, `{"error": "what failed and what to do"}`, and its status."""

import logging
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from index.errors import (
    ArticleError,
    BylineError,
    IndexBusyError,
    IndexMissingError,
    LaterError,
    ModelError,
    RateError,
    UserError,
)

log = logging.getLogger(__name__)


class JsonErrors(APIRoute):
    """A route whose errors are JSON of our own form, whichever app it is part of."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, its exceptions made into responses."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await handler(request)
            except Exception as exc:
                response = self.response(*explain(exc))
                if isinstance(exc, LaterError):
                    response.headers["Retry-After"] = str(exc.retry_seconds)
                return response

        return handle

    def response(self, status: int, message: str) -> Response:
        """An error as this route gives it."""
        return JSONResponse({"error": message}, status_code=status)


def explain(exc: Exception) -> tuple[int, str]:
    """The status of what went wrong, and what may be said of it; what nobody foresaw goes to the log only."""
    if isinstance(exc, RequestValidationError):
        return 422, _validation_message(exc)
    if isinstance(exc, BylineError):
        return _status(exc), str(exc)
    if isinstance(exc, HTTPException) and exc.status_code < 500:
        # What FastAPI says of a body that is no text.
        return exc.status_code, f"The request cannot be used. {exc.detail}."
    log.error("A request failed", exc_info=exc)
    return 500, "Something went wrong here; the server's log says what."


def _validation_message(exc: RequestValidationError) -> str:
    lines = []
    for error in exc.errors():
        place = ".".join(str(part) for part in error["loc"] if part != "body")
        lines.append(f"{place}: {error['msg']}" if place else str(error["msg"]))
    return "The request cannot be used. " + "; ".join(lines)


def _status(exc: BylineError) -> int:
    if isinstance(exc, ArticleError):
        return 404
    if isinstance(exc, ModelError):
        return 502
    if isinstance(exc, RateError):
        return 429
    if isinstance(exc, IndexBusyError | IndexMissingError | LaterError):
        return 503
    return 400 if isinstance(exc, UserError) else 500
