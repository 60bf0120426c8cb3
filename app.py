"""The page: wiring only. Settings, the index and its engine, FastAPI and the page on it, one server."""

import logging
import os
import socket
import sys
from typing import Annotated

# Gradio reads these when it is imported: no telemetry, no version check, nothing from a hub.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_OFFLINE"] = "1"

import typer
import uvicorn
from fastapi import FastAPI

from index.errors import BylineError, SettingsError
from index.settings import Settings, load_settings


class _Server(uvicorn.Server):
    """A server that says where it is, once it answers."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            typer.echo(f"Byline: {_address(sockets[0])}")


def main(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 7860,
) -> None:
    """Open the chat in a browser at http://HOST:PORT."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        settings = load_settings()
        with _listen(host, port) as listening:
            typer.echo("Byline is starting…", err=True)
            _serve(settings, host, listening)
    except BylineError as exc:
        typer.echo(f"Error: {exc}", err=True)
        raise typer.Exit(exc.exit_code) from exc


def _serve(settings: Settings, host: str, listening: socket.socket) -> None:
    # Threads that check answers give way ten times as often as Python has it, to whoever waits for a first text.
    sys.setswitchinterval(0.0005)
    # Seconds to import: what can be wrong with settings and port has been said by now.
    from eval.runs_page import runs_router
    from rag.changes import Changes
    from rag.engine import open_engine, other_engines
    from rag.handed import handed_router
    from rag.page import mount_page
    from rag.shield import is_loopback
    from rag.warming import warm_up_behind

    with open_engine(settings, owner="the page") as engine:
        engine.store.announce(_address(listening))
        app = FastAPI(title="Byline", docs_url=None, redoc_url=None, openapi_url=None)
        app.include_router(runs_router([settings.runs, settings.home / "runs"]))
        local_only = is_loopback(host)
        changes = Changes(engine.store, settings, here_only=settings.page_changes == "auto")
        app.include_router(handed_router(engine.store, settings, changes))
        may_change = settings.page_changes == "on" or (settings.page_changes == "auto" and local_only)
        app = mount_page(
            app,
            engine,
            local_only=local_only,
            evaluation="evaluation",
            others=other_engines(engine, settings),
            changes=changes if may_change else None,
        )
        warming = warm_up_behind(engine)
        if not is_loopback(host) and settings.auth is None:
            typer.echo("Whoever reaches this machine may ask; BYLINE_AUTH asks for a name and a password.", err=True)
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, proxy_headers=False, timeout_graceful_shutdown=3
        )
        try:
            _Server(config).run(sockets=[listening])
        finally:
            # A thread that still reads the index or a model when the index is closed and Python ends takes both down.
            warming.join()


def _listen(host: str, port: int) -> socket.socket:
    """A socket bound to the address, taken before anything slow happens."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(address)
        except OSError:
            listening.close()
            raise
    except OSError as exc:
        reason = exc.strerror or str(exc)
        raise SettingsError(
            f"Cannot listen on {host}:{port} ({reason}). Another program may use the port: "
            "stop it, or choose another with --port."
        ) from exc
    return listening


def _address(listening: socket.socket) -> str:
    """The address to open in a browser."""
    host, port = listening.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"


if __name__ == "__main__":
    typer.run(main)
