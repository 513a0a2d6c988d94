"""How many replicas one metric asks of the HPA.

Kubernetes v1.37.2, pkg/controller/podautoscaler: replica_calculator.go and
metrics/utilization.go. Values are whole thousandths, as its metrics APIs carry them, and never
negative. Only resource metrics look at readiness: here a pod counts from the moment it runs and
answers.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tests.bench.sim.peers.pods import PodView

MOST_REPLICAS: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Tolerances:
    """By which share usage may be above or below its target without a change."""

    up: float = 0.1
    down: float = 0.1

    def hold(self, ratio: float) -> bool:
        """Says whether usage over target is too near to 1 to act on."""
        return 1.0 - self.down <= ratio <= 1.0 + self.up


@dataclass(frozen=True, slots=True)
class Readings:
    """One metric of the pods that are not ending.

    Attributes:
        values: Of the pods that run and answer.
        missing: Pods that run and do not answer.
        pending: Pods that do not run yet; what they may say is left out.
    """

    values: Sequence[int]
    missing: int
    pending: int


def to_thousandths(value: float) -> int:
    """Returns a reading as metrics adapters and KEDA pass it on: cut off, not rounded."""
    return int(value * 1000)


def read_pods(pods: Iterable[PodView], metric: str) -> Readings:
    """Returns the readings of one metric."""
    active = [pod for pod in pods if not pod.terminating]
    running = [pod for pod in active if not pod.pending]
    values = [to_thousandths(pod.metrics[metric]) for pod in running if metric in pod.metrics]
    return Readings(values, len(running) - len(values), len(active) - len(running))


def propose_for_pods(
    readings: Readings, *, current: int, target: int, tolerances: Tolerances
) -> int | None:
    """Returns the replicas for a metric of each pod; None if no pod that runs answers."""
    values = readings.values
    if not values:
        return None
    ratio = _ratio(values, target)
    assumed = _assume(readings, ratio, target)
    if not readings.missing and not (readings.pending and ratio > 1):
        return current if tolerances.hold(ratio) else math.ceil(ratio * len(values))
    return _propose_carefully(ratio, [*values, *assumed], current, target, tolerances)


def propose_for_total(
    total: int, *, status_replicas: int, target: int, tolerances: Tolerances
) -> int:
    """Returns the replicas for an external metric: the total over the target of each."""
    if status_replicas and tolerances.hold(total / (target * status_replicas)):
        return status_replicas
    return min(MOST_REPLICAS, math.ceil(total / target))


def _assume(readings: Readings, ratio: float, target: int) -> list[int]:
    # The unknown is taken to dampen the change: idle on the way up, at the target on the way down.
    if ratio > 1:
        return [0] * (readings.missing + readings.pending)
    return [target] * readings.missing if ratio < 1 else []


def _propose_carefully(
    ratio: float, values: Sequence[int], current: int, target: int, tolerances: Tolerances
) -> int:
    again = _ratio(values, target)
    turned = again > 1 if ratio < 1 else again < 1 < ratio
    if tolerances.hold(again) or turned:
        return current
    replicas = math.ceil(again * len(values))
    against = replicas > current if again < 1 else replicas < current
    return current if against else replicas


def _ratio(values: Sequence[int], target: int) -> float:
    return sum(values) // len(values) / target
