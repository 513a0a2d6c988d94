"""One panel as a picture: its data, its unit, its thresholds. Not Grafana's own drawing."""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator

from tests.pictures.units import format_value

Json = dict[str, Any]
Answers = Mapping[str, Sequence[Json]]

# Okabe and Ito's, which colour-blind readers tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8A8A8A")
LINE_COLOUR = "#222222"
NOTHING = "no series: nothing of the kind happened"
JUDGED = {"green": "#009E73", "orange": "#E69F00", "red": "#C0392B"}
STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=COLOURS),
}


@dataclass(frozen=True)
class Line:
    """One series of a panel; times are seconds from the beginning."""

    ref: str
    legend: str
    labels: Mapping[str, str]
    times: list[float]
    values: list[float]

    @property
    def held_against(self) -> bool:
        """Whether it is a line that others are held against."""
        return self.legend.endswith("line")


def draw_panel(panel: Json, answers: Answers) -> Figure:
    """Returns the picture of a panel with these answers to its queries."""
    draw = DRAWERS[panel["type"]]
    width = {"stat": 3.4, "table": 10.0, "state-timeline": 9.0}.get(panel["type"], 6.4)
    height = {"stat": 1.6, "table": 1.9}.get(panel["type"], 3.6)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
        axes = figure.subplots()
        axes.set_title(panel["title"], loc="left", fontsize=10, fontweight="bold")
        draw(axes, panel, list(list_lines(panel, answers)))
    return figure


def list_lines(panel: Json, answers: Answers) -> Iterator[Line]:
    """Yields every series: its legend, its times from the beginning, its values."""
    curves = [curve for found in answers.values() for curve in found]
    began = min((at for curve in curves for at, _ in curve["points"]), default=0.0)
    for target in panel["targets"]:
        for curve in answers.get(target["expr"], ()):
            legend = _fill_legend(target["legendFormat"], curve["labels"])
            times = [at - began for at, _ in curve["points"]]
            values = [value for _, value in curve["points"]]
            yield Line(target["refId"], legend, curve["labels"], times, values)


def _fill_legend(legend: str, labels: Mapping[str, str]) -> str:
    if legend == "__auto":
        return ", ".join(f"{key}={value}" for key, value in sorted(labels.items()))
    filled = re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), legend)
    return filled.replace("fleets/", "")


def _draw_graph(axes: Axes, panel: Json, lines: list[Line]) -> None:
    unit = panel["fieldConfig"]["defaults"]["unit"]
    stacking = panel["fieldConfig"]["defaults"]["custom"].get("stacking", {})
    if stacking.get("mode") == "normal":
        _draw_stack(axes, lines)
    else:
        for line in lines:
            (drawn,) = axes.plot(*_break_gaps(line.times, line.values), label=line.legend)
            if line.held_against:
                drawn.set(color=LINE_COLOUR, linestyle="--", linewidth=1)
    _scale(axes, panel["fieldConfig"]["defaults"], unit)
    axes.set_xlabel("seconds")
    axes.grid(axis="y", color="#EEEEEE")
    if lines:
        axes.figure.legend(fontsize=7, ncols=3, loc="outside lower left", frameon=False)
    else:
        axes.text(0.5, 0.5, NOTHING, ha="center", transform=axes.transAxes, color="#888888")


def _scale(axes: Axes, defaults: Json, unit: str) -> None:
    axes.set_ylim(0, defaults.get("max", 1.05 * axes.get_ylim()[1]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: format_value(value, unit)))
    if unit == "bytes":
        axes.yaxis.set_major_locator(
            MultipleLocator(2 ** math.floor(math.log2(axes.get_ylim()[1] / 3)))
        )


def _break_gaps(times: list[float], values: list[float]) -> tuple[list[float], list[float]]:
    # A series that was away is no line across the time between.
    broken: tuple[list[float], list[float]] = ([], [])
    for index, (at, value) in enumerate(zip(times, values, strict=True)):
        if index and at - times[index - 1] > 1.5:
            broken[0].append(at)
            broken[1].append(math.nan)
        broken[0].append(at)
        broken[1].append(value)
    return broken


def _draw_stack(axes: Axes, lines: list[Line]) -> None:
    moments = sorted({at for line in lines for at in line.times})
    known = [dict(zip(line.times, line.values, strict=True)) for line in lines]
    layers = [[values.get(at, 0.0) for at in moments] for values in known]
    if layers:
        axes.stackplot(moments, *layers, labels=[line.legend for line in lines], alpha=0.8)


def _draw_tile(axes: Axes, panel: Json, lines: list[Line]) -> None:
    axes.axis("off")
    defaults = panel["fieldConfig"]["defaults"]
    # The worst of the time, not the last: at the end of the scene all is well again.
    shown = [(line.legend, max(line.values)) for line in lines]
    for index, (legend, value) in enumerate(shown):
        at = (index + 0.5) / len(shown)
        colour = _judge(value, defaults)
        said = format_value(round(value, defaults.get("decimals", 9)), defaults["unit"])
        axes.text(at, 0.5, said, ha="center", va="center", fontsize=18, color=colour)
        axes.text(at, 0.05, legend if "=" not in legend else "", ha="center", fontsize=7)


def _judge(value: float, defaults: Json) -> str:
    colour = COLOURS[0]
    for step in defaults.get("thresholds", {}).get("steps", ()):
        if step["value"] is None or value >= step["value"]:
            colour = JUDGED[step["color"]]
    return colour


def _draw_timeline(axes: Axes, panel: Json, lines: list[Line]) -> None:
    rows = sorted(lines, key=lambda line: line.legend, reverse=True)
    for row, line in enumerate(rows):
        spans = [(at, 1.05) for at in line.times]
        axes.broken_barh(spans, (row - 0.35, 0.7), color=COLOURS[0])
    axes.set_yticks(range(len(rows)), [line.legend for line in rows], fontsize=8)
    axes.set_xlabel("seconds")


def _draw_table(axes: Axes, panel: Json, lines: list[Line]) -> None:
    axes.axis("off")
    names = panel["transformations"][1]["options"]["renameByName"]
    titles = {target["refId"]: names[f"Value #{target['refId']}"] for target in panel["targets"]}
    units = {
        override["matcher"]["options"]: each["value"]
        for override in panel["fieldConfig"]["overrides"]
        for each in override["properties"]
        if each["id"] == "unit"
    }
    rows: dict[str, dict[str, str]] = {}
    for line in lines:
        title = titles[line.ref]
        said = format_value(line.values[-1], units[title])
        rows.setdefault(line.labels["pod"], {})[title] = said
    cells = [[pod, *(row.get(title, "") for title in titles.values())] for pod, row in rows.items()]
    table = axes.table(cells, colLabels=["Pod", *titles.values()], loc="center", cellLoc="left")
    table.auto_set_column_width(list(range(len(titles) + 1)))


DRAWERS: Mapping[str, Callable[[Axes, Json, list[Line]], None]] = {
    "stat": _draw_tile,
    "timeseries": _draw_graph,
    "state-timeline": _draw_timeline,
    "table": _draw_table,
}
