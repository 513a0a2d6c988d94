"""The figures as rows of a table: one row a figure, one column an arm. Pure."""

import math
from collections.abc import Iterator
from statistics import fmean

from vibethinker_simulator.outcome import Fate
from vibethinker_simulator.rehearsal.arm import Played
from vibethinker_simulator.rehearsal.comparison import Comparison

Row = tuple[str, ...]
"""What the figure is, then its value of each arm."""


def list_rows(comparison: Comparison) -> list[Row]:
    """Returns the rows; the first one is the table's head."""
    played = comparison.played
    columns = [list(_list_cells(one)) for one in played]
    labels = [label for label, _ in columns[0]]
    rows = [(label, *(cells[place][1] for cells in columns)) for place, label in enumerate(labels)]
    reasons = sorted({reason for one in played for reason in one.outcome.refused_for})
    place = labels.index("requests refused") + 1
    rows[place:place] = [
        (f"  {reason}", *(f"{one.outcome.refused_for.get(reason, 0):,}" for one in played))
        for reason in reasons
    ]
    return [("", *(one.arm.name for one in played)), *rows]


def _list_cells(played: Played) -> Iterator[tuple[str, str]]:
    figures, outcome = played.figures, played.outcome
    replicas = outcome.replicas or [played.arm.first_replicas]
    yield "replicas asked for, mean", f"{fmean(replicas):.2f}"
    yield "replicas asked for, most", str(max(replicas))
    yield "GPU-hours", f"{figures.gpu_hours:.2f}"
    yield f"first token in {played.blueprint.objective_seconds:g} s", percent(figures.in_time)
    yield "  of requests let in", percent(figures.admitted_in_time)
    yield "first token, median", seconds(figures.first_token_p50_seconds)
    yield "first token, 99 %", seconds(figures.first_token_p99_seconds)
    yield "requests refused", f"{figures.refused:,}"
    yield "answers cut by scaling", f"{figures.dropped:,}"
    yield "answers not ended", f"{outcome.fates.count(Fate.INSIDE):,}"
    yield "preemptions", f"{figures.preempted:,}"
    yield "  of known sessions", f"{figures.preempted_known:,}"
    yield "reversals within 10 min", str(figures.reversals)
    line = 100 * played.blueprint.policy.saturation.memory_used_ratio
    yield f"time above {line:.0f} % of memory", percent(figures.above_line_share)


def percent(share: float) -> str:
    """Returns a share for people; a dash where there is none."""
    return "-" if math.isnan(share) else f"{100 * share:.1f} %"


def seconds(time: float) -> str:
    """Returns seconds for people; a dash where there are none."""
    return "-" if math.isnan(time) else f"{time:.2f} s"
