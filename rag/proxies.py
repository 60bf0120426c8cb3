"""Proxies: what a request was before a proxy passed it on, told by headers that only a trusted proxy may set."""

import ipaddress
from collections.abc import Sequence
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

_TOLD: Final = frozenset({b"x-forwarded-host", b"x-forwarded-proto", b"x-forwarded-prefix", b"x-forwarded-port"})
"""Headers that others read as well, Gradio among them, and believe."""


class Proxies:
    """The proxies in front, by address or network."""

    def __init__(self, networks: Sequence[str] = (), *, root_path: str = "") -> None:
        """Believe those in `networks`; the page is shown under `root_path`, whether or not they take it away."""
        self._networks = [ipaddress.ip_network(one, strict=False) for one in networks]
        self._root_path = root_path

    def look_through(self, scope: Scope) -> Scope:
        """The request as the client sent it, under the path that the page is shown under."""
        path = scope["path"]
        if self._root_path and path != self._root_path and not path.startswith(f"{self._root_path}/"):
            path = self._root_path + path
        seen = {**scope, "path": path, "root_path": self._root_path}
        if not self.trust(scope):
            return seen | {"headers": [header for header in scope["headers"] if header[0] not in _TOLD]}
        headers = Headers(scope=scope)
        if headers.get("x-forwarded-proto") in {"http", "https"}:
            seen["scheme"] = headers["x-forwarded-proto"]
        told = [one.strip() for line in headers.getlist("x-forwarded-for") for one in line.split(",") if one.strip()]
        # Each proxy adds whom it speaks with at the end; what stands before a stranger, the stranger wrote.
        client = next((one for one in reversed(told) if not self._is_proxy(one)), "")
        return seen | ({"client": (client[:100], 0)} if client else {})

    def public_host(self, scope: Scope) -> str:
        """The host that a trusted proxy says the client asked for; empty where none says it."""
        return Headers(scope=scope).get("x-forwarded-host", "").strip() if self.trust(scope) else ""

    def trust(self, scope: Scope) -> bool:
        """Whether a proxy passed the request on."""
        return bool(self._networks) and self._is_proxy((scope.get("client") or ("",))[0])

    def _is_proxy(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address):
            address = address.ipv4_mapped or address
        return any(address in network for network in self._networks)


def inner_path(scope: Scope) -> str:
    """The path of a request without the one that the page is shown under."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] or "/" if root and (path == root or path.startswith(f"{root}/")) else path
