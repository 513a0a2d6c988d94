"""docs/reference/metrics.md: every metric, collected from the real collectors."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client import Metric
from vibethinker_operator import names as operator_names
from vibethinker_server import names as server_names

from charts.source.reference.known_runtime import build_known_registry
from charts.source.reference.label_values import list_label_values
from charts.source.reference.markdown import code, render_page, render_table
from charts.source.reference.metrics_text import (
    LABELS,
    OPERATOR,
    SERVER,
    UNITS_BY_NAME,
    VALUES,
)
from charts.source.reference.operator_registry import build_operator_metrics

HEAD = ("metric", "type", "labels", "unit", "meaning")
UNITS_BY_SUFFIX: Final[Mapping[str, str]] = {
    "_timestamp_seconds": "unix seconds",
    "_seconds": "seconds",
    "_bytes": "bytes",
    "_tokens": "tokens",
    "_ratio": "ratio, 0 to 1",
}
HISTOGRAM_LABELS: Final = frozenset({"le"})


@dataclass(frozen=True)
class MetricFacts:
    """What a page says of one metric."""

    name: str
    type: str
    labels: tuple[str, ...]
    unit: str
    meaning: str


def collect_server_metrics() -> tuple[MetricFacts, ...]:
    """Returns what a server's ops port exports of ours."""
    return tuple(_sorted_facts(build_known_registry().collect()))


def collect_operator_metrics() -> tuple[MetricFacts, ...]:
    """Returns what the operator exports."""
    metrics = build_operator_metrics()
    labels = {one._name: tuple(one._labelnames) for one in metrics.durations}  # noqa: SLF001
    ours = (one for one in metrics.registry.collect() if one.name.startswith(server_names.PREFIX))
    return tuple(_sorted_facts(ours, labels))


def render_metrics_page() -> str:
    """Returns the page."""
    server, operator = collect_server_metrics(), collect_operator_metrics()
    used = {label for facts in (*server, *operator) for label in facts.labels}
    return render_page(
        "Metrics",
        "## Server pods",
        SERVER.format(port=operator_names.OPS_PORT, path=server_names.PATH_METRICS),
        render_table(HEAD, map(_row, server)),
        "## Operator",
        OPERATOR.format(port=operator_names.METRICS_PORT, path=operator_names.PATH_METRICS),
        render_table(HEAD, map(_row, operator)),
        "## Labels",
        render_table(("label", "meaning"), ((code(n), LABELS[n]) for n in sorted(used))),
        VALUES,
        render_table(("metric", "label", "values"), _value_rows()),
    )


def _value_rows() -> Iterator[tuple[str, ...]]:
    for (metric, label), values in list_label_values().items():
        yield code(metric), code(label), ", ".join(map(code, values))


def _sorted_facts(
    families: Iterable[Metric], labels: Mapping[str, tuple[str, ...]] | None = None
) -> Iterator[MetricFacts]:
    for family in sorted(families, key=lambda family: family.name):
        suffix = "_total" if family.type == "counter" else ""
        yield MetricFacts(
            name=f"{family.name}{suffix}",
            type=family.type,
            labels=(labels or {}).get(family.name) or _labels_of(family),
            unit=_unit_of(family.name),
            meaning=family.documentation,
        )


def _labels_of(family: Metric) -> tuple[str, ...]:
    declared: tuple[str, ...] = tuple(getattr(family, "_labelnames", ()))
    seen = {label: None for sample in family.samples for label in sample.labels}
    return declared or tuple(label for label in seen if label not in HISTOGRAM_LABELS)


def _unit_of(name: str) -> str:
    if name in UNITS_BY_NAME:
        return UNITS_BY_NAME[name]
    suffixes = (unit for suffix, unit in UNITS_BY_SUFFIX.items() if name.endswith(suffix))
    return next(suffixes, "count")


def _row(facts: MetricFacts) -> tuple[str, ...]:
    labels = ", ".join(map(code, facts.labels))
    return code(facts.name), facts.type, labels, facts.unit, facts.meaning
