"""The board of the operator: whether it turns, reads and writes as it should."""

from typing import Final

from vibethinker_operator import names

from charts.source.dashboards.expressions import quantile_by, rate_by
from charts.source.dashboards.frame import Board, Row, Variable
from charts.source.dashboards.panels import Judgement, Query, graph, tile, timeline
from charts.source.rules.operator_alerts import STALE_SECONDS, STUCK_SECONDS
from charts.source.rules.recording import OLDEST_SAMPLE, age_seconds

HERE: Final = 'namespace=~"$namespace", pod=~"$pod"'
LAST_ROUND: Final = f"{names.METRIC_LAST_ROUND}{{{HERE}}}"
ROUND_AGE: Final = f"max({age_seconds(LAST_ROUND)})"
OURS: Final = f"and on (namespace, pod) {LAST_ROUND}"
"""Every process has these names: of all of them the operator's."""


def rate(counter: str, *labels: str, more: str = "") -> str:
    """Returns a counter of the operator per second, by `labels`."""
    return rate_by(counter, f"{HERE}{more}", *labels)


def quantiles(histogram: str, *labels: str) -> tuple[Query, Query]:
    """Returns half and 99 % of what a histogram of the operator has seen."""
    named = "".join(f" {{{{{label}}}}}" for label in labels)
    return (
        Query(quantile_by(0.5, histogram, HERE, *labels), f"half{named}"),
        Query(quantile_by(0.99, histogram, HERE, *labels), f"99 %{named}"),
    )


def build_operator_board() -> Board:
    """Returns the board."""
    found = f"label_values({names.METRIC_LAST_ROUND}"
    return Board(
        uid="vibethinker-operator",
        title="VibeThinker / Operator",
        text="The VibeThinker operator: its loop, its readings of server pods, its requests to the"
        " Kubernetes API, its process.",
        variables=(
            Variable("namespace", "Namespace", f"{found}, namespace)"),
            Variable("pod", "Pod", f'{found}{{namespace=~"$namespace"}}, pod)'),
        ),
        rows=(_build_now(), _build_loop(), _build_readings(), _build_writes(), _build_process()),
    )


def _build_now() -> Row:
    errors = ', code!~"2..|409|404"'
    return Row(
        "Now",
        (
            tile(
                "Last round",
                "How long ago the loop began a round; it begins one each second.",
                "s",
                Query(ROUND_AGE),
                judged=Judgement(look=5.0, bad=STUCK_SECONDS),
            ),
            tile(
                "Fleets",
                "Fleets that it looks after.",
                "short",
                Query(f"count(max by (namespace, name) ({names.METRIC_MEMORY_LINE}))"),
            ),
            tile(
                "Fleets that do not serve",
                "Fleets whose condition `Ready` is not True.",
                "short",
                Query(
                    "count(max by (namespace, name)"
                    f' ({names.METRIC_CONDITION}{{type="Ready", status!="True"}})) or vector(0)'
                ),
                judged=Judgement(look=1, bad=2),
            ),
            tile(
                "Failed ticks",
                "Ticks per second that ended in an error.",
                "ops",
                Query(rate(f"{names.METRIC_FAILED_TICKS}_total")),
                judged=Judgement(look=0.001, bad=1.0),
            ),
            tile(
                "Readings refused now",
                "Readings per second that did not come or could not be right.",
                "ops",
                Query(f"{rate(f'{names.METRIC_REFUSED_SAMPLES}_total')} or vector(0)"),
                judged=Judgement(look=0.001, bad=1.0),
            ),
            tile(
                "API errors",
                "Requests per second to the Kubernetes API that failed, conflicts and objects that"
                " are not there left out: those are ordinary.",
                "reqps",
                Query(f"{rate(f'{names.METRIC_API_SECONDS}_count', more=errors)} or vector(0)"),
                judged=Judgement(look=0.001, bad=1.0),
            ),
        ),
    )


def _build_loop() -> Row:
    skipped = rate(f"{names.METRIC_SKIPPED_TICKS}_total")
    return Row(
        "Loop",
        (
            graph(
                "Ticks",
                "Ticks per second, one for each fleet; failed, and left out because the one before"
                " still ran.",
                "ops",
                Query(rate(f"{names.METRIC_TICK_SECONDS}_count"), "done"),
                Query(rate(f"{names.METRIC_FAILED_TICKS}_total"), "failed"),
                Query(skipped, "left out"),
            ),
            graph(
                "Duration of a tick",
                "From reading a fleet to having told of it. Beyond a second the next one is left"
                " out.",
                "s",
                *quantiles(names.METRIC_TICK_SECONDS),
            ),
            graph(
                "Age of the last round",
                "Stands far below its limit while the loop turns.",
                "s",
                Query(ROUND_AGE, "age"),
            ),
        ),
    )


def _build_readings() -> Row:
    oldest = f"max by (namespace, name) ({OLDEST_SAMPLE.record})"
    return Row(
        "Readings of server pods",
        (
            graph(
                "Duration of a reading",
                "From asking a pod for its load to its answer.",
                "s",
                *quantiles(names.METRIC_SCRAPE_SECONDS),
            ),
            graph(
                "Refused readings",
                "Readings per second that did not come or could not be right, by reason.",
                "ops",
                Query(rate(f"{names.METRIC_REFUSED_SAMPLES}_total", "reason"), "{{reason}}"),
                stacked=True,
            ),
            graph(
                "Oldest reading",
                "Of the ready pods of each fleet, against the age from which it is stale.",
                "s",
                Query(oldest, "{{namespace}}/{{name}}"),
                Query(f"vector({STALE_SECONDS})", "line"),
            ),
        ),
    )


def _build_writes() -> Row:
    requests = f"{names.METRIC_API_SECONDS}_count"
    bad = f'{names.METRIC_CONDITION}{{type=~"Ready|ScalingActive", status!="True"}}'
    return Row(
        "Kubernetes API",
        (
            graph(
                "API requests by code",
                "Requests per second by method and answer; `none` was not answered.",
                "reqps",
                Query(rate(requests, "method", "code"), "{{method}} {{code}}"),
            ),
            graph(
                "Duration of an API request",
                "By method.",
                "s",
                *quantiles(names.METRIC_API_SECONDS, "method"),
            ),
            graph(
                "Failed writes",
                "Writes per second that were refused or not answered, by kind.",
                "ops",
                Query(rate(f"{names.METRIC_FAILED_WRITES}_total", "kind"), "{{kind}}"),
                stacked=True,
            ),
            timeline(
                "What keeps fleets from serving or scaling",
                "Conditions Ready and ScalingActive while they are not True, with their reason.",
                Query(
                    f"max by (namespace, name, type, reason) ({bad})",
                    "{{namespace}}/{{name}} {{type}} {{reason}}",
                ),
            ),
        ),
    )


def _build_process() -> Row:
    spent = Query(f"rate(process_cpu_seconds_total{{{HERE}}}[$__rate_interval]) {OURS}", "{{pod}}")
    resident = Query(f"process_resident_memory_bytes{{{HERE}}} {OURS}", "{{pod}}")
    return Row(
        "Process",
        (
            graph("Processor", "Cores in use.", "short", spent, width=12),
            graph("Memory", "Resident memory.", "bytes", resident, width=12),
        ),
    )
