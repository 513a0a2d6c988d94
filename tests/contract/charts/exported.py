"""Every series that our code exports, read from its own collectors; vLLM's are its own."""

from collections.abc import Iterable

from prometheus_client import Metric

from charts.source.reference.known_runtime import build_known_registry
from charts.source.reference.operator_registry import build_operator_metrics

ENDS = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",)}


def exported_series() -> set[str]:
    """Returns the names on the operator's and a pod's page, with a value just now or not."""
    operator, server = build_operator_metrics().registry, build_known_registry()
    return _series_of(operator.collect()) | _series_of(server.collect())


def _series_of(families: Iterable[Metric]) -> set[str]:
    return {family.name + end for family in families for end in ENDS[family.type]}
