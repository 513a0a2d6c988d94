"""A scaler under watch: when it changed the fleet's size and why, and what the fleet cost."""

from collections.abc import Callable, Collection
from typing import NamedTuple

from vibethinker_operator.scaling import Decision
from vibethinker_server.admission import Admitted, Rejected

from vibethinker_simulator.fleet import Fleet
from vibethinker_simulator.operator_loop import OperatorLoop
from vibethinker_simulator.scaler import Scaler
from vibethinker_simulator.server import Server
from vibethinker_simulator.simulation import EPOCH
from vibethinker_simulator.trace import Request

Report = Callable[[float], None]
"""Told the second of the trace that was reached."""


class SizeChange(NamedTuple):
    """The size asked for went from `before` to `after` at `time`, in seconds of the trace.

    The decision is the one that was in force; None where no operator decided.
    """

    time: float
    before: int
    after: int
    decision: Decision | None


class Watched:
    """Passes everything on to a scaler.

    Attributes:
        changes: Each change of the size.
        pods: Pods that exist, starts and drains included, after each sweep: one a second.
    """

    def __init__(self, scaler: Scaler, report: Report) -> None:
        self.known_first = scaler.known_first
        self.changes: list[SizeChange] = []
        self.pods: list[int] = []
        self._scaler = scaler
        self._report = report

    def sweep(self, fleet: Fleet, now: float, *, silent: Collection[int]) -> None:
        """Notes what a sweep changes."""
        before = fleet.replicas
        self._scaler.sweep(fleet, now, silent=silent)
        self.pods.append(len(fleet.pods))
        if fleet.replicas != before:
            decision = _find_decision(self._scaler)
            self.changes.append(SizeChange(now - EPOCH, before, fleet.replicas, decision))
        self._report(now - EPOCH)

    def admit(self, server: Server, request: Request, *, known: bool) -> Admitted | Rejected:
        """Asks the scaler."""
        return self._scaler.admit(server, request, known=known)


def _find_decision(scaler: Scaler) -> Decision | None:
    if isinstance(scaler, OperatorLoop) and scaler.decisions:
        return scaler.decisions[-1][1]
    return None
