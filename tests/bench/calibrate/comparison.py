"""Simulated figures beside measured ones, against the goal. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Final

GOAL: Final = 0.10
"""Relative difference that is good enough, or the engine's own spread where that is larger."""


@dataclass(frozen=True)
class Compared:
    """One figure.

    Attributes:
        measured: Of each run of the real engine.
        measured_median: Their median.
        simulated: The same figure of the simulated engine.
        difference: The simulated one over the median, less one.
        spread: Largest less smallest of the runs, over the median.
        allowed: The larger of the goal and the spread.
        met: Whether the difference is allowed.
    """

    measured: tuple[float, ...]
    measured_median: float
    simulated: float
    difference: float
    spread: float
    allowed: float
    met: bool

    def render(self) -> dict[str, Any]:
        """Returns the JSON object."""
        return asdict(self)


def compare(
    runs: Sequence[Mapping[str, float]], simulated: Mapping[str, float]
) -> dict[str, Compared]:
    """Returns each figure that is simulated, compared with the runs."""
    return {
        name: _compare(tuple(run[name] for run in runs), value) for name, value in simulated.items()
    }


def _compare(measured: tuple[float, ...], simulated: float) -> Compared:
    middle = median(measured)
    if middle <= 0:
        raise ValueError(f"a figure of {middle} was measured: nothing was served")
    difference = simulated / middle - 1
    spread = (max(measured) - min(measured)) / middle
    allowed = max(GOAL, spread)
    return Compared(
        measured, middle, simulated, difference, spread, allowed, abs(difference) <= allowed
    )
