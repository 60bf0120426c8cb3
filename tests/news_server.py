"""A web server on loopback whose answers a test writes: pages, feeds, redirects, slow and broken ones."""

import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler


@dataclass(frozen=True)
class Answer:
    """What is sent for a path; `data` may be a function that writes by itself until it is told to stop."""

    data: bytes | str | Callable[[Callable[[bytes], object], threading.Event], None] = b""
    status: int = 200
    kind: str = "text/html; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


class NewsServer(socketserver.ThreadingTCPServer):
    """Answers GET from `answers`, by path; notes what it was asked."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.agents: set[str] = set()
        self.stopping = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def page(self, path: str, markup: str, **kept: str) -> None:
        self.answers[path] = Answer(markup, **kept)  # type: ignore[arg-type]  # a test's own words

    def redirect(self, path: str, target: str) -> None:
        self.answers[path] = Answer(status=302, headers={"Location": target})


class _Handler(BaseHTTPRequestHandler):
    server: NewsServer

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.agents.add(self.headers.get("User-Agent", ""))
        answer = self.server.answers.get(self.path, Answer(b"gone", status=404))
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        try:
            if callable(answer.data):
                self.end_headers()
                answer.data(self.wfile.write, self.server.stopping)
                return
            data = answer.data.encode() if isinstance(answer.data, str) else answer.data
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except OSError:
            pass  # the reader has had enough

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def news_server() -> Iterator[NewsServer]:
    """A running server."""
    with NewsServer() as server:
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
        thread.start()
        try:
            yield server
        finally:
            server.stopping.set()
            server.shutdown()
            thread.join()
