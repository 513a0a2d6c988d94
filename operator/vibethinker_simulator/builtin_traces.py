"""Traces by name: two public ones, and three made up. Deterministic."""

import random
from collections.abc import Callable, Iterator, Mapping
from math import pi, sin
from pathlib import Path
from typing import Final

from vibethinker_simulator.servegen import draw_day
from vibethinker_simulator.trace import Trace, assign_sessions
from vibethinker_simulator.trace_file import TraceError, read_trace

AZURE_CONV: Final = Path(__file__).parent / "data" / "azure-conv.csv.gz"

PROMPT_TOKENS: Final = (60, 600)
"""Shortest and longest prompt of made-up traces: questions of mathematics and of code."""

OUTPUT_TOKENS: Final = 400
"""Mean answer of made-up traces; lengths fall off exponentially."""

Rate = Callable[[float], float]


def step(rate: float, *, factor: float = 10.0, seconds: float = 1800.0, seed: int = 1) -> Trace:
    """Returns a load that is `factor` times itself in the middle third."""
    third = seconds / 3

    def at(time: float) -> float:
        return rate * factor if third <= time < 2 * third else rate

    return _draw("step", at, rate * factor, seconds, seed)


def ramp(rate: float, *, factor: float = 10.0, seconds: float = 3600.0, seed: int = 1) -> Trace:
    """Returns a load that rises to `factor` times itself, and falls back at the end."""
    top = 0.8 * seconds

    def at(time: float) -> float:
        return rate * (1 + (factor - 1) * time / top) if time < top else rate

    return _draw("ramp", at, rate * factor, seconds, seed)


def daily(rate: float, *, seed: int = 1) -> Trace:
    """Returns a day whose load swings by nine tenths about `rate`, least at midnight."""
    return _draw("daily", lambda t: rate * (1 - 0.9 * sin(pi / 2 + 2 * pi * t / 86_400)),
                 1.9 * rate, 86_400.0, seed)  # fmt: skip


def find_trace(name: str, rate: float) -> Trace:
    """Returns a trace by its name, or by its path.

    Args:
        name: One of `NAMES`, or a file.
        rate: Requests a second that made-up traces begin with, and the mean of deepseek-r1.

    Raises:
        TraceError: there is neither.
    """
    if name in _BY_NAME:
        return _BY_NAME[name](rate)
    path = Path(name)
    if not _exists(path):
        raise TraceError(f"trace {name}: no such file, and none of {', '.join(NAMES)}")
    return read_trace(path)


def azure_conv() -> Trace:
    """Returns an hour of Azure's conversations: 19,366 requests of 2023-11-16 (CC-BY 4.0)."""
    trace = read_trace(AZURE_CONV)
    return Trace("azure-conv", trace.requests, trace.seconds)


_BY_NAME: Final[Mapping[str, Callable[[float], Trace]]] = {
    "azure-conv": lambda _: azure_conv(),
    "deepseek-r1": draw_day,
    "step": step,
    "ramp": ramp,
    "daily": daily,
}
NAMES: Final = tuple(_BY_NAME)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        # A name that no file can have, or a directory that may not be searched.
        return False


def _draw(name: str, rate: Rate, most: float, seconds: float, seed: int) -> Trace:
    chance = random.Random(seed)  # noqa: S311 (a reproducible draw, not a secret)
    drawn = _thin(rate, most, seconds, chance)
    return Trace(name, tuple(assign_sessions(drawn, seed)), seconds)


def _thin(
    rate: Rate, most: float, seconds: float, chance: random.Random
) -> Iterator[tuple[float, int, int]]:
    # A Poisson process of a rate that changes, by thinning (Lewis and Shedler 1979).
    time = chance.expovariate(most)
    while time < seconds:
        if chance.random() * most < rate(time):
            output = 1 + int(chance.expovariate(1 / OUTPUT_TOKENS))
            yield time, chance.randint(*PROMPT_TOKENS), output
        time += chance.expovariate(most)
