"""The comparison as a picture: five panels over the time of the trace.

matplotlib is imported where a picture is asked for, and only there.
"""

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vibethinker_simulator.outcome import Fate
from vibethinker_simulator.rehearsal.arm import Played
from vibethinker_simulator.rehearsal.comparison import Comparison
from vibethinker_simulator.trace import Trace

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS: Final = ("#0072B2", "#D55E00", "#009E73")
"""Okabe and Ito's, which colour-blind readers tell apart; widths tell arms apart where they lie
on each other."""

WIDTHS: Final = (2.4, 1.4, 1.0)

MOST_POINTS: Final = 1200

MINUTE_SECONDS: Final = 60.0
HOUR_SECONDS: Final = 3600.0
LONGEST_IN_MINUTES: Final = 3 * HOUR_SECONDS

STYLE: Final[dict[Any, Any]] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "grid.color": "#E8E8E8",
}


def save_picture(comparison: Comparison, path: Path) -> None:
    """Writes the picture.

    Raises:
        ImportError: matplotlib is not there.
        OSError: it cannot be written.
    """
    import matplotlib as mpl  # noqa: PLC0415 (a heavy import that no other command needs)
    from matplotlib.figure import Figure  # noqa: PLC0415

    trace = comparison.question.trace
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.6, 10.4), dpi=110, layout="constrained")
        figure.suptitle(comparison.title, fontsize=10.5, fontweight="bold")
        panels = figure.subplots(5, 1, sharex=True)
        for place, played in enumerate(comparison.played):
            _draw_arm(panels, played, trace, COLOURS[place], WIDTHS[place])
        _finish(panels, comparison, trace)
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3,
                      frameon=False)  # fmt: skip
        figure.savefig(path, metadata={"Software": None})


def _draw_arm(
    panels: Sequence["Axes"], played: Played, trace: Trace, colour: str, width: float
) -> None:
    outcome, unit = played.outcome, _unit_seconds(trace)
    look: dict[str, Any] = {"color": colour, "linewidth": width}
    times = [second / unit for second in range(1, len(outcome.replicas) + 1)]
    _draw_replicas(panels[0], played, times, look)
    panels[1].plot(*_thin(times, [100 * ratio for ratio in outcome.memory_used_ratio]), **look)
    panels[2].plot(*_thin(times, outcome.queue), **look)
    refusals = _count_refusals(played, trace)
    minutes = [MINUTE_SECONDS * minute / unit for minute in range(len(refusals))]
    panels[3].step(minutes, refusals, where="post", **look)
    cost = [pod_seconds / HOUR_SECONDS for pod_seconds in accumulate(played.pods)]
    panels[4].plot(*_thin(times, cost), **look)


def _draw_replicas(
    panel: "Axes", played: Played, times: Sequence[float], look: dict[str, Any]
) -> None:
    name, outcome = played.arm.name, played.outcome
    panel.step(times, outcome.replicas, where="post", label=f"{name}, asked for", **look)
    if not played.arm.fixed:
        thin = look | {"linewidth": 1.2, "linestyle": ":"}
        panel.step(times, outcome.serving, where="post", label=f"{name}, serving", **thin)


def _finish(panels: Sequence["Axes"], comparison: Comparison, trace: Trace) -> None:
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    titles = (
        "replicas",
        "live memory of the fullest pod, % of the card",
        "requests waiting in the engines",
        "refusals a minute",
        "GPU-hours so far",
    )
    for panel, title in zip(panels, titles, strict=True):
        panel.set_title(title)
        panel.set_ylim(bottom=0)
    panels[1].set_ylim(0, 100)
    line = 100 * comparison.played[0].blueprint.policy.saturation.memory_used_ratio
    panels[1].axhline(line, color="#222222", linestyle="--", linewidth=1)
    panels[1].text(
        *(1.0, line + 2.5, f"the line, {line:.0f} %"),
        ha="right",
        va="bottom",
        bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 0.5},
        transform=panels[1].get_yaxis_transform(),
    )
    panels[0].yaxis.set_major_locator(MaxNLocator(integer=True))
    panels[4].set_xlabel("minutes" if _unit_seconds(trace) == MINUTE_SECONDS else "hours")
    panels[4].set_xlim(0, trace.seconds / _unit_seconds(trace))


def _unit_seconds(trace: Trace) -> float:
    return MINUTE_SECONDS if trace.seconds <= LONGEST_IN_MINUTES else HOUR_SECONDS


def _thin(times: Sequence[float], values: Sequence[float]) -> tuple[list[float], list[float]]:
    # The highest of each bucket stays, so that a peak of a second is not lost in a day.
    size = -(-len(values) // MOST_POINTS) or 1
    starts = range(0, len(values), size)
    return [times[start] for start in starts], [max(values[s : s + size]) for s in starts]


def _count_refusals(played: Played, trace: Trace) -> list[int]:
    minutes = [0] * (int(trace.seconds / MINUTE_SECONDS) + 1)
    for request, fate in zip(trace.requests, played.outcome.fates, strict=True):
        if fate is Fate.REFUSED:
            minutes[int(request.time / MINUTE_SECONDS)] += 1
    return minutes
