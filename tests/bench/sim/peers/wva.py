"""llm-d's workload-variant-autoscaler (WVA), engine V1, and the HPA behind it.

Its tree of 2026-02-19 (b08b1c7): internal/engines/saturation/engine.go (a round every 30 s),
internal/collector/registration/saturation.go (`max_over_time[1m]` of KV cache and queue),
charts/workload-variant-autoscaler (HPA on `wva_desired_replicas`, AverageValue 1; 240 s windows
both ways, at most 10 pods in 150 s; Prometheus reads the pods every 15 s).

Ported: one model with one variant, at the chart's settings. Not ported: several variants and their
costs, the GPU limiter, scale to zero, per-model overrides, engine V2, the time between the engine
and the HPA's reading of it (a scrape of WVA and the adapter's: here none).

No module proxy has it, so no vectors are kept. On 20,000 random fleets, wva_saturation.py wanted
what the real analyzer with its floor of one replica did.
"""

from collections.abc import Sequence
from typing import Final

from tests.bench.sim.peers.cadence import Cadence
from tests.bench.sim.peers.hpa import SYNC_SECONDS, Hpa
from tests.bench.sim.peers.hpa_behavior import Behavior, Kind, Policy, Rules
from tests.bench.sim.peers.hpa_metrics import ExternalMetric
from tests.bench.sim.peers.pods import PodView, count_active
from tests.bench.sim.peers.wva_saturation import Replica, Thresholds, Variant, choose_target

SCRAPE_SECONDS: Final = 15.0
ROUND_SECONDS: Final = 30.0
MAX_OVER_SECONDS: Final = 60.0
HPA_WINDOW_SECONDS: Final = 240
KV: Final = "kv_cache_usage"
QUEUE: Final = "num_requests_waiting"

_DESIRED: Final = "wva_desired_replicas"
_AT_MOST: Final = (Policy(Kind.PODS, 10, 150),)


class Wva:
    """One model's autoscaler. Its pods' metrics are KV and QUEUE.

    Args:
        minimum: Fewest replicas, of the HPA.
        maximum: Most replicas, of the HPA.
        hpa_window_seconds: Of the HPA, both ways.
        thresholds: Of the engine.
    """

    def __init__(
        self,
        *,
        minimum: int,
        maximum: int,
        hpa_window_seconds: int = HPA_WINDOW_SECONDS,
        thresholds: Thresholds | None = None,
    ) -> None:
        rules = Rules(_AT_MOST, hpa_window_seconds)
        self._hpa = Hpa(
            (ExternalMetric(_DESIRED, 1.0),),
            minimum=minimum,
            maximum=maximum,
            behavior=Behavior(rules, rules),
        )
        self._thresholds = thresholds or Thresholds()
        self._samples: list[tuple[float, PodView]] = []
        self._desired: int | None = None
        self._scrapes, self._rounds = Cadence(SCRAPE_SECONDS), Cadence(ROUND_SECONDS)
        self._syncs = Cadence(SYNC_SECONDS)

    def sweep(self, now: float, current: int, pods: Sequence[PodView]) -> int:
        """Returns the replicas wanted."""
        if self._scrapes.is_due(now):
            self._scrape(now, pods)
        if self._rounds.is_due(now):
            self._analyze(now, pods)
        if not self._syncs.is_due(now):
            return current
        return self._hpa.step(now, current, pods, {_DESIRED: self._desired})

    def _scrape(self, now: float, pods: Sequence[PodView]) -> None:
        kept = [one for one in self._samples if now - one[0] < MAX_OVER_SECONDS]
        self._samples = [*kept, *((now, pod) for pod in pods)]

    def _analyze(self, now: float, pods: Sequence[PodView]) -> None:
        known = [replica for pod in pods if (replica := self._read(now, pod)) is not None]
        current = count_active(pods)
        ready = sum(pod.ready and not pod.terminating for pod in pods)
        target = choose_target(known, Variant(current, ready, self._desired), self._thresholds)
        self._desired = self._desired if target is None else target

    def _read(self, now: float, pod: PodView) -> Replica | None:
        # A pod that is ending is still read, and so is one that answered within the minute.
        recent = [
            seen.metrics
            for at, seen in self._samples
            if seen.name == pod.name and now - at < MAX_OVER_SECONDS
        ]
        kv = [metrics[KV] for metrics in recent if KV in metrics]
        queue = [metrics[QUEUE] for metrics in recent if QUEUE in metrics]
        if not kv and not queue:
            return None
        return Replica(max(kv, default=0.0), int(max(queue, default=0.0)))
