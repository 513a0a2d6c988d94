"""The operator's own metrics, collected from its state at the moment of the scrape."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from vibethinker_operator import names
from vibethinker_operator.api.status import Condition
from vibethinker_operator.fleet_metrics import collect_conditions, collect_fleets
from vibethinker_operator.fleet_view import FleetView
from vibethinker_operator.inventory import Key
from vibethinker_operator.loop import ReconcileLoop


class OperatorCollector(Collector):
    """Yields what the operator knows; a fleet that is gone has no series."""

    def __init__(
        self,
        *,
        loop: ReconcileLoop,
        views: Callable[[], Iterable[FleetView]],
        conditions: Callable[[], Iterable[tuple[Key, tuple[Condition, ...]]]],
        refused_samples: Counter[str],
        failed_writes: Counter[str],
    ) -> None:
        self._loop = loop
        self._views = views
        self._conditions = conditions
        self._refused_samples = refused_samples
        self._failed_writes = failed_writes

    def collect(self) -> Iterator[Metric]:
        """Yields every metric family."""
        yield from self._collect_loop()
        yield from collect_fleets(self._views())
        yield collect_conditions(self._conditions())

    def _collect_loop(self) -> Iterator[Metric]:
        loop = self._loop
        yield GaugeMetricFamily(
            names.METRIC_LAST_ROUND,
            "When the loop last began a round, in unix seconds.",
            value=loop.last_round,
        )
        yield CounterMetricFamily(
            names.METRIC_FAILED_TICKS,
            "Ticks of a fleet that ended in an error.",
            value=loop.failed_ticks,
        )
        yield CounterMetricFamily(
            names.METRIC_SKIPPED_TICKS,
            "Ticks left out because the fleet's previous one still ran.",
            value=loop.skipped_ticks,
        )
        yield _counted(
            names.METRIC_REFUSED_SAMPLES,
            "Readings of server pods that did not come or could not be right, by reason.",
            "reason",
            self._refused_samples,
        )
        yield _counted(
            names.METRIC_FAILED_WRITES,
            "Writes that the Kubernetes API refused or did not answer, by kind of object.",
            "kind",
            self._failed_writes,
        )


def _counted(name: str, text: str, label: str, counts: Counter[str]) -> Metric:
    family = CounterMetricFamily(name, text, labels=(label,))
    for value, count in sorted(counts.items()):
        family.add_metric((value,), count)
    return family
