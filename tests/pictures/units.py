"""Figures as Grafana would write them in a unit."""

from collections.abc import Callable, Mapping

BYTES = ("B", "KiB", "MiB", "GiB", "TiB")
STEP = 1024.0


def format_value(value: float, unit: str) -> str:
    """Returns a figure with its unit."""
    return FORMATS.get(unit, _format_plain)(value)


def _format_plain(value: float) -> str:
    return f"{value:.4g}"


def _format_seconds(value: float) -> str:
    return f"{value * 1000:.3g} ms" if abs(value) < 1 else f"{value:.3g} s"


def _format_bytes(value: float) -> str:
    for suffix in BYTES[:-1]:
        if abs(value) < STEP:
            return f"{value:.3g} {suffix}"
        value /= STEP
    return f"{value:.3g} {BYTES[-1]}"


FORMATS: Mapping[str, Callable[[float], str]] = {
    "bool_yes_no": lambda value: "Yes" if value else "No",
    "bytes": _format_bytes,
    "ops": lambda value: f"{value:.3g} ops/s",
    "percentunit": lambda value: f"{value:.0%}",
    "reqps": lambda value: f"{value:.3g} req/s",
    "s": _format_seconds,
}
