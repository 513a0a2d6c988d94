"""The operator in a simulated cluster: its own steps, in the order of its `turn`."""

import json
from collections.abc import Collection, Iterator

from vibethinker_operator.api import VibeThinkerDeployment
from vibethinker_operator.deadlines import derive_deadlines, derive_drain_deadline_seconds
from vibethinker_operator.decision import decide
from vibethinker_operator.drain import VICTIM_DELETION_COST, next_drain_step
from vibethinker_operator.lease import build_fleet_message
from vibethinker_operator.observed import Observed
from vibethinker_operator.plan import (
    Action,
    MarkPod,
    SetReplicas,
    StartDrain,
    StopDrain,
    UnmarkPod,
    build_plan,
)
from vibethinker_operator.policy import assume_growth, build_scaling_policy
from vibethinker_operator.samples import Sample
from vibethinker_operator.scaling import Decision, GrowthVerdict, ScalingState
from vibethinker_operator.signals import fold_signals
from vibethinker_operator.windows import Windows
from vibethinker_server.admission import Admitted, Rejected
from vibethinker_server.policy_document import parse_sweep

from vibethinker_simulator.fleet import Fleet
from vibethinker_simulator.pod import Pod
from vibethinker_simulator.server import Server
from vibethinker_simulator.trace import Request


class OperatorLoop:
    """Sweeps, decides, drains and admits as the product does; the code is the product's.

    Attributes:
        decisions: Each decision that differs from the one before it in size or reason, with its
            time in simulated unix seconds.
    """

    known_first = True

    def __init__(self, resource: VibeThinkerDeployment) -> None:
        self.decisions: list[tuple[float, Decision]] = []
        self._policy = build_scaling_policy(resource.spec)
        self._deadline = derive_drain_deadline_seconds(resource.spec)
        self._grace = float(derive_deadlines(resource.spec).grace_seconds)
        self._state = ScalingState()
        self._windows = Windows()
        self._growth: GrowthVerdict | None = None

    def sweep(self, fleet: Fleet, now: float, *, silent: Collection[int]) -> None:
        """Takes one turn."""
        fleet.grace_seconds = self._grace
        observed = fleet.observe()
        self._lease(fleet, observed, now, silent)
        readings = list(_read(fleet, now, silent))
        self._windows = self._windows.record(readings, {p.uid for p in observed.pods}, now)
        signals = fold_signals(self._windows, observed, now)
        decision = decide(self._policy, observed, signals, self._state, now)
        self._state, self._growth = decision.state, decision.growth
        self._note(decision, now)
        samples = signals.samples
        step = next_drain_step(
            observed, samples, decision.desired, deadline_seconds=self._deadline, now=now
        )
        for action in build_plan(observed, decision, step, samples, now):
            execute(action, fleet, now)

    def admit(self, server: Server, request: Request, *, known: bool) -> Admitted | Rejected:
        """Judges a request as the product's server does."""
        return server.let_in(request, known=known)

    def _lease(self, fleet: Fleet, observed: Observed, now: float, silent: Collection[int]) -> None:
        growth = self._growth or assume_growth(self._policy, observed)
        message = build_fleet_message(growth, observed, now)
        _, lease = parse_sweep(json.dumps(message))
        for server in fleet.servers:
            if server.number not in silent:
                server.runtime.fleet.accept(None, lease, now)

    def _note(self, decision: Decision, now: float) -> None:
        last = self.decisions[-1][1] if self.decisions else None
        if last is None or (last.desired, last.reason) != (decision.desired, decision.reason):
            self.decisions.append((now, decision))


def _read(fleet: Fleet, now: float, silent: Collection[int]) -> Iterator[Sample]:
    for server in fleet.servers:
        server.watch_line(now)
        if not server.leaving and server.number not in silent:
            yield server.read(now)


def execute(action: Action, fleet: Fleet, now: float) -> None:
    """Does in the simulated cluster what the operator's `execution` does in a real one."""
    match action:
        case SetReplicas(replicas=replicas):
            fleet.set_replicas(replicas, now)
        case MarkPod(pod, since):
            _find(fleet, pod.uid).show(draining_since=since, deletion_cost=VICTIM_DELETION_COST)
        case UnmarkPod(pod):
            _find(fleet, pod.uid).show(draining_since=None, deletion_cost=None)
        case StartDrain(pod):
            found = _find(fleet, pod.uid)
            if found.server is not None:
                found.server.runtime.fleet.mark_drain(now)
                found.show(ready=False, ready_since=None, unready_since=now)
        case StopDrain(pod):
            found = _find(fleet, pod.uid)
            if found.server is not None:
                found.server.runtime.fleet.undo_drain()
                found.show(ready=True, ready_since=now, unready_since=None)


def _find(fleet: Fleet, uid: str) -> Pod:
    return next(pod for pod in fleet.pods if pod.observed.uid == uid)
