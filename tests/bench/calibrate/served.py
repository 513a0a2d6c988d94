"""How requests fared, in the real engine or in the simulated one, in the same figures. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import fmean
from typing import Final

FIGURES: Final = (
    "ttft_p50_ms", "ttft_p99_ms", "itl_p50_ms", "itl_p99_ms", "kv_mean", "kv_max",
)  # fmt: skip
"""Times to the first token, mean times of a later one by request, shares of the KV pool."""

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Answer:
    """One request that was answered whole: when it came, began and ended, and its tokens."""

    sent: float
    first_token: float
    ended: float
    tokens: int


def figures_of(answers: Sequence[Answer], kv_ratios: Sequence[float]) -> Figures:
    """Returns FIGURES.

    Args:
        answers: of one run.
        kv_ratios: use of the pool at even moments of the run.
    """
    waits = [(one.first_token - one.sent) * 1e3 for one in answers]
    gaps = [
        (one.ended - one.first_token) * 1e3 / (one.tokens - 1) for one in answers if one.tokens > 1
    ]
    values = (
        percentile(waits, 50), percentile(waits, 99), percentile(gaps, 50), percentile(gaps, 99),
        fmean(kv_ratios), max(kv_ratios),
    )  # fmt: skip
    return dict(zip(FIGURES, values, strict=True))


def percentile(values: Sequence[float], percent: int) -> float:
    """Returns a percentile by the nearest rank."""
    return sorted(values)[max(1, ceil(percent / 100 * len(values))) - 1]
