"""Fleets that somebody else sizes: a rule, drained as ours or cut off as Kubernetes does it."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final, Protocol

from vibethinker_operator.drain import next_drain_step
from vibethinker_operator.plan import build_plan
from vibethinker_operator.samples import Sample
from vibethinker_operator.scaling import (
    Decision,
    Growth,
    GrowthVerdict,
    Reason,
    Rule,
    ScalingState,
    Verdict,
)
from vibethinker_simulator.fleet import Fleet
from vibethinker_simulator.operator_loop import execute
from vibethinker_simulator.scaler import Unguarded


class SizeRule(Protocol):
    """Says how many replicas there should be."""

    def size(self, fleet: Fleet, samples: Mapping[str, Sample], now: float) -> int:
        """Returns the replicas wanted at `now`, by pods' readings (by uid)."""


class CutOff(Unguarded):
    """A rule whose shrinks end pods as Kubernetes does: after thirty seconds the rest is cut."""

    def __init__(self, rule: SizeRule) -> None:
        self._rule = rule

    def sweep(self, fleet: Fleet, now: float, *, silent: Collection[int]) -> None:
        """Asks for what the rule says."""
        wanted = self._rule.size(fleet, read_samples(fleet, now, silent), now)
        if wanted != fleet.replicas:
            fleet.set_replicas(wanted, now)


class Drained(Unguarded):
    """A rule whose shrinks go through our drain."""

    def __init__(self, rule: SizeRule, deadline_seconds: float) -> None:
        self._rule = rule
        self._deadline_seconds = deadline_seconds

    def sweep(self, fleet: Fleet, now: float, *, silent: Collection[int]) -> None:
        """Grows at once, or takes the next step of a drain."""
        fleet.grace_seconds = self._deadline_seconds
        samples, observed = read_samples(fleet, now, silent), fleet.observe()
        wanted = self._rule.size(fleet, samples, now)
        step = next_drain_step(
            observed, samples, wanted, deadline_seconds=self._deadline_seconds, now=now
        )
        for action in build_plan(
            observed, replace(_NO_DECISION, desired=wanted), step, samples, now
        ):
            execute(action, fleet, now)


def read_samples(fleet: Fleet, now: float, silent: Collection[int]) -> dict[str, Sample]:
    """Returns the readings of the pods that can be read, by uid."""
    return {
        server.uid: server.read(now)
        for server in fleet.servers
        if not server.leaving and server.number not in silent
    }


_SETTLED: Final = Verdict(False, Reason.MANUAL_MODE, "")
_NO_DECISION: Final = Decision(
    desired=0,
    recommended=0,
    replicas=0,
    rule=Rule.MANUAL,
    reason=Reason.MANUAL_MODE,
    message="somebody else decides",
    inputs={},
    counterfactual="",
    growth=GrowthVerdict(Growth.NOT_OURS, None, ""),
    limited=_SETTLED,
    active=_SETTLED,
    state=ScalingState(),
)
"""The plan reads nothing of a decision but its number and its words."""
