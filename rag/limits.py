"""Limits: how much one client may ask."""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Final

from index.errors import RateError
from index.sessions import THIS_MACHINE

_MAX_CLIENTS: Final = 10_000


class Rate:
    """So much a minute for each client, all of it at once where nothing was asked for a minute."""

    def __init__(
        self, per_minute: int | None, *, what: str = "questions", clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Allow each client `per_minute` of `what`; with None, as many as it likes."""
        self._per_minute = per_minute
        self._what = what
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # client -> (how many, when counted)

    def take(self, client: str) -> None:
        """Count one more of a client's.

        Raises:
            RateError: it has had all it may for now.
        """
        if self._per_minute is None or client == THIS_MACHINE:  # a command line beside the server
            return
        left = self._refilled(client)
        if left < 1:
            seconds = int((1 - left) * 60 / self._per_minute) + 1
            raise RateError(
                f"More than {self._per_minute} {self._what} a minute; the next in {seconds} seconds.",
                retry_seconds=seconds,
            )
        self._keep(client, left - 1)

    def check(self, client: str) -> None:
        """Like `take`, but counts nothing."""
        if self._per_minute is not None and (left := self._refilled(client)) < 1:
            seconds = int((1 - left) * 60 / self._per_minute) + 1
            raise RateError(f"Too many {self._what}; try again in {seconds} seconds.", retry_seconds=seconds)

    def _refilled(self, client: str) -> float:
        most = float(self._per_minute or 0)
        left, counted = self._left.get(client, (most, self._clock()))
        return min(most, left + (self._clock() - counted) * most / 60)

    def _keep(self, client: str, left: float) -> None:
        self._left[client] = (left, self._clock())
        self._left.move_to_end(client)
        while len(self._left) > _MAX_CLIENTS:
            self._left.popitem(last=False)


def client_of(scope: Mapping[str, Any]) -> str:
    """Who sends a request: the name that logged in, or the address it comes from (of IPv6, the network of one home)."""
    if name := scope.get("state", {}).get("byline_user"):
        return str(name)
    host = (scope.get("client") or ("unknown", 0))[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return str(host)[:100]
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
