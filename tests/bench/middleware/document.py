"""The JSON of one contestant: every key always there, and null never without its reason. Pure."""

from collections.abc import Mapping
from typing import Any

from tests.bench.middleware.figures import Figure, Missing

# What every contestant is asked; a contestant may say more.
KEYS = (
    "added_us_per_request_1k",
    "added_us_per_request_16k",
    "added_us_per_chunk",
    "rejects_per_second",
    "p99_ms_mixed",
    "rss_mb_5000_streams",
)
DIGITS = 2

Figures = Mapping[str, Figure | Missing]


def render_contestant(figures: Figures) -> dict[str, Any]:
    """Returns the object of one contestant: medians, each with its spread or its reason beside it.

    Raises:
        ValueError: one of KEYS is not there.
    """
    missing = [key for key in KEYS if key not in figures]
    if missing:
        raise ValueError(f"not measured, and no reason why: {', '.join(missing)}")
    document: dict[str, Any] = {}
    for key, figure in figures.items():
        if isinstance(figure, Missing):
            document |= {key: None, f"{key}_reason": figure.reason}
        else:
            spread = [_round(figure.low), _round(figure.high)]
            document |= {key: _round(figure.median), f"{key}_spread": spread}
    return document


def render_aims(
    figures: Figures, *, at_most: Mapping[str, float], at_least: Mapping[str, float]
) -> dict[str, Any]:
    """Returns each aim and whether it held; what could not be measured did not hold."""
    aims: dict[str, Any] = {}
    for key, aim in at_most.items():
        aims[key] = {"at_most": aim, "held": _median(figures[key]) <= aim}
    for key, aim in at_least.items():
        held = not isinstance(figures[key], Missing) and _median(figures[key]) >= aim
        aims[key] = {"at_least": aim, "held": held}
    return aims


def _median(figure: Figure | Missing) -> float:
    return float("inf") if isinstance(figure, Missing) else figure.median


def _round(value: float) -> float:
    """Returns few digits, yet never a 0 for what is none."""
    rounded = round(value, DIGITS)
    return rounded if rounded or not value else float(f"{value:.1e}")
