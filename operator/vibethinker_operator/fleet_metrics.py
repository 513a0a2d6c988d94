"""The series of fleets, read from their views at the moment of the scrape. Unknown is no series."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from vibethinker_operator import names
from vibethinker_operator.api import Mode
from vibethinker_operator.api.status import Condition
from vibethinker_operator.fleet_view import FleetView
from vibethinker_operator.inventory import Key
from vibethinker_operator.signals import PodLoad
from vibethinker_operator.windows import WINDOW_SECONDS

Readings = Iterator[tuple[tuple[str, ...], float]]


@dataclass(frozen=True)
class _Family:
    """One metric: what it is called, and how a view is read for it."""

    name: str
    text: str
    read: Callable[[FleetView], Readings]
    labels: tuple[str, ...] = ()
    kind: type[GaugeMetricFamily] | type[CounterMetricFamily] = GaugeMetricFamily

    def collect(self, views: Iterable[FleetView]) -> Metric:
        """Returns the metric over all fleets."""
        metric = self.kind(self.name, self.text, labels=(*names.LABEL_FLEET, *self.labels))
        for view in views:
            metadata = view.fleet.resource.metadata
            for labels, value in self.read(view):
                metric.add_metric((metadata.namespace, metadata.name, *labels), value)
        return metric


def collect_fleets(views: Iterable[FleetView]) -> Iterator[Metric]:
    """Yields every metric of the fleets that were ticked."""
    views = list(views)
    for family in _FAMILIES:
        yield family.collect(views)


def collect_conditions(told: Iterable[tuple[Key, tuple[Condition, ...]]]) -> Metric:
    """Returns the conditions as the status tells them, of fleets that cannot be read, too."""
    metric = GaugeMetricFamily(
        names.METRIC_CONDITION,
        "1 for the status and reason of each condition of a fleet.",
        labels=(*names.LABEL_FLEET, "type", "status", "reason"),
    )
    for fleet, conditions in told:
        for condition in conditions:
            metric.add_metric((*fleet, condition.type, condition.status, condition.reason), 1)
    return metric


def _read_replicas(view: FleetView) -> Readings:
    observed = view.fleet.observed
    if observed is not None:
        yield ("ready",), len(observed.serving)
        yield ("draining",), len(observed.draining)
        starting = (pod for pod in observed.active if not pod.ready and pod.draining_since is None)
        yield ("starting",), sum(1 for _ in starting)
    if view.decision is not None:
        yield ("desired",), view.decision.desired


def _read_min_replicas(view: FleetView) -> Readings:
    scaling = view.fleet.resource.spec.scaling
    if scaling.mode is Mode.AUTO:
        yield (), scaling.min_replicas


def _read_max_replicas(view: FleetView) -> Readings:
    scaling = view.fleet.resource.spec.scaling
    if scaling.mode is Mode.AUTO:
        yield (), scaling.max_replicas


def _read_memory(view: FleetView) -> Readings:
    if view.signals is not None and view.signals.memory is not None:
        yield (), view.signals.memory.used_ratio


def _read_memory_line(view: FleetView) -> Readings:
    yield (), view.fleet.resource.spec.saturation.memory_used_percentage / 100


def _read_queue(view: FleetView) -> Readings:
    if view.signals is not None and view.signals.waiting is not None:
        yield (), view.signals.waiting


def _read_queue_line(view: FleetView) -> Readings:
    yield (), view.fleet.resource.spec.saturation.request_queue_length


def _read_decision(view: FleetView) -> Readings:
    if view.decision is not None:
        yield (view.decision.rule.value, view.decision.reason.value), 1


def _read_scale_steps(view: FleetView) -> Readings:
    yield ("out",), view.scaled.outward
    yield ("in",), view.scaled.inward


def _read_scale_reversals(view: FleetView) -> Readings:
    yield (), view.scaled.reversals


def _read_oldest_sample(view: FleetView) -> Readings:
    if view.signals is None:
        return
    now = view.signals.time
    times = [_last_read(load, now) for load in view.signals.pods if load.pod.serving]
    if times:
        yield (), min(times)


def _last_read(load: PodLoad, now: float) -> float:
    if load.sample is not None:
        return load.sample.time
    # Readings are kept for a minute: a pod without any was last read before that, or is new.
    return max(load.pod.ready_since or load.pod.created, now - WINDOW_SECONDS)


_FAMILIES = (
    _Family(names.METRIC_REPLICAS, "Replicas of a fleet by state.", _read_replicas, ("state",)),
    _Family(names.METRIC_MIN_REPLICAS, "Fewest replicas in mode Auto.", _read_min_replicas),
    _Family(names.METRIC_MAX_REPLICAS, "Most replicas in mode Auto.", _read_max_replicas),
    _Family(
        names.METRIC_MEMORY_USED,
        "Live memory of the known ready pods over their devices' memory (0 to 1).",
        _read_memory,
    ),
    _Family(names.METRIC_MEMORY_LINE, "The fleet's own memory line (0 to 1).", _read_memory_line),
    _Family(names.METRIC_QUEUE, "Requests waiting in a fleet.", _read_queue),
    _Family(
        names.METRIC_QUEUE_LINE,
        "The fleet's own line of waiting requests, per ready replica.",
        _read_queue_line,
    ),
    _Family(
        names.METRIC_DECISION,
        "1 for the rule and reason of a fleet's last decision.",
        _read_decision,
        ("rule", "reason"),
    ),
    _Family(
        names.METRIC_SCALE_STEPS,
        "Changes of a fleet's size that the operator wrote, by direction (out, in).",
        _read_scale_steps,
        ("direction",),
        CounterMetricFamily,
    ),
    _Family(
        names.METRIC_SCALE_REVERSALS,
        "Changes of a fleet's size in the other direction than the one before.",
        _read_scale_reversals,
        kind=CounterMetricFamily,
    ),
    _Family(
        names.METRIC_OLDEST_SAMPLE,
        "When the ready pod that was read longest ago was last read, in unix seconds.",
        _read_oldest_sample,
    ),
)
