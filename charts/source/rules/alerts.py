"""Every alert, the ones that wake somebody first."""

from typing import Final

from charts.source.rules.fleet_alerts import AT_MAX_REPLICAS, FLAPPING, NOT_READY
from charts.source.rules.load_alerts import MEMORY_HIGH, QUEUE_BACKLOG, REJECTING
from charts.source.rules.operator_alerts import METRICS_STALE, OPERATOR_DOWN, RECONCILE_ERRORS

ALERTS: Final = (
    OPERATOR_DOWN,
    NOT_READY,
    REJECTING,
    RECONCILE_ERRORS,
    METRICS_STALE,
    AT_MAX_REPLICAS,
    MEMORY_HIGH,
    QUEUE_BACKLOG,
    FLAPPING,
)
