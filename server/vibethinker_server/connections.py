"""Which answers close their connection. Services balance connections, not requests.

A pooled client would stay with its old pod for ever: so connections end where the pod wants
others to serve, and none serves longer than two minutes of requests.
"""

from collections import OrderedDict
from typing import Any

from vibethinker_server.fleet import Verdict

MAX_AGE_SECONDS = 120.0
# Connections kept in mind; the oldest are forgotten first and then live two minutes more.
MAX_CONNECTIONS = 10_000
REFUSED = (429, 503)


class Connections:
    """When each client connection was first seen, by the client's address and port."""

    def __init__(self) -> None:
        self._first_seen: OrderedDict[Any, float] = OrderedDict()

    def age_seconds(self, client: Any, now: float) -> float:
        """Returns how long this connection has served, 0 at its first request or if unknown."""
        if client is None:
            return 0.0
        first = self._first_seen.setdefault(tuple(client), now)
        if len(self._first_seen) > MAX_CONNECTIONS:
            self._first_seen.popitem(last=False)
        return now - first

    def forget(self, client: Any) -> None:
        """Drops a connection that an answer closes: its port may come again as another."""
        if client is not None:
            self._first_seen.pop(tuple(client), None)


def should_close(
    http_version: str,
    status: int,
    age_seconds: float,
    verdict: Verdict,
    draining_seconds: float | None,
) -> bool:
    """Returns whether an answer carries `Connection: close`, which HTTP/2 does not know."""
    if http_version not in ("1.0", "1.1"):
        return False
    return (
        status in REFUSED
        or draining_seconds is not None
        or verdict.move_connections
        or age_seconds >= MAX_AGE_SECONDS
    )
