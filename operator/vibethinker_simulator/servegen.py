"""A day of a reasoning model's users, drawn from ServeGen's laws. Deterministic for a seed.

The data (data/deepseek-r1.json.gz) has, for each of 73 clients, the rate and burstiness of every
ten minutes and the lengths of prompts and answers of every six hours, as quantiles. As ServeGen's
own generator does, one random number is taken for both lengths of a request. Source: ServeGen
(arXiv 2505.09999), deepseek-r1, Apache-2.0; data/README.md says what was made of it.
"""

import gzip
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from vibethinker_simulator.trace import Trace, assign_sessions

DATA: Final = Path(__file__).parent / "data" / "deepseek-r1.json.gz"
WINDOW_SECONDS: Final = 600.0
DAY_SECONDS: Final = 86_400.0
MEAN_RATE: Final = 16.0
"""Requests a second of all clients, over the day."""


def draw_day(requests_per_second: float = 4.0, seed: int = 1) -> Trace:
    """Returns a day of requests, with each client's rate scaled and its burstiness kept."""
    with gzip.open(DATA, "rt", encoding="utf-8") as file:
        clients: list[dict[str, Any]] = json.load(file)["clients"]
    chance = random.Random(seed)  # noqa: S311 (a reproducible draw, not a secret)
    scale = requests_per_second / MEAN_RATE
    drawn = [request for client in clients for request in _draw_client(client, scale, chance)]
    name = f"deepseek-r1 at {requests_per_second:g}/s"
    return Trace(name, tuple(assign_sessions(sorted(drawn), seed)), DAY_SECONDS)


def _draw_client(
    client: dict[str, Any], scale: float, chance: random.Random
) -> Iterator[tuple[float, int, int]]:
    starts = sorted(client["lengths"], key=int)
    for start, rate, variation in client["rates"]:
        lengths = client["lengths"][max((s for s in starts if int(s) <= start), key=int)]
        time = start + chance.random() / (rate * scale)
        while time < start + WINDOW_SECONDS:
            share = chance.random()
            yield time, _quantile(lengths[0], share), _quantile(lengths[1], share)
            time += _pause(1 / (rate * scale), variation, chance)


def _pause(mean: float, variation: float, chance: random.Random) -> float:
    # A Gamma law of that mean and coefficient of variation.
    shape = 1 / (variation * variation)
    return chance.gammavariate(shape, mean / shape)


def _quantile(quantiles: Sequence[int], share: float) -> int:
    place = share * (len(quantiles) - 1)
    low = int(place)
    high = min(low + 1, len(quantiles) - 1)
    return max(1, round(quantiles[low] + (place - low) * (quantiles[high] - quantiles[low])))
