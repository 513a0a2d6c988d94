"""Figures out of repeated measurements: medians, spreads, and what one adds to another. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, isfinite
from statistics import median


@dataclass(frozen=True)
class Figure:
    """A median over the rounds of one run, with the lowest and the highest round beside it."""

    median: float
    low: float
    high: float
    rounds: int


@dataclass(frozen=True)
class Missing:
    """What could not be measured, and why: never a 0."""

    reason: str


def summarize(samples: Sequence[float]) -> Figure:
    """Returns the figure of one sample a round.

    Raises:
        ValueError: there is none, or one that is no number.
    """
    if not samples or not all(map(isfinite, samples)):
        raise ValueError(f"no figure can come of {list(samples)}")
    return Figure(median(samples), min(samples), max(samples), len(samples))


def subtract(samples: Sequence[float], base: Sequence[float]) -> Figure:
    """Returns what `samples` add to `base`, round by round: what slows a round, slows both.

    Raises:
        ValueError: the rounds are not the same.
    """
    if len(samples) != len(base):
        raise ValueError(f"{len(samples)} rounds beside {len(base)}")
    return summarize([one - other for one, other in zip(samples, base, strict=True)])


def per_step(long: Sequence[float], short: Sequence[float], steps: int) -> list[float]:
    """Returns the cost of one of the `steps` that the long ones have more, round by round.

    Raises:
        ValueError: the rounds are not the same, or there are no more steps.
    """
    if len(long) != len(short) or steps < 1:
        raise ValueError(f"{len(long)} rounds beside {len(short)}, {steps} steps more")
    return [(one - other) / steps for one, other in zip(long, short, strict=True)]


def percentile(values: Sequence[float], share: float) -> float:
    """Returns the value that `share` (0 to 1) of all do not exceed.

    Raises:
        ValueError: too few values to have one: the largest would stand in for it.
    """
    if not 0 < share < 1 or len(values) * (1 - share) < 1:
        raise ValueError(f"{len(values)} values have no {share:.0%} percentile")
    return sorted(values)[ceil(len(values) * share) - 1]


def is_within_noise(figure: Figure, noise: Figure) -> bool:
    """Returns whether `figure` cannot be told from 0: its rounds lie on both sides, or in `noise`.

    `noise` is what two equal contestants seem to add to each other.
    """
    crosses = figure.low <= 0 <= figure.high
    return crosses or abs(figure.median) <= max(abs(noise.low), abs(noise.high))
