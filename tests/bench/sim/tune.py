"""Chooses the peers' knobs on a made-up day, which no cell of the report is scored on.

    python -m tests.bench.sim.tune

Writes tuned.json: for HPA on running requests and for KPA the target that is cheapest among those
that serve 98 % in time, with our drain.
"""

import json
import sys
from functools import partial
from typing import Any, Final

from vibethinker_simulator.builtin_traces import daily

from tests.bench.sim.__main__ import TUNED
from tests.bench.sim.cells import Cell, play
from tests.bench.sim.contestants import tuned_kinds
from tests.bench.sim.scenarios import Scenario
from tests.cluster.progress import say

TARGETS: Final = (30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0)
SERVICE: Final = 0.98
SPARES: Final = (1.2, 1.3, 1.4, 1.5, 1.7)
"""Times the work that the clairvoyant's schedules hold; the report takes the cheapest that fits."""

DAY: Final = Scenario("made-up day", partial(daily, 8.0), first_replicas=1)


def main() -> int:
    """Writes the file."""
    hpa, kpa = (choose(place) for place in (0, 1))
    tuned: dict[str, Any] = {
        "targets": {"hpa_running": hpa, "kpa_in_flight": kpa},
        "clairvoyant_spares": SPARES,
    }
    TUNED.write_text(json.dumps(tuned, indent=1) + "\n", encoding="utf-8")
    return 0


def choose(place: int) -> float:
    """Returns the best target of the tuned peer at `place`."""
    found: list[tuple[float, float]] = []
    for target in TARGETS:
        cell = _play(place, target)
        share, hours = cell.figures["attainable_in_time"], cell.figures["gpu_hours"]
        say(f"{cell.contestant}: {hours:.1f} GPU-hours, {share:.1%} in time")
        if share >= SERVICE:
            found.append((hours, target))
    return min(found)[1]


def _play(place: int, target: float) -> Cell:
    kind = tuned_kinds({"hpa_running": target, "kpa_in_flight": target})[place]
    return play(DAY, kind.name, partial(kind.scaler, DAY, drained=True), 1)


if __name__ == "__main__":
    sys.exit(main())
