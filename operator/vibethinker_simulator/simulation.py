"""A trace against a fleet: requests in order of time, a sweep each second. Deterministic."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from vibethinker_server.admission import Rejected

from vibethinker_simulator.blueprint import Blueprint
from vibethinker_simulator.connections import Connection, PooledConnections, Routing
from vibethinker_simulator.fleet import Fleet
from vibethinker_simulator.outcome import Fate, Outcome
from vibethinker_simulator.scaler import Scaler
from vibethinker_simulator.server import Server
from vibethinker_simulator.trace import Request, Trace

EPOCH: Final = 1_000_000.0
"""When a run begins, in unix seconds."""

TAIL_SECONDS: Final = 7200
"""Longest time after the trace in which answers may end."""

Incident = Callable[[Fleet, float], Collection[int]]
"""What goes wrong at a second of the trace: returns the numbers of pods that cannot be read."""


@dataclass(frozen=True)
class Run:
    """What a run is made of, beside its trace and its scaler.

    Attributes:
        blueprint: What each pod is like.
        start_seconds: From a pod's making to its being Ready.
        first_replicas: Pods that are Ready when the trace begins.
        seed: Of routing.
        incident: What goes wrong; None: nothing.
    """

    blueprint: Blueprint
    start_seconds: float = 60.0
    first_replicas: int = 1
    seed: int = 1
    routing: Callable[[int], Routing] = PooledConnections
    incident: Incident | None = None


class Simulation:
    """One run of one trace."""

    def __init__(self, run: Run, trace: Trace, scaler: Scaler) -> None:
        self._run = run
        self._trace = trace
        self._scaler = scaler
        self._now = EPOCH
        self._fleet = Fleet(run.blueprint, start_seconds=run.start_seconds, clock=lambda: self._now)
        self._routing = run.routing(run.seed)
        self._outcome = Outcome.of(len(trace.requests))
        # Until when each session is known: every pod accepts every pod's ticket.
        self._known_until: dict[int, float] = {}
        self._connections: dict[int, Connection] = {}
        self._silent: Collection[int] = ()

    def play(self) -> Outcome:
        """Returns what came of it."""
        self._fleet.start_warm(self._run.first_replicas, EPOCH)
        requests, number = self._trace.requests, 0
        for second in range(int(self._trace.seconds) + TAIL_SECONDS):
            until = second + 1
            while number < len(requests) and requests[number].time < until:
                self._arrive(number, requests[number])
                number += 1
            if until > self._trace.seconds and not self._connections:
                break
            self._sweep(EPOCH + until, recorded=until <= self._trace.seconds)
        self._outcome.pod_seconds = self._fleet.total_pod_seconds(self._now)
        return self._outcome

    def _arrive(self, number: int, request: Request) -> None:
        self._now = now = EPOCH + request.time
        blueprint, outcome = self._run.blueprint, self._outcome
        answer_tokens = min(request.output_tokens, blueprint.limit_tokens)
        outcome.answer_tokens[number] = answer_tokens
        if request.prompt_tokens + answer_tokens > blueprint.settings.max_model_len:
            outcome.fates[number] = Fate.TOO_LONG
            return
        self._settle(now)
        serving = self._fleet.serving
        if not serving:
            self._refuse(number, "nobody_serves")
            return
        connection = self._routing.connect(serving, now)
        server = connection.server
        server.replica.advance(now)
        self._collect(server)
        known = self._known_until.get(request.session, 0.0) > now
        outcome.known[number] = known
        answer = self._scaler.admit(server, request, known=known)
        if isinstance(answer, Rejected):
            self._refuse(number, answer.reason)
            self._routing.answer(connection, answer.status, now)
            self._routing.release(connection, now)
            return
        self._known_until[request.session] = now + blueprint.policy.sessions.ttl_seconds
        self._routing.answer(connection, HTTPStatus.OK, now)
        self._connections[number] = connection
        server.take(number, request, known=known and self._scaler.known_first, now=now)

    def _refuse(self, number: int, reason: str) -> None:
        self._outcome.fates[number] = Fate.REFUSED
        refused = self._outcome.refused_for
        refused[reason] = refused.get(reason, 0) + 1

    def _settle(self, now: float) -> None:
        for server in self._fleet.servers:
            if server.replica.quiet_until <= now:
                server.replica.advance(now)
                self._collect(server)

    def _collect(self, server: Server) -> None:
        replica = server.replica
        if not (replica.started or replica.finished or replica.spells):
            return
        started, finished = server.harvest()
        outcome, requests = self._outcome, self._trace.requests
        for at, sequence in started:
            wait = at - EPOCH - requests[sequence.number].time
            outcome.first_token_seconds[sequence.number] = wait
        for at, sequence in finished:
            outcome.fates[sequence.number] = Fate.ANSWERED
            outcome.ends[sequence.number] = at - EPOCH
            outcome.preemptions[sequence.rank] += sequence.preemptions
            self._routing.release(self._connections.pop(sequence.number), at)

    def _sweep(self, now: float, *, recorded: bool) -> None:
        self._now = now
        fleet = self._fleet
        for server in fleet.servers:
            server.replica.advance(now)
            self._collect(server)
        self._cut(fleet.tick(now), Fate.DROPPED)
        if self._run.incident is not None:
            self._silent = self._run.incident(fleet, now - EPOCH)
            self._find_failed()
        self._scaler.sweep(fleet, now, silent=self._silent)
        if recorded:
            self._record()

    def _find_failed(self) -> None:
        dead = [n for n, connection in self._connections.items() if not connection.server.alive]
        self._cut(dead, Fate.CUT_BY_FAILURE)

    def _cut(self, numbers: Collection[int], fate: Fate) -> None:
        for number in numbers:
            self._outcome.fates[number] = fate
            self._connections.pop(number, None)

    def _record(self) -> None:
        outcome, blueprint, serving = self._outcome, self._run.blueprint, self._fleet.serving
        ratios = [blueprint.live_ratio(server.replica.kv_usage_ratio) for server in serving]
        line = blueprint.policy.saturation.memory_used_ratio
        outcome.replicas.append(self._fleet.replicas)
        outcome.serving.append(len(serving))
        outcome.above_line_seconds += sum(ratio > line for ratio in ratios)
        outcome.memory_used_ratio.append(max(ratios, default=0.0))
        outcome.queue.append(sum(server.replica.waiting for server in serving))
