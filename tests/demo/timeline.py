"""The picture of a run, drawn from its two recordings.

    python -m tests.demo.timeline build/demo

Top: live memory per replica against the line, and the raw ratio, high from start to end. Below:
replicas, waiting requests, refused newcomers. Colours are Okabe and Ito's, which colour-blind
readers tell apart.
"""

import math
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tests.demo.floors import FLOORS
from tests.demo.recording import TOO_MANY_REQUESTS, Recording
from tests.demo.rows import Request, Sample, read_rows

POD_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
RAW_COLOUR = "#8A8A8A"
LINE_COLOUR = "#222222"
REFUSED_COLOUR = "#A23B72"
REPLICAS_COLOUR = "#2F4B6E"
# Event lines end below the raw ratio's own words.
EVENT_HEIGHT = 0.82
# The legend stands below.
WORDS_HEIGHT = 0.18
BANDS = ("#F4F4F1", "#FFFFFF")

PHASE_WORDS = {
    "start": "start",
    "idle": "idle",
    "fill": "load comes",
    "grow": "growing",
    "overload": "both full:\nnewcomers refused",
    "shrink": "load leaves:\none drains",
    "rest": "",
}
STYLE: dict[Any, Any] = {
    "font.size": 10,
    "font.family": "DejaVu Sans",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#888888",
    "axes.labelcolor": "#333333",
    "xtick.color": "#333333",
    "ytick.color": "#333333",
}


def draw_timeline(recording: Recording) -> Figure:
    """The figure of a recording; times count from the first Ready replica's first reading."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.5, 6.6), dpi=160, layout="constrained")
        memory, replicas, queue, refused = figure.subplots(
            4, 1, sharex=True, height_ratios=(5.2, 1.3, 1.1, 1.1)
        )
        began = _beginning(recording)
        for panel in (memory, replicas, queue, refused):
            _shade_phases(panel, recording, began)
        _draw_memory(memory, recording, began)
        _draw_replicas(replicas, recording, began)
        _draw_queue(queue, recording, began)
        _draw_refusals(refused, recording.requests, began)
        _name_phases(memory, recording, began)
        refused.set_xlabel("seconds since the first replica was Ready")
        refused.set_xlim(0, recording.samples[-1].time - began)
        figure.align_ylabels()
    return figure


def _beginning(recording: Recording) -> float:
    ready = [row.time for row in recording.samples if row.ready]
    return min(ready, default=recording.samples[0].time)


def _phases(recording: Recording, began: float) -> list[tuple[str, float, float]]:
    times = [(sweep[0].phase, sweep[0].time - began) for sweep in recording.sweeps]
    spans = []
    for phase, rows in groupby((row for row in times if row[1] >= 0), key=lambda row: row[0]):
        inside = [time for _, time in rows]
        spans.append((phase, inside[0], inside[-1] + 1.0))
    return spans


def _shade_phases(panel: Axes, recording: Recording, began: float) -> None:
    for number, (_, begin, end) in enumerate(_phases(recording, began)):
        panel.axvspan(begin, end, color=BANDS[number % 2], linewidth=0, zorder=0)


def _name_phases(panel: Axes, recording: Recording, began: float) -> None:
    whole = recording.samples[-1].time - began
    for phase, begin, end in _phases(recording, began):
        if (end - begin) / whole > 0.04:
            panel.text(
                (begin + end) / 2,
                1.03,
                PHASE_WORDS.get(phase, phase),
                ha="center",
                va="bottom",
                color="#333333",
                transform=panel.get_xaxis_transform(),
            )


def _pods(recording: Recording) -> list[str]:
    first: dict[str, float] = {}
    for row in recording.samples:
        if row.pod and row.live is not None:
            first.setdefault(row.pod, row.time)
    return sorted(first, key=lambda pod: first[pod])


def _series(rows: Sequence[Sample], column: str, began: float) -> tuple[list[float], list[float]]:
    """Times and values of a column; a hole in the readings stays a hole in the line."""
    known = [row for row in rows if row.time >= began]
    values = [getattr(row, column) for row in known]
    return (
        [row.time - began for row in known],
        [float("nan") if value is None else float(value) for value in values],
    )


def _draw_memory(panel: Axes, recording: Recording, began: float) -> None:
    for number, pod in enumerate(_pods(recording)):
        rows = [row for row in recording.samples if row.pod == pod]
        colour = POD_COLOURS[number % len(POD_COLOURS)]
        times, raw = _series(rows, "raw", began)
        panel.plot(times, raw, color=RAW_COLOUR, linewidth=1.4, linestyle=(0, (4, 2)))
        times, live = _series(rows, "live", began)
        panel.plot(times, live, color=colour, linewidth=2.0, label=f"live, replica {number + 1}")
        if number == 0:
            panel.annotate(
                "raw device memory: full when idle, full when busy",
                # Above its highest point: it rises a little while the load lasts.
                (times[0], max(value for value in raw if not math.isnan(value))),
                xytext=(4, 7),
                textcoords="offset points",
                color="#666666",
            )
    panel.axhline(FLOORS.line, color=LINE_COLOUR, linewidth=1.1)
    panel.text(0.003, FLOORS.line + 0.012, "the line, 75 %", transform=panel.get_yaxis_transform())
    _annotate_growth(panel, recording, began)
    _annotate_mark(panel, recording, began)
    # The strip below 36 % is for words.
    panel.set_ylim(0.22, 1.0)
    panel.set_yticks([0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    panel.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    panel.set_ylabel("memory used")
    panel.legend(loc="lower left", frameon=False, handlelength=1.4, borderaxespad=0.2)


def _annotate_growth(panel: Axes, recording: Recording, began: float) -> None:
    if recording.grown_at is None:
        return
    at = recording.grown_at - began
    panel.axvline(at, WORDS_HEIGHT, EVENT_HEIGHT, color=REPLICAS_COLOUR, lw=1.0, linestyle=":")
    panel.annotate(
        "memory stayed above\nthe line: one more",
        (at, 0.60),
        xytext=(6, 0),
        textcoords="offset points",
        color=REPLICAS_COLOUR,
        va="center",
        bbox={"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1},
    )


def _annotate_mark(panel: Axes, recording: Recording, began: float) -> None:
    if recording.mark is None:
        return
    at = recording.mark.time - began
    panel.axvline(at, ymax=EVENT_HEIGHT, color=REPLICAS_COLOUR, linewidth=1.0, linestyle=":")
    panel.annotate(
        "marked: its streams\nrun to their end",
        (at, 0.28),
        xytext=(-6, 0),
        textcoords="offset points",
        color=REPLICAS_COLOUR,
        ha="right",
        va="center",
    )


def _draw_replicas(panel: Axes, recording: Recording, began: float) -> None:
    fleet = [sweep[0] for sweep in recording.sweeps]
    times, desired = _series(fleet, "desired", began)
    panel.step(times, desired, where="post", color=REPLICAS_COLOUR, linestyle=":", linewidth=1.6)
    times, ready = _series(fleet, "ready_replicas", began)
    panel.step(times, ready, where="post", color=REPLICAS_COLOUR, linewidth=2.0)
    panel.fill_between(times, ready, step="post", color=REPLICAS_COLOUR, alpha=0.15, linewidth=0)
    most = max((value for value in desired if value == value), default=1.0)  # noqa: PLR0124
    panel.set_ylim(0, most + 0.6)
    panel.set_yticks(range(int(most) + 1))
    panel.set_ylabel("replicas")
    panel.text(0.003, 0.80, "dotted: asked for", transform=panel.transAxes, color="#666666")


def _draw_queue(panel: Axes, recording: Recording, began: float) -> None:
    waiting = []
    for number, pod in enumerate(_pods(recording)):
        rows = [row for row in recording.samples if row.pod == pod]
        times, queue = _series(rows, "queue", began)
        panel.plot(times, queue, color=POD_COLOURS[number % len(POD_COLOURS)], linewidth=1.5)
        waiting += [value for value in queue if not math.isnan(value)]
    panel.axhline(FLOORS.queue_limit, color=LINE_COLOUR, linewidth=0.8)
    panel.text(
        0.003, FLOORS.queue_limit + 0.3, "the line, 4", transform=panel.get_yaxis_transform()
    )
    panel.set_ylim(0, max(FLOORS.queue_limit + 3.0, 1.15 * max(waiting, default=0.0)))
    panel.set_ylabel("waiting")


def _draw_refusals(panel: Axes, requests: Sequence[Request], began: float) -> None:
    refused = Counter(
        int(request.sent - began) for request in requests if request.status == TOO_MANY_REQUESTS
    )
    panel.bar(
        [second + 0.5 for second in refused],
        list(refused.values()),
        color=REFUSED_COLOUR,
        width=1.0,
    )
    panel.set_ylim(0, max(refused.values(), default=1) * 1.3 + 0.5)
    panel.set_ylabel("429s")
    total = sum(refused.values())
    panel.text(
        0.003,
        0.78,
        f"a second; {total} in all",
        transform=panel.transAxes,
        color="#666666",
    )


def write_timeline(directory: Path) -> Path:
    """Draw timeline.png from a directory's recordings; its path."""
    samples = read_rows(directory / "samples.csv", Sample)
    if not samples:
        raise ValueError(f"{directory / 'samples.csv'} holds no rows: there is nothing to draw")
    recording = Recording(samples, read_rows(directory / "requests.csv", Request))
    picture = directory / "timeline.png"
    draw_timeline(recording).savefig(picture)
    return picture


if __name__ == "__main__":
    write_timeline(Path(sys.argv[1]))
