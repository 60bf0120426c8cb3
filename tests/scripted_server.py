"""What the scripted servers share: a free port on loopback, a thread of its own, a queue of what comes next."""

import socket
import threading
import time
from collections import deque
from types import TracebackType
from typing import Generic, Self, TypeVar

import uvicorn
from fastapi import FastAPI

Script = TypeVar("Script")


class ScriptedServer(Generic[Script]):
    """Runs while it is entered; what is asked of it when is `_app`'s affair."""

    def __init__(self) -> None:
        self.default: Script | None = None
        self._script: deque[Script] = deque()
        self._stopping = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(self._app(), log_level="critical", lifespan="off", ws="none")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)

    def enqueue(self, *script: Script) -> None:
        """Add what the next calls get; a function is given the request."""
        self._script.extend(script)

    def _app(self) -> FastAPI:
        raise AssertionError("each server says what it serves")

    def __enter__(self) -> Self:
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.005)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()
