"""What the cells come to. Pure.

GPU-hours are compared at equal service only: ours against the cheapest schedule whose share of
first tokens in time is not below ours; a peer against the cheapest of ours that serves as well.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from tests.bench.sim.cells import OURS, Cell
from tests.bench.sim.clairvoyant import CLAIRVOYANT

EQUAL: Final = 0.001
"""Shares of first tokens in time closer than this are equal service."""

STARTS: Final = (5, 60, 180)
LEAST_SERVICE: Final = 0.5
"""A peer that serves fewer than half in time is no peer to be cheaper than."""

Figures = Mapping[str, Any]


def by_scenario(cells: Iterable[Cell]) -> dict[str, dict[str, Figures]]:
    """Returns the figures by scenario and contestant."""
    table: dict[str, dict[str, Figures]] = {}
    for cell in cells:
        table.setdefault(cell.scenario, {})[cell.contestant] = cell.figures
    return table


def efficiency(row: Mapping[str, Figures]) -> dict[str, Any] | None:
    """Returns GPU-hours of the clairvoyant over ours at equal service, and how it was found.

    None where the clairvoyant was not played. `ratio` is None where none of its schedules serves as
    well; `void` where one of the others does so for less than it.
    """
    ours = row[OURS]
    schedules = {name: f for name, f in row.items() if name.startswith(CLAIRVOYANT)}
    if not schedules:
        return None
    found = _cheapest(schedules, ours["attainable_in_time"])
    if found is None:
        return {"ratio": None, "schedule": None, "void": False}
    name, hours = found
    rivals = {n: f for n, f in row.items() if n not in schedules}
    beaten = _cheapest(rivals, schedules[name]["attainable_in_time"])
    return {
        "ratio": round(hours / ours["gpu_hours"], 3),
        "schedule": name,
        "void": beaten is not None and beaten[1] < hours,
    }


def cheapest_peer_ratio(row: Mapping[str, Figures], peers: Sequence[str]) -> dict[str, Any] | None:
    """Returns ours over the peer that comes nearest, each at the peer's own service."""
    ratios = {}
    variants = {name: figures for name, figures in row.items() if name.startswith(OURS)}
    for peer in peers:
        figures = row.get(peer)
        if figures is None or figures["attainable_in_time"] < LEAST_SERVICE:
            continue
        found = _cheapest(variants, figures["attainable_in_time"])
        ratios[peer] = None if found is None else round(found[1] / figures["gpu_hours"], 3)
    if not ratios:
        return None
    unmatched = [peer for peer, ratio in ratios.items() if ratio is None]
    worst = max((ratio for ratio in ratios.values() if ratio is not None), default=None)
    return {"ratio": worst, "by_peer": ratios, "serves_better_than_ours": unmatched}


def summarize_cells(cells: Sequence[Cell], untuned: Sequence[str]) -> dict[str, Any]:
    """Returns the worst of every figure over the scenarios."""
    table = by_scenario(cells)
    found = {key: efficiency(row) for key, row in table.items()}
    peers = {key: cheapest_peer_ratio(row, untuned) for key, row in table.items()}
    ours = {key: row[OURS] for key, row in table.items()}
    overload = [f["admitted_in_time"] for key, f in ours.items() if key.startswith("overload")]
    r1 = [f["reversals"] for key, f in ours.items() if key.startswith("r1")]
    ratios = [one["ratio"] for one in peers.values() if one and one["ratio"] is not None]
    return {
        **{f"efficiency_vs_clairvoyant_{s}s": _worst_efficiency(found, s) for s in STARTS},
        "cheapest_untuned_peer_ratio": max(ratios, default=None),
        "overload_admitted_in_time": min(overload, default=None),
        "dropped_in_flight": sum(f["dropped"] for f in ours.values()),
        "reversals_per_day_r1": max(r1, default=None),
        "efficiency": found,
        "peers": peers,
    }


def _worst_efficiency(found: Mapping[str, Any], start: int) -> float | None:
    ratios = [
        one["ratio"]
        for key, one in found.items()
        if key.endswith(f"start {start} s") and one and one["ratio"] is not None and not one["void"]
    ]
    return min(ratios, default=None)


def _cheapest(row: Mapping[str, Figures], share: float) -> tuple[str, float] | None:
    enough = [
        (figures["gpu_hours"], name)
        for name, figures in row.items()
        if figures["attainable_in_time"] >= share - EQUAL
    ]
    if not enough:
        return None
    hours, name = min(enough)
    return name, hours
