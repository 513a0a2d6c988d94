"""Who sets the size of a simulated fleet."""

from collections.abc import Collection
from typing import Protocol

from vibethinker_server.admission import Admitted, Rejected

from vibethinker_simulator.fleet import Fleet
from vibethinker_simulator.sequence import NEWCOMER
from vibethinker_simulator.server import Server
from vibethinker_simulator.trace import Request


class Scaler(Protocol):
    """Sees the fleet once a second, and every request at its server's door.

    Attributes:
        known_first: Whether requests of known sessions go before others in the engine's queue.
    """

    known_first: bool

    def sweep(self, fleet: Fleet, now: float, *, silent: Collection[int]) -> None:
        """Looks at the fleet at `now` and may change it.

        Args:
            fleet: The fleet.
            now: Simulated unix seconds.
            silent: Numbers of the pods that cannot be read in this sweep.
        """

    def admit(self, server: Server, request: Request, *, known: bool) -> Admitted | Rejected:
        """Judges one request at its server's door."""


class Unguarded:
    """A fleet without admission: its engines take whatever comes, in the order of coming."""

    known_first = False

    def admit(self, server: Server, request: Request, *, known: bool) -> Admitted:  # noqa: ARG002
        """Lets everybody in."""
        return Admitted(NEWCOMER)


class Static(Unguarded):
    """A fleet of one size."""

    def __init__(self, replicas: int) -> None:
        self._replicas = replicas

    def sweep(self, fleet: Fleet, now: float, *, silent: Collection[int]) -> None:  # noqa: ARG002
        """Asks for the one size."""
        if fleet.replicas != self._replicas:
            fleet.set_replicas(self._replicas, now)
