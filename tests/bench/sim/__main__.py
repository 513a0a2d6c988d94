"""GPU-hours at equal service: our deciding against its peers on public traces, simulated.

    python -m tests.bench.sim [--only TEXT] [--processes N]

Writes build/bench/sim.json and build/bench/sim.html. The engines' constants are computed from a
card's data sheet: every figure is simulated, none is measured.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Final

from vibethinker_simulator.iteration import CARDS

from tests.bench.sim.cells import (
    OURS,
    RELAXED,
    Cell,
    fluid_hours,
    play,
    play_clairvoyant,
    play_ours,
)
from tests.bench.sim.clairvoyant import Knobs
from tests.bench.sim.contestants import UNTUNED, PeerKind, tuned_kinds
from tests.bench.sim.report import render_report
from tests.bench.sim.scenarios import CARD, SCENARIOS, STEADY, Scenario
from tests.bench.sim.summary import summarize_cells
from tests.cluster.progress import say

OUT: Final = Path("build/bench/sim.json")
PAGE: Final = Path("build/bench/sim.html")
TUNED: Final = Path(__file__).parent / "tuned.json"
TITLE: Final = f"simulated, with constants {CARDS[CARD].source}"
WITH_DRAIN: Final = ", our drain"
PEER_START_SECONDS: Final = 60.0
"""Peers are played at this start time; at the others ours stands against the clairvoyant."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Plays every cell and writes the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.sim")
    parser.add_argument("--only", default="", help="scenarios whose name holds this text")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    options = parser.parse_args(arguments)
    scenarios = [one for one in SCENARIOS if options.only in one.key]
    cells = sorted(_play_all(scenarios, options.processes), key=_order)
    document = _build_document(scenarios, cells)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(render_report(document, cells), encoding="utf-8")
    say(f"{OUT} and {PAGE}: {json.dumps(_headline(document['summary']))}")
    return 0


def _play_all(scenarios: Sequence[Scenario], processes: int) -> Iterator[Cell]:
    began, tasks = time.monotonic(), [(s, name) for s in scenarios for name in _contestants(s)]
    with ProcessPoolExecutor(processes) as pool:
        # The longest first, so that no processor ends up with one alone.
        tasks.sort(key=lambda task: not task[0].name.startswith("r1"))
        futures: list[Future[Cell]] = [pool.submit(play_named, *task) for task in tasks]
        for count, future in enumerate(as_completed(futures), start=1):
            cell = future.result()
            took = time.monotonic() - began
            say(f"[{took:4.0f}s] {count} of {len(tasks)}: {cell.scenario}, {cell.contestant}")
            yield cell


def play_named(scenario: Scenario, contestant: str) -> Cell:
    """Plays a cell by its contestant's name: what another process can be told."""
    return dict(_build(scenario))[contestant]()


def _contestants(scenario: Scenario) -> list[str]:
    return [name for name, _ in _build(scenario)]


def _build(scenario: Scenario) -> Iterator[tuple[str, Callable[[], Cell]]]:
    yield OURS, partial(play_ours, scenario)
    if scenario in STEADY:
        for spare in _tuned()["clairvoyant_spares"]:
            knobs = Knobs(spare)
            yield knobs.name, partial(play_clairvoyant, scenario, knobs)
    if scenario.start_seconds != PEER_START_SECONDS:
        return
    for name, changes in RELAXED.items():
        yield name, partial(play_ours, scenario, name, changes)
    for kind in UNTUNED:
        yield kind.name, partial(_play_peer, scenario, kind, drained=False)
    for kind in (*UNTUNED, *tuned_kinds(_tuned()["targets"])):
        yield kind.name + WITH_DRAIN, partial(_play_peer, scenario, kind, drained=True)


def _play_peer(scenario: Scenario, kind: PeerKind, *, drained: bool) -> Cell:
    name = kind.name + (WITH_DRAIN if drained else "")
    make = partial(kind.scaler, scenario, drained=drained)
    return play(scenario, name, make, scenario.first_replicas)


def _tuned() -> dict[str, Any]:
    tuned: dict[str, Any] = json.loads(TUNED.read_text(encoding="utf-8"))
    return tuned


def _build_document(scenarios: Sequence[Scenario], cells: Sequence[Cell]) -> dict[str, Any]:
    untuned = [kind.name for kind in UNTUNED]
    return {
        "title": TITLE,
        "fluid_bound_gpu_hours": {s.key: round(fluid_hours(s), 2) for s in scenarios},
        "cells": [{k: v for k, v in asdict(cell).items() if k != "replicas"} for cell in cells],
        "summary": summarize_cells(cells, untuned),
    }


def _headline(summary: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in summary.items() if not isinstance(value, dict)}


def _order(cell: Cell) -> tuple[str, str]:
    return cell.scenario, cell.contestant


if __name__ == "__main__":
    sys.exit(main())
