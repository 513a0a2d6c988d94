"""What an HPA's metrics ask for together.

Kubernetes v1.37.2, pkg/controller/podautoscaler/horizontal.go: computeReplicasForMetrics.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.bench.sim.peers.hpa_proposal import (
    Tolerances,
    propose_for_pods,
    propose_for_total,
    read_pods,
    to_thousandths,
)
from tests.bench.sim.peers.pods import PodView, count_active


@dataclass(frozen=True, slots=True)
class PodsMetric:
    """A metric of each pod, whose mean is to be `target`."""

    name: str
    target: float


@dataclass(frozen=True, slots=True)
class ExternalMetric:
    """A metric of the whole, of which each replica is to have `target`."""

    name: str
    target: float


Metric = PodsMetric | ExternalMetric


@dataclass(frozen=True, slots=True)
class Seen:
    """What one turn looks at.

    Attributes:
        current: The Deployment's `spec.replicas`.
        pods: All that exist.
        totals: Values of the external metrics; None or absent if they cannot be had.
    """

    current: int
    pods: Sequence[PodView]
    totals: Mapping[str, float | None]


def propose(metrics: Sequence[Metric], seen: Seen, tolerances: Tolerances) -> int | None:
    """Returns the largest proposal; None if nothing can be said."""
    proposals = [_propose_for(metric, seen, tolerances) for metric in metrics]
    known = [proposal for proposal in proposals if proposal is not None]
    highest = max(known, default=None)
    if highest is not None and len(known) < len(proposals) and highest < seen.current:
        return None  # what is unknown might be what holds it up
    return highest


def _propose_for(metric: Metric, seen: Seen, tolerances: Tolerances) -> int | None:
    target = math.ceil(round(metric.target * 1000, 6))
    if isinstance(metric, PodsMetric):
        readings = read_pods(seen.pods, metric.name)
        return propose_for_pods(
            readings, current=seen.current, target=target, tolerances=tolerances
        )
    total = seen.totals.get(metric.name)
    if total is None:
        return None
    return propose_for_total(
        to_thousandths(total),
        status_replicas=count_active(seen.pods),
        target=target,
        tolerances=tolerances,
    )
