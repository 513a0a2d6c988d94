"""The figures as a page: one table and one picture for each scenario. Pure but for drawing."""

import base64
import html
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from matplotlib.figure import Figure
from vibethinker_simulator.rehearsal.picture import COLOURS

from tests.bench.sim.cells import OURS, Cell
from tests.bench.sim.clairvoyant import CLAIRVOYANT

COLUMNS: Final = {
    "gpu_hours": ("GPU-hours", "{:.2f}"),
    "in_time": ("in time, all", "{:.1%}"),
    "attainable_in_time": ("in time, able", "{:.1%}"),
    "admitted_in_time": ("in time, admitted", "{:.1%}"),
    "goodput_per_gpu_hour": ("good tokens per GPU-hour", "{:,.0f}"),
    "refused": ("refused", "{:,}"),
    "dropped": ("dropped", "{:,}"),
    "preempted_known": ("preempted, known", "{:,}"),
    "preempted": ("preempted", "{:,}"),
    "reversals": ("reversals", "{}"),
    "first_token_p50_seconds": ("TTFT p50, s", "{:.2f}"),
    "first_token_p99_seconds": ("TTFT p99, s", "{:.2f}"),
    "above_line_share": ("above the line", "{:.1%}"),
}
DRAWN: Final = (OURS, "HPA on KV 0.75 and queue 5", "Knative KPA", CLAIRVOYANT)
SHADES: Final = (*COLOURS, "#000000")

STYLE: Final = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 90rem; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums }
td, th { padding: .2rem .6rem; text-align: right; border-bottom: 1px solid #ddd }
td:first-child, th:first-child { text-align: left }
tr.ours { background: #e8f2fa; font-weight: 600 }
img { max-width: 100% }
"""


def render_report(document: Mapping[str, Any], cells: Sequence[Cell]) -> str:
    """Returns the page."""
    title = f"GPU-hours at equal service: {document['title']}"
    return "\n".join(
        [
            "<!doctype html><html lang=en><meta charset=utf-8>",
            f"<title>{html.escape(title)}</title>",
            f"<style>{STYLE}</style><h1>{html.escape(title)}</h1>",
            "<p>First token within a second. <i>able</i>: requests whose prompt leaves time for",
            "that. GPU-hours count from a pod's making to its end, starts and drains included.",
            "A name with <i>our drain</i> is that peer's rule with our drain; without it, pods end",
            "as Kubernetes ends them.</p>",
            *_summary(document["summary"]),
            *(part for name in _names(cells) for part in _scenario(name, document, cells)),
            "</html>",
        ]
    )


def _names(cells: Iterable[Cell]) -> list[str]:
    return list(dict.fromkeys(cell.scenario for cell in cells))


def _summary(summary: Mapping[str, Any]) -> Iterator[str]:
    yield "<h2>The worst of all scenarios</h2><table>"
    for name, value in summary.items():
        if not isinstance(value, dict):
            yield f"<tr><td>{html.escape(name)}<td>{value}"
    yield "</table>"


def _scenario(name: str, document: Mapping[str, Any], cells: Sequence[Cell]) -> Iterator[str]:
    rows = [cell for cell in cells if cell.scenario == name]
    rows.sort(key=lambda cell: (cell.contestant != OURS, cell.contestant))
    bound = document["fluid_bound_gpu_hours"][name]
    yield f"<h2>{html.escape(name)}</h2><p>Fluid bound: {bound} GPU-hours.</p>"
    yield f'<img alt="replicas over time" src="data:image/png;base64,{_draw(rows)}">'
    heads = "".join(f"<th>{html.escape(head)}" for head, _ in COLUMNS.values())
    yield f"<table><tr><th>{heads}"
    for cell in rows:
        yield _row(cell)
    yield "</table>"


def _row(cell: Cell) -> str:
    figures = dict(cell.figures)
    figures["goodput_per_gpu_hour"] = figures["goodput_tokens"] / figures["gpu_hours"]
    values = "".join(f"<td>{form.format(figures[key])}" for key, (_, form) in COLUMNS.items())
    mark = " class=ours" if cell.contestant == OURS else ""
    return f"<tr{mark}><td>{html.escape(cell.contestant)}{values}"


def _draw(rows: Sequence[Cell]) -> str:
    figure = Figure(figsize=(12, 3), layout="constrained")
    axes = figure.subplots()
    for name, colour in zip(DRAWN, SHADES, strict=True):
        cell = next((row for row in rows if row.contestant.startswith(name)), None)
        if cell is not None:
            hours = [second / 3600 for second in range(len(cell.replicas))]
            axes.step(hours, cell.replicas, colour, label=cell.contestant, linewidth=1.2)
    axes.set(xlabel="hours", ylabel="replicas asked for")
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper left", frameon=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=90, metadata={"Software": None})
    return base64.b64encode(buffer.getvalue()).decode()
