"""Rows of the board of fleets that say what users meet, and pod by pod."""

from typing import Final

from vibethinker_server import names

from charts.source.dashboards.expressions import quantile_by, rate_by
from charts.source.dashboards.fleet_rows import FLEET
from charts.source.dashboards.frame import IN_FLEET, IN_POD, Row
from charts.source.dashboards.panels import Query, graph, grid
from charts.source.rules.recording import FIRST_TOKEN, REJECTED

POD: Final = "{{pod}}"
VLLM_INSTANCES: Final = (
    "/d/vllm-instances?var-datasource=${datasource}&var-instance=${__data.fields.Instance}"
    "&${__url_time_range}"
)
"""vLLM's own board of one instance, by the uid that vLLM ships it with."""

OUTPUT_SECONDS: Final = "vllm:request_time_per_output_token_seconds"
OUTPUT_TOKENS: Final = "vllm:generation_tokens_total"


def by_pod(metric: str, *more: str) -> str:
    """Returns a metric of the server for the pods that the board shows."""
    labels = ", ".join(("namespace", "name", "pod", *more))
    return f"max by ({labels}) ({metric}{{{IN_POD}}})"


def quantile(share: float, histogram: str, *labels: str) -> str:
    """Returns a quantile of a histogram of the server, by `labels`."""
    return quantile_by(share, histogram, IN_POD, *labels)


def rate(counter: str, *labels: str) -> str:
    """Returns a counter of the server per second, by `labels`."""
    return rate_by(counter, IN_POD, *labels)


def build_requests() -> Row:
    """Returns refusals, waits, sessions and cuts."""
    refused = f"sum by (reason) ({REJECTED.record}{{{IN_FLEET}}})"
    objective = f"max by (profile) ({names.METRIC_TTFT_OBJECTIVE}{{{IN_POD}}})"
    first = f"max by (profile) ({FIRST_TOKEN.record}{{{IN_FLEET}}})"
    sessions = f"sum by (namespace, name) ({names.METRIC_SESSIONS}{{{IN_POD}}})"
    running = f"sum by (namespace, name) ({names.METRIC_RUNNING}{{{IN_POD}}})"
    seats = f"sum by (namespace, name) ({names.METRIC_MAX_NUM_SEQS}{{{IN_POD}}})"
    would = rate(f"{names.METRIC_WOULD_REJECT}_total", "reason")
    return Row(
        "Requests",
        (
            graph(
                "Refusals by reason",
                "Requests refused for load per second. `would`: let in, because refusing is not"
                " ours in modes Advisory and Manual.",
                "reqps",
                Query(refused, "{{reason}}"),
                Query(would, "would {{reason}}"),
                stacked=True,
            ),
            graph(
                "Time to first token against its objective",
                "95 % of the streamed answers begin within this time; the worst fleet of each"
                " profile, against what that profile tolerates.",
                "s",
                Query(first, "{{profile}}"),
                Query(objective, "{{profile}} line"),
            ),
            graph(
                "Known sessions",
                "Sessions let in within their time: these are served while new ones wait.",
                "short",
                Query(sessions, FLEET),
            ),
            graph(
                "Requests running",
                "Requests that the engines compute, against the sequences they can.",
                "short",
                Query(running, FLEET),
                Query(seats, f"{FLEET} line"),
            ),
            graph(
                "Answers cut by their token cap",
                "Answers per second that ended at the cap of their task, not by themselves.",
                "reqps",
                Query(rate(f"{names.METRIC_TRUNCATED}_total", "task"), "{{task}}"),
                stacked=True,
            ),
            graph(
                "Time per output token",
                "Half and 95 % of the answers are written at this pace or faster, by vLLM's own"
                " measure.",
                "s",
                Query(quantile(0.5, OUTPUT_SECONDS), "half"),
                Query(quantile(0.95, OUTPUT_SECONDS), "95 %"),
            ),
        ),
    )


def build_pods() -> Row:
    """Returns the four metrics that a pod is judged by, under their own names, and the pods."""
    return Row(
        "Pods",
        (
            graph(
                "memory_used_ratio",
                "Live memory of each pod over its device's memory.",
                "percentunit",
                Query(by_pod(names.METRIC_MEMORY_USED), POD),
                width=6,
                highest=1,
            ),
            graph(
                "request_queue_length",
                "Requests of each pod that were let in and do not run yet.",
                "short",
                Query(by_pod(names.METRIC_QUEUE), POD),
                width=6,
            ),
            graph(
                "time_to_first_token",
                "95 % of the streamed answers of each pod begin within this time.",
                "s",
                Query(quantile(0.95, names.METRIC_TTFT, "pod"), POD),
                width=6,
            ),
            graph(
                "gpu_util",
                "Share of time in which each pod's GPU computed; no series on a CPU.",
                "percentunit",
                Query(by_pod(names.METRIC_GPU_UTIL), POD),
                width=6,
                highest=1,
            ),
            graph(
                "Output tokens",
                "Tokens written per second, by vLLM's own count.",
                "short",
                Query(rate(OUTPUT_TOKENS, "pod"), POD),
                width=24,
            ),
            grid(
                "Pods",
                "Each pod as it is now; a pod leads to its figures on vLLM's own board.",
                ("Live memory", "percentunit", _column(names.METRIC_MEMORY_USED)),
                ("Raw memory", "percentunit", _column(names.METRIC_DEVICE_MEMORY_USED)),
                ("Queue", "short", _column(names.METRIC_QUEUE)),
                ("Running", "short", _column(names.METRIC_RUNNING)),
                ("Sessions", "short", _column(names.METRIC_SESSIONS)),
                ("Policy generation", "short", _column(names.METRIC_GENERATION)),
                ("Draining", "bool_yes_no", _column(names.METRIC_DRAINING)),
                link=VLLM_INSTANCES,
            ),
        ),
    )


def _column(metric: str) -> Query:
    return Query(by_pod(metric, "instance"))
