"""For each alert: series with which it fires, and series so near to them that it must not.

Values are promtool's: `a+bxn` is n steps of b from a, one every 30 s; 90 steps are 45 minutes.
"""

from dataclasses import dataclass, field

from vibethinker_operator import names
from vibethinker_server import names as server_names

from tests.integration.alerts.promtool import FLEET, Series

LINE = {f"{names.METRIC_MEMORY_LINE}{{{FLEET}}}": "0.75x90"}
QUEUE_LINE = {f"{names.METRIC_QUEUE_LINE}{{{FLEET}}}": "4x90"}
MAX = {f"{names.METRIC_MAX_REPLICAS}{{{FLEET}}}": "3x90"}
TURNING = {names.METRIC_LAST_ROUND: "0+30x90"}


def replicas(state: str, values: str) -> Series:
    return {f'{names.METRIC_REPLICAS}{{{FLEET}, state="{state}"}}': values}


def memory(values: str) -> Series:
    return {f"{names.METRIC_MEMORY_USED}{{{FLEET}}}": values}


def queue(values: str) -> Series:
    return {f"{names.METRIC_QUEUE}{{{FLEET}}}": values}


def rejected(reason: str, values: str) -> Series:
    series = f'{server_names.METRIC_REJECTED}_total{{{FLEET}, pod="a", reason="{reason}"}}'
    return {series: values}


def condition(status: str, values: str, pod: str = "o") -> Series:
    labels = f'{FLEET}, type="Ready", status="{status}", reason="R", pod="{pod}"'
    return {f"{names.METRIC_CONDITION}{{{labels}}}": values}


def oldest(values: str) -> Series:
    return {f"{names.METRIC_OLDEST_SAMPLE}{{{FLEET}}}": values}


def reversals(values: str) -> Series:
    return {f"{names.METRIC_SCALE_REVERSALS}_total{{{FLEET}}}": values}


@dataclass(frozen=True)
class Case:
    """What makes one alert fire, each with its story, and what must not."""

    fires: dict[str, Series]
    silent: dict[str, Series] = field(default_factory=dict)


AT_MAX = {**LINE, **QUEUE_LINE, **MAX, **replicas("desired", "3x90"), **replicas("ready", "3x90")}

CASES = {
    "VibeThinkerOperatorDown": Case(
        fires={
            "nobody is scraped": {"up": "1x90"},
            "its loop stands": {names.METRIC_LAST_ROUND: "0x90"},
        },
        silent={"it turns": TURNING},
    ),
    "VibeThinkerNotReady": Case(
        fires={
            "nobody serves": {**condition("False", "1x90"), **replicas("desired", "1x90")},
            "it cannot be read, so nothing is decided": condition("Unknown", "1x90"),
            "the operator was replaced meanwhile": {
                **condition("False", "1x30 _x60", "before"),
                **condition("False", "_x30 1x60", "after"),
            },
        },
        silent={
            "somebody serves": {**condition("True", "1x90"), **replicas("desired", "1x90")},
            "nobody is to serve": {**condition("False", "1x90"), **replicas("desired", "0x90")},
        },
    ),
    "VibeThinkerRejecting": Case(
        fires={
            "for memory": rejected("memory_line", "0+3x90"),
            "now and then, for time": rejected("time_to_first_token", "0+1x90"),
        },
        silent={
            "that was long ago": rejected("memory_line", "7x90"),
            "a pod drains": rejected("draining", "0+3x90"),
            "a pod starts": rejected("not_ready", "0+3x90"),
        },
    ),
    "VibeThinkerReconcileErrors": Case(
        fires={
            "ticks fail": {f"{names.METRIC_FAILED_TICKS}_total": "0+1x90"},
            "writes fail, ticks do not": {
                f"{names.METRIC_FAILED_TICKS}_total": "0x90",
                f'{names.METRIC_FAILED_WRITES}_total{{kind="children"}}': "0+1x90",
            },
        },
        silent={
            "one failed long ago": {f"{names.METRIC_FAILED_TICKS}_total": "1x90"},
            "nothing is known": {"up": "1x90"},
        },
    ),
    "VibeThinkerMetricsStale": Case(
        fires={"a pod was last read 10 s before": oldest("-10+30x90")},
        silent={
            "all were just read": oldest("-1+30x90"),
            "no pod is ready": TURNING,
        },
    ),
    "VibeThinkerAtMaxReplicas": Case(
        fires={
            "memory above its line": {**AT_MAX, **memory("0.9x90"), **queue("0x90")},
            "memory now above, now below": {**AT_MAX, **memory("0.8 0.7 " * 45)},
            "a queue above its line": {**AT_MAX, **queue("30x90"), **memory("0.3x90")},
            "refusals keep memory below": {
                **AT_MAX,
                **memory("0.7x90"),
                **rejected("kv_headroom", "0+1x90"),
            },
        },
        silent={
            "it may still grow": {
                **AT_MAX,
                **replicas("desired", "2x90"),
                **memory("0.9x90"),
            },
            "at its most, and well": {**AT_MAX, **memory("0.6x90"), **queue("9x90")},
            "nobody bounds it: Manual": {
                **LINE,
                **replicas("desired", "3x90"),
                **memory("0.9x90"),
            },
        },
    ),
    "VibeThinkerMemoryHigh": Case(
        fires={"above its own line": {**LINE, **memory("0.76x90")}},
        silent={
            "on its line": {**LINE, **memory("0.75x90")},
            "another's line is lower": {
                **LINE,
                **memory("0.7x90"),
                f'{names.METRIC_MEMORY_LINE}{{namespace="team", name="code"}}': "0.5x90",
            },
            "unknown": LINE,
        },
    ),
    "VibeThinkerQueueBacklog": Case(
        fires={
            "nine wait at two replicas": {
                **QUEUE_LINE,
                **queue("9x90"),
                **replicas("ready", "2x90"),
            }
        },
        silent={
            "eight wait at two replicas": {
                **QUEUE_LINE,
                **queue("8x90"),
                **replicas("ready", "2x90"),
            },
            "nobody is ready": {**QUEUE_LINE, **queue("9x90"), **replicas("ready", "0x90")},
        },
    ),
    "VibeThinkerFlapping": Case(
        fires={"it turned back every three minutes": reversals("0x5 1x5 2x5 3x5 4x5 5x5 6x5 7x50")},
        silent={
            "it turned back every ten minutes": reversals("0x19 1x19 2x19 3x19"),
            "it only grew": reversals("0x90"),
        },
    ),
}
