"""Times to the first token by who shares a preset's cache. Pure; seconds and ratios."""

from collections.abc import Mapping, Sequence
from statistics import median, quantiles
from typing import Any

COLD = "Session"


def compare(seconds: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """Returns median and quartiles of each isolation, and its median over that of COLD."""
    cold = median(seconds[COLD])
    return {name: _summarize(values, cold) for name, values in seconds.items()}


def _summarize(values: Sequence[float], cold: float) -> dict[str, Any]:
    lower, _, upper = quantiles(values, n=4)
    return {
        "requests": len(values),
        "time_to_first_token_ms": round(median(values) * 1000, 1),
        "quartiles_ms": [round(lower * 1000, 1), round(upper * 1000, 1)],
        "of_cold": round(median(values) / cold, 3),
    }
