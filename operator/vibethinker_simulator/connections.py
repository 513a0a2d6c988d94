"""Which pod a request reaches: Services balance connections, not requests.

A connection is placed on a pod at random when it is opened, carries one request after another, and
ends by the server's own rule, with its pod, or when nobody has used it for five seconds.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from vibethinker_server.connections import should_close

from vibethinker_simulator.server import Server

KEEP_ALIVE_SECONDS: Final = 5.0
"""uvicorn ends a connection that has idled for so long; httpx forgets it then, too."""

HTTP_VERSION: Final = "1.1"


@dataclass(slots=True)
class Connection:
    """One connection of a client: its server, since when it is open, and since when it idles."""

    server: Server
    opened: float
    idle_since: float = 0.0
    closing: bool = False


class Routing(Protocol):
    """Places requests on pods."""

    def connect(self, servers: Sequence[Server], now: float) -> Connection:
        """Returns a connection for a request at `now`; there is one of `servers` at least."""

    def answer(self, connection: Connection, status: int, now: float) -> None:
        """Takes the head of an answer, which may close its connection."""

    def release(self, connection: Connection, now: float) -> None:
        """Takes back a connection whose answer has ended."""


class PooledConnections:
    """What a Service does to clients that keep connections: the product's routing."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 (reproducible)
        self._idle: list[Connection] = []

    def connect(self, servers: Sequence[Server], now: float) -> Connection:
        """Returns the connection that was used last, or a new one."""
        while self._idle:
            connection = self._idle.pop()
            if now - connection.idle_since >= KEEP_ALIVE_SECONDS:
                # Those below it have idled for longer.
                self._idle.clear()
            elif connection.server.alive and not connection.server.leaving:
                return connection
        return Connection(self._chance.choice(servers), now)

    def answer(self, connection: Connection, status: int, now: float) -> None:
        """Notes whether the answer closes its connection."""
        runtime = connection.server.runtime
        connection.closing = should_close(
            HTTP_VERSION,
            status,
            now - connection.opened,
            runtime.fleet.verdict(now),
            runtime.fleet.draining_seconds(now),
        )

    def release(self, connection: Connection, now: float) -> None:
        """Keeps the connection for the next request, unless it closes."""
        if not connection.closing:
            connection.idle_since = now
            self._idle.append(connection)


class LeastOutstanding:
    """A balancer that sees every request and knows how many each pod has: the variant."""

    def connect(self, servers: Sequence[Server], now: float) -> Connection:
        """Returns a connection to the pod with the fewest requests."""
        return Connection(min(servers, key=_count_outstanding), now)

    def answer(self, connection: Connection, status: int, now: float) -> None:
        """Nothing: no connection is kept."""

    def release(self, connection: Connection, now: float) -> None:
        """Nothing: no connection is kept."""


def _count_outstanding(server: Server) -> tuple[int, int]:
    return (server.replica.running + server.replica.waiting, server.number)
