"""The kept decisions of Knative's autoscaler, given to our port."""

import math
import random
from collections.abc import Iterator
from typing import Any

from tests.bench.sim.peers.kpa import Kpa, Settings

Decision = tuple[int | None, float, float]
"""Pods wanted, and the means over the stable and the panic window."""


def replay_kpa(life: dict[str, Any]) -> Iterator[tuple[Decision, Decision]]:
    """Yields what the real autoscaler decided each time, and what ours does."""
    kpa = Kpa(
        _parse_settings(life["settings"]),
        ready=life["settings"]["ready"],
        now=0.0,
        metric="",
        chance=random.Random(0),  # noqa: S311 (never drawn from)
    )
    for turn in life["turns"]:
        first = math.floor(turn["now"]) - len(turn["scraped"]) + 1
        for second, total in enumerate(turn["scraped"], start=first):
            kpa.record(second, total)
        wanted = kpa.recommend(turn["now"], turn["ready"])
        real = (turn["wanted"], turn["stable"], turn["panic"])
        yield real, (wanted, *kpa.means(turn["now"]))


def _parse_settings(given: dict[str, Any]) -> Settings:
    defaults = Settings()
    rates = given["rates"] or {"up": defaults.max_up_rate, "down": defaults.max_down_rate}
    named = {
        "stable_seconds": given["stable_seconds"],
        "panic_percent": given["panic_percent"],
        "panic_threshold": _share(given["panic_threshold_percent"]),
        "down_delay_seconds": given["down_delay_seconds"],
        "target": _target(given["total"], given["utilization_percent"]),
    }
    known = {name: value for name, value in named.items() if value is not None}
    return Settings(max_up_rate=rates["up"], max_down_rate=rates["down"], **known)


def _share(percent: float | None) -> float | None:
    return None if percent is None else percent / 100


def _target(total: float | None, utilization_percent: float | None) -> float | None:
    if total is None and utilization_percent is None:
        return None
    share = _share(utilization_percent)
    return (100.0 if total is None else total) * (0.7 if share is None else share)
