"""The operator's own metrics, collected from its state at the moment of the scrape."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from vibethinker_operator.fleet_view import FleetView
from vibethinker_operator.loop import ReconcileLoop

FLEET = ("namespace", "name")


class OperatorCollector(Collector):
    """Yields what the operator knows; a fleet that is gone has no series."""

    def __init__(
        self,
        *,
        loop: ReconcileLoop,
        views: Callable[[], Iterable[FleetView]],
        refused_samples: Counter[str],
        failed_writes: Counter[str],
    ) -> None:
        self._loop = loop
        self._views = views
        self._refused_samples = refused_samples
        self._failed_writes = failed_writes

    def collect(self) -> Iterator[Metric]:
        """Yields every metric family."""
        yield from self._collect_loop()
        yield from _collect_fleets(list(self._views()))

    def _collect_loop(self) -> Iterator[Metric]:
        loop = self._loop
        yield GaugeMetricFamily(
            "vibethinker_operator_last_round_timestamp_seconds",
            "When the loop last began a round, in unix seconds.",
            value=loop.last_round,
        )
        yield CounterMetricFamily(
            "vibethinker_operator_failed_ticks",
            "Ticks of a fleet that ended in an error.",
            value=loop.failed_ticks,
        )
        yield CounterMetricFamily(
            "vibethinker_operator_skipped_ticks",
            "Ticks left out because the fleet's previous one still ran.",
            value=loop.skipped_ticks,
        )
        yield _counted(
            "vibethinker_operator_refused_samples",
            "Readings of server pods that did not come or could not be right, by reason.",
            "reason",
            self._refused_samples,
        )
        yield _counted(
            "vibethinker_operator_failed_writes",
            "Writes that the Kubernetes API refused or did not answer, by kind of object.",
            "kind",
            self._failed_writes,
        )


def _collect_fleets(views: list[FleetView]) -> Iterator[Metric]:
    replicas = GaugeMetricFamily(
        "vibethinker_fleet_replicas", "Replicas of a fleet by state.", labels=(*FLEET, "state")
    )
    memory = GaugeMetricFamily(
        "vibethinker_fleet_memory_used_ratio",
        "Live memory of the known ready pods over their devices' memory (0 to 1).",
        labels=FLEET,
    )
    line = GaugeMetricFamily(
        "vibethinker_fleet_memory_line_ratio", "The fleet's own memory line (0 to 1).", labels=FLEET
    )
    queue = GaugeMetricFamily(
        "vibethinker_fleet_request_queue_length", "Requests waiting in a fleet.", labels=FLEET
    )
    decision = GaugeMetricFamily(
        "vibethinker_fleet_decision",
        "1 for the rule and reason of a fleet's last decision.",
        labels=(*FLEET, "rule", "reason"),
    )
    for view in views:
        fleet = (view.fleet.resource.metadata.namespace, view.fleet.resource.metadata.name)
        line.add_metric(fleet, view.fleet.resource.spec.saturation.memory_used_percentage / 100)
        for state, count in _count_replicas(view).items():
            replicas.add_metric((*fleet, state), count)
        if view.signals is not None and view.signals.memory is not None:
            memory.add_metric(fleet, view.signals.memory.used_ratio)
        if view.signals is not None and view.signals.waiting is not None:
            queue.add_metric(fleet, view.signals.waiting)
        if view.decision is not None:
            labels = (*fleet, view.decision.rule.value, view.decision.reason.value)
            decision.add_metric(labels, 1)
    yield from (replicas, memory, line, queue, decision)


def _count_replicas(view: FleetView) -> dict[str, int]:
    counts: dict[str, int] = {}
    if view.fleet.observed is not None:
        counts["ready"] = len(view.fleet.observed.serving)
        counts["draining"] = len(view.fleet.observed.draining)
        counts["starting"] = sum(
            not pod.ready and pod.draining_since is None for pod in view.fleet.observed.active
        )
    if view.decision is not None:
        counts["desired"] = view.decision.desired
    return counts


def _counted(name: str, text: str, label: str, counts: Counter[str]) -> Metric:
    family = CounterMetricFamily(name, text, labels=(label,))
    for value, count in sorted(counts.items()):
        family.add_metric((value,), count)
    return family
