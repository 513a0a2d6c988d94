"""What the cells of the simulated benchmark come to."""

from typing import Any

import pytest

from tests.bench.sim.cells import OURS, Cell
from tests.bench.sim.summary import cheapest_peer_ratio, efficiency, summarize_cells

PLAIN = {"admitted_in_time": 1.0, "dropped": 0, "reversals": 0}


def figures(hours: float, share: float, **others: Any) -> dict[str, Any]:
    return PLAIN | {"gpu_hours": hours, "attainable_in_time": share} | others


def test_ours_is_held_against_the_cheapest_schedule_that_serves_as_well():
    row = {
        OURS: figures(10.0, 0.98),
        "clairvoyant, 1.2": figures(6.0, 0.90),
        "clairvoyant, 1.3": figures(9.0, 0.9795),
        "clairvoyant, 1.5": figures(9.5, 0.99),
    }
    assert efficiency(row) == {"ratio": 0.9, "schedule": "clairvoyant, 1.3", "void": False}


def test_a_schedule_that_somebody_beats_at_its_own_service_is_void():
    row = {
        OURS: figures(10.0, 0.98),
        "clairvoyant, 1.5": figures(9.5, 0.98),
        "a peer": figures(9.0, 0.99),
    }
    found = efficiency(row)
    assert found is not None
    assert found["void"]


def test_where_no_schedule_serves_as_well_there_is_no_ratio():
    row = {OURS: figures(10.0, 0.98), "clairvoyant, 1.2": figures(6.0, 0.90)}
    assert efficiency(row) == {"ratio": None, "schedule": None, "void": False}
    assert efficiency({OURS: figures(10.0, 0.98)}) is None


def test_each_peer_meets_the_cheapest_of_ours_that_serves_as_well():
    row = {
        OURS: figures(10.0, 0.98),
        "ours, relaxed": figures(8.0, 0.90),
        "cheap": figures(16.0, 0.85),
        "good": figures(12.5, 0.98),
        "better": figures(30.0, 0.999),
        "starving": figures(1.0, 0.3),
    }
    found = cheapest_peer_ratio(row, ["cheap", "good", "better", "starving", "absent"])
    assert found == {
        "ratio": 0.8,
        "by_peer": {"cheap": 0.5, "good": 0.8, "better": None},
        "serves_better_than_ours": ["better"],
    }
    assert cheapest_peer_ratio(row, ["starving"]) is None


def test_the_summary_is_the_worst_of_all():
    def cell(scenario: str, contestant: str, **facts: Any) -> Cell:
        return Cell(scenario, contestant, facts, [])

    cells = [
        cell("conv, start 60 s", OURS, **figures(10.0, 0.9)),
        cell("conv, start 60 s", "clairvoyant, 1.2", **figures(9.0, 0.9)),
        cell("r1 24 h, start 60 s", OURS, **figures(10.0, 0.9, reversals=7, dropped=1)),
        cell("r1 24 h, start 60 s", "clairvoyant, 1.2", **figures(8.0, 0.9)),
        cell("overload 2x, start 60 s", OURS, **figures(3.0, 0.5, admitted_in_time=0.97)),
        cell("overload 2x, start 60 s", "peer", **figures(3.0, 0.5)),
    ]
    found = summarize_cells(cells, ["peer"])
    assert found["efficiency_vs_clairvoyant_60s"] == 0.8
    assert found["efficiency_vs_clairvoyant_5s"] is None
    assert found["cheapest_untuned_peer_ratio"] == pytest.approx(1.0)
    assert found["overload_admitted_in_time"] == 0.97
    assert (found["dropped_in_flight"], found["reversals_per_day_r1"]) == (1, 7)
