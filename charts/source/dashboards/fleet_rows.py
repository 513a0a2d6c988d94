"""Rows of the board of fleets that say how they are and what was decided."""

from typing import Final

from vibethinker_operator import names
from vibethinker_server import names as server_names

from charts.source.dashboards.frame import IN_FLEET, IN_POD, Row
from charts.source.dashboards.panels import Judgement, Query, graph, tile, timeline
from charts.source.rules.operator_alerts import STALE_SECONDS
from charts.source.rules.recording import (
    MEMORY_OF_LINE,
    OLDEST_SAMPLE,
    QUEUE_OF_LINE,
    REJECTED,
)

NEAR_LINE: Final = Judgement(look=0.9, bad=1.0)
FLEET: Final = "{{namespace}}/{{name}}"


def by_fleet(metric: str, *more: str) -> str:
    """Returns a metric of the operator for the fleets that the board shows."""
    labels = ", ".join(("namespace", "name", *more))
    return f"max by ({labels}) ({metric}{{{IN_FLEET}}})"


def replicas(state: str) -> str:
    """Returns the replicas in one state for the fleets that the board shows."""
    selector = f'{names.METRIC_REPLICAS}{{{IN_FLEET}, state="{state}"}}'
    return f"max by (namespace, name) ({selector})"


def build_now() -> Row:
    """Returns the tiles: what somebody who opens the board wants to know first."""
    return Row(
        "Now",
        (
            tile(
                "Replicas now",
                "Replicas that serve, and those that are wanted.",
                "short",
                Query(f"sum({replicas('ready')})", "ready"),
                Query(f"sum({replicas('desired')})", "desired"),
            ),
            tile(
                "Worst memory of its line",
                "The fleet nearest to its own memory line; at 100 % the line is crossed.",
                "percentunit",
                Query(f"max({MEMORY_OF_LINE.record}{{{IN_FLEET}}})"),
                judged=NEAR_LINE,
            ),
            tile(
                "Worst queue of its line",
                "The fleet nearest to its own line of waiting requests per ready replica.",
                "percentunit",
                Query(f"max({QUEUE_OF_LINE.record}{{{IN_FLEET}}})"),
                judged=NEAR_LINE,
            ),
            tile(
                "Refused for load",
                "Requests refused per second, over the last five minutes.",
                "reqps",
                Query(f"sum({REJECTED.record}{{{IN_FLEET}}})"),
                judged=Judgement(look=0.001, bad=1.0),
            ),
            tile(
                "Steps of size, whole time",
                "Changes of size that the operator wrote in the time shown.",
                "short",
                Query(
                    f"sum by (direction) (increase({names.METRIC_SCALE_STEPS}_total"
                    f"{{{IN_FLEET}}}[$__range]))",
                    "{{direction}}",
                ),
            ),
            tile(
                "Oldest reading",
                "Age of the oldest reading of a ready pod that the operator decides by.",
                "s",
                Query(f"max({OLDEST_SAMPLE.record}{{{IN_FLEET}}})"),
                judged=Judgement(look=STALE_SECONDS, bad=10.0),
            ),
        ),
    )


def build_load() -> Row:
    """Returns memory and queue against the fleet's own lines."""
    raw = f"avg by (namespace, name) ({server_names.METRIC_DEVICE_MEMORY_USED}{{{IN_FLEET}}})"
    queue = f"{by_fleet(names.METRIC_QUEUE)} / ({replicas('ready')} > 0)"
    kinds = f"sum by (kind) ({server_names.METRIC_MEMORY}{{{IN_POD}}})"
    return Row(
        "Load",
        (
            graph(
                "Live memory against its line",
                "Live memory leaves out the idle part of the KV cache, so it tells idle from full;"
                " the raw ratio beside it stays high from a pod's start to its end.",
                "percentunit",
                Query(by_fleet(names.METRIC_MEMORY_USED), f"{FLEET} live"),
                Query(raw, f"{FLEET} raw"),
                Query(by_fleet(names.METRIC_MEMORY_LINE), f"{FLEET} line"),
                highest=1,
            ),
            graph(
                "Memory by kind",
                "Why a card is as full as it is: the kinds sum to what is in use on it.",
                "bytes",
                Query(kinds, "{{kind}}"),
                stacked=True,
            ),
            graph(
                "Queue per ready replica against its line",
                "Requests let in that do not run yet. With a small model most overload shows here.",
                "short",
                Query(queue, FLEET),
                Query(by_fleet(names.METRIC_QUEUE_LINE), f"{FLEET} line"),
            ),
        ),
    )


def build_decisions() -> Row:
    """Returns what was decided, and why."""
    states = ("desired", "ready", "starting", "draining")
    steps = (
        f"sum by (namespace, name, direction) (increase({names.METRIC_SCALE_STEPS}_total"
        f"{{{IN_FLEET}}}[$__rate_interval]))"
    )
    return Row(
        "Decisions",
        (
            graph(
                "Replicas",
                "Replicas wanted and there, within the bounds that hold in mode Auto.",
                "short",
                *(Query(replicas(state), f"{FLEET} {state}") for state in states),
                Query(by_fleet(names.METRIC_MIN_REPLICAS), f"{FLEET} min line"),
                Query(by_fleet(names.METRIC_MAX_REPLICAS), f"{FLEET} max line"),
                width=12,
            ),
            graph(
                "Steps of size",
                "Changes of a fleet's size that the operator wrote.",
                "short",
                Query(steps, f"{FLEET} {{{{direction}}}}"),
                width=12,
            ),
            timeline(
                "Why the size is what it is",
                "Reason of the decision of each second; the sentence with its numbers is in"
                " `kubectl describe vtd`.",
                Query(by_fleet(names.METRIC_DECISION, "reason"), f"{FLEET} {{{{reason}}}}"),
            ),
        ),
    )
