"""Kubernetes' HorizontalPodAutoscaler, and KEDA from one replica up, which is the same.

Kubernetes v1.37.2, pkg/controller/podautoscaler/horizontal.go; defaults of
pkg/controller/podautoscaler/config/v1alpha1/defaults.go: a turn every 15 s, tolerance 0.1, on the
way down the highest proposal of 300 s.

Ported: Pods and External metrics with AverageValue, the largest proposal of several, metrics that
cannot be had, `spec.behavior` or its absence, bounds. KEDA's scaled object is an HPA on External
metrics. Not ported: resource, object and Value metrics, a fleet of zero (here, as there by default,
it is left alone; KEDA's own 0 to 1 is not here), conditions and events.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from tests.bench.sim.peers.cadence import Cadence
from tests.bench.sim.peers.hpa_behavior import Behavior, limit_down, limit_up
from tests.bench.sim.peers.hpa_memory import Changes, Proposals
from tests.bench.sim.peers.hpa_metrics import ExternalMetric, Metric, Seen, propose
from tests.bench.sim.peers.hpa_proposal import Tolerances
from tests.bench.sim.peers.pods import PodView, sum_readings

SYNC_SECONDS: Final = 15.0
DOWN_WINDOW_SECONDS: Final = 300.0
TOLERANCE: Final = 0.1

_FACTOR_UP: Final = 2
_LEAST_LIMIT_UP: Final = 4


class Hpa:
    """One HPA. It takes what it answers for done: a caller must set these replicas.

    Args:
        metrics: At least one.
        minimum: Fewest replicas, at least 1.
        maximum: Most replicas.
        behavior: `spec.behavior`; None for an HPA without it, which is not the same as the
            defaults: it may double, or go to 4, at each turn.
        tolerance: The controller's.
        down_window_seconds: The controller's, for an HPA without behavior.
        sync_seconds: Between turns of `sweep`.
    """

    def __init__(
        self,
        metrics: Sequence[Metric],
        *,
        minimum: int,
        maximum: int,
        behavior: Behavior | None = None,
        tolerance: float = TOLERANCE,
        down_window_seconds: float = DOWN_WINDOW_SECONDS,
        sync_seconds: float = SYNC_SECONDS,
    ) -> None:
        self._metrics = metrics
        self._minimum, self._maximum = minimum, maximum
        self._behavior = behavior
        self._tolerances = _tolerances(behavior, tolerance)
        self._down_window_seconds = down_window_seconds
        self._cadence = Cadence(sync_seconds)
        self._proposals = Proposals(_longest_window(behavior, down_window_seconds))
        rules = behavior or Behavior()
        self._added, self._removed = Changes(rules.up), Changes(rules.down)

    def sweep(self, now: float, current: int, pods: Sequence[PodView]) -> int:
        """Returns the replicas wanted; external metrics are `sum(name)` over the pods."""
        if not self._cadence.is_due(now):
            return current
        totals = {
            metric.name: sum_readings(pods, metric.name)
            for metric in self._metrics
            if isinstance(metric, ExternalMetric)
        }
        return self.step(now, current, pods, totals)

    def step(
        self,
        now: float,
        current: int,
        pods: Sequence[PodView],
        totals: Mapping[str, float | None] | None = None,
    ) -> int:
        """Returns the replicas wanted after one turn.

        Args:
            now: Seconds.
            current: The Deployment's `spec.replicas`.
            pods: All that exist.
            totals: Values of the external metrics; None or absent if they cannot be had.
        """
        self._proposals.begin(now, current)
        wanted = self._decide(now, Seen(current, pods, totals or {}))
        if wanted > current:
            self._added.add(now, wanted - current)
        elif wanted < current:
            self._removed.add(now, current - wanted)
        return wanted

    def _decide(self, now: float, seen: Seen) -> int:
        current = seen.current
        if current == 0:
            return 0
        if not self._minimum <= current <= self._maximum:
            return max(self._minimum, min(self._maximum, current))
        proposal = propose(self._metrics, seen, self._tolerances)
        if proposal is None:
            return current
        if self._behavior is None:
            return self._bound(now, current, proposal)
        return self._bound_by(self._behavior, now, current, proposal)

    def _bound(self, now: float, current: int, proposal: int) -> int:
        recent = self._proposals.up_to(now, self._down_window_seconds)
        self._proposals.add(now, proposal)
        limit = min(self._maximum, max(_FACTOR_UP * current, _LEAST_LIMIT_UP))
        return max(self._minimum, min(limit, max([proposal, *recent])))

    def _bound_by(self, behavior: Behavior, now: float, current: int, proposal: int) -> int:
        def before(seconds: int) -> int:
            added, removed = self._added.within(now, seconds), self._removed.within(now, seconds)
            return current - added + removed

        wanted = self._stabilize(behavior, now, current, proposal)
        if wanted > current:
            return min(wanted, self._maximum, limit_up(current, behavior.up, before))
        if wanted < current:
            return max(wanted, self._minimum, limit_down(current, behavior.down, before))
        return wanted

    def _stabilize(self, behavior: Behavior, now: float, current: int, proposal: int) -> int:
        ups = self._proposals.within(now, behavior.up.window_seconds)
        downs = self._proposals.within(now, behavior.down.window_seconds)
        self._proposals.add(now, proposal)
        return min(max(current, min([proposal, *ups])), max([proposal, *downs]))


def _tolerances(behavior: Behavior | None, tolerance: float) -> Tolerances:
    if behavior is None:
        return Tolerances(tolerance, tolerance)
    up, down = behavior.up.tolerance, behavior.down.tolerance
    return Tolerances(tolerance if up is None else up, tolerance if down is None else down)


def _longest_window(behavior: Behavior | None, down_window_seconds: float) -> float:
    if behavior is None:
        return down_window_seconds
    return max(behavior.up.window_seconds, behavior.down.window_seconds)
