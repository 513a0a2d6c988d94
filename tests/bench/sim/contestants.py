"""Who sizes the fleets: ours, its peers at their defaults and tuned, and who knows the trace."""

import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from vibethinker_operator.samples import Sample
from vibethinker_simulator.fleet import Fleet
from vibethinker_simulator.pod import Pod
from vibethinker_simulator.scaler import Scaler
from vibethinker_simulator.simulation import EPOCH

from tests.bench.sim.peers.hpa import Hpa
from tests.bench.sim.peers.hpa_metrics import ExternalMetric, PodsMetric
from tests.bench.sim.peers.kpa import Kpa, Settings
from tests.bench.sim.peers.literal import LiteralRule
from tests.bench.sim.peers.pods import PodView
from tests.bench.sim.peers.wva import KV, QUEUE, Wva
from tests.bench.sim.scenarios import Scenario
from tests.bench.sim.steered import CutOff, Drained

DRAIN_SECONDS: Final = 3600.0
PROMETHEUS_AGE_SECONDS: Final = 15
"""How old readings are that come through Prometheus at its usual interval."""

RUNNING: Final = "num_requests_running"
IN_FLIGHT: Final = "in_flight"
RAW: Final = "device_memory_used_ratio"
LIVE: Final = "memory_used_ratio"


class Peer(Protocol):
    """A port in `peers/`."""

    def sweep(self, now: float, current: int, pods: Sequence[PodView]) -> int:
        """Returns the replicas wanted."""


class PeerRule:
    """Shows a peer the simulated pods, with readings of the age that it would have."""

    def __init__(self, peer: Peer, age_seconds: int) -> None:
        self._peer = peer
        self._kept: deque[dict[str, Mapping[str, float]]] = deque(maxlen=age_seconds + 1)

    def size(self, fleet: Fleet, samples: Mapping[str, Sample], now: float) -> int:
        """Returns the replicas that the peer wants."""
        self._kept.append({uid: _read(sample) for uid, sample in samples.items()})
        views = [_view(pod, self._kept[0].get(pod.observed.uid, {})) for pod in fleet.pods]
        return self._peer.sweep(now, fleet.replicas, views)


@dataclass(frozen=True)
class PeerKind:
    """A peer of the report.

    Attributes:
        name: Its name.
        build: Makes it for a scenario.
        age_seconds: Age of its readings.
    """

    name: str
    build: Callable[[Scenario], Peer]
    age_seconds: int = PROMETHEUS_AGE_SECONDS

    def scaler(self, scenario: Scenario, *, drained: bool) -> Scaler:
        """Returns it at work, with our drain or as Kubernetes ends pods."""
        rule = PeerRule(self.build(scenario), self.age_seconds)
        return Drained(rule, DRAIN_SECONDS) if drained else CutOff(rule)


def _hpa(scenario: Scenario, *metrics: PodsMetric | ExternalMetric) -> Hpa:
    return Hpa(metrics, minimum=1, maximum=scenario.most_replicas)


def _hpa_on_kv_and_queue(scenario: Scenario) -> Hpa:
    return _hpa(scenario, PodsMetric(KV, 0.75), PodsMetric(QUEUE, 5.0))


def _kpa(scenario: Scenario, target: float) -> Kpa:
    return Kpa(
        Settings(target=target, minimum=1, maximum=scenario.most_replicas),
        ready=scenario.first_replicas,
        now=EPOCH,
        metric=IN_FLIGHT,
        chance=random.Random(1),  # noqa: S311 (reproducible)
    )


def _literal(scenario: Scenario, metric: str) -> LiteralRule:
    return LiteralRule(
        metric,
        start_seconds=scenario.start_seconds,
        minimum=1,
        maximum=scenario.most_replicas,
    )


UNTUNED: Final = (
    PeerKind("HPA on KV 0.75 and queue 5", _hpa_on_kv_and_queue),
    PeerKind("KEDA on queue 5", lambda s: _hpa(s, ExternalMetric(QUEUE, 5.0))),
    PeerKind("Knative KPA", lambda s: _kpa(s, Settings().target), age_seconds=0),
    PeerKind("llm-d WVA", lambda s: Wva(minimum=1, maximum=s.most_replicas)),
    PeerKind("mission's rule, raw memory", lambda s: _literal(s, RAW), age_seconds=0),
    PeerKind("mission's rule, live memory", lambda s: _literal(s, LIVE), age_seconds=0),
)


def tuned_kinds(targets: Mapping[str, float]) -> tuple[PeerKind, ...]:
    """Returns the peers with the knobs that a made-up day chose (tune.py)."""
    hpa, kpa = targets["hpa_running"], targets["kpa_in_flight"]
    return (
        PeerKind(f"HPA tuned, running {hpa:g}", lambda s: _hpa(s, PodsMetric(RUNNING, hpa))),
        PeerKind(f"Knative KPA tuned, {kpa:g}", lambda s: _kpa(s, kpa), age_seconds=0),
    )


def _view(pod: Pod, metrics: Mapping[str, float]) -> PodView:
    observed = pod.observed
    return PodView(
        name=observed.name,
        created=observed.created,
        ready_since=observed.ready_since if observed.ready else None,
        terminating=pod.terminating_since is not None,
        metrics=metrics,
    )


def _read(sample: Sample) -> Mapping[str, float]:
    used, idle = sample.kv_used_bytes or 0.0, sample.kv_idle_bytes or 0.0
    return {
        KV: used / (used + idle) if used + idle else 0.0,
        QUEUE: sample.queue_length or 0.0,
        RUNNING: sample.running or 0.0,
        IN_FLIGHT: sample.in_flight or 0.0,
        RAW: sample.device_memory_used_ratio or 0.0,
        LIVE: sample.memory_used_ratio or 0.0,
    }
