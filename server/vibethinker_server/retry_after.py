"""When a refused client should come back. Pure; the source of chance is passed in."""

from collections.abc import Callable
from math import ceil

MIN_SECONDS = 1
MAX_SECONDS = 60
# Clients refused together must not return together: at most a fifth of them within one second.
MIN_SPREAD_SECONDS = 8
# Without a measured service rate: about one answer of 512 tokens on the smallest supported card.
UNKNOWN_WAIT_SECONDS = 10.0

# Returns a float from 0 (included) to 1 (excluded), as random.random does.
Chance = Callable[[], float]


def queue_seconds(queue: int, finished_per_second: float | None) -> float:
    """Returns how long `queue` requests, or one if none waits, take at the measured rate."""
    if not finished_per_second:
        return UNKNOWN_WAIT_SECONDS
    return max(1, queue) / finished_per_second


def spread_retry_after(seconds: float, chance: Chance) -> int:
    """Returns a whole number of seconds, 1 to 60, from a window that begins at `seconds`.

    The window is as wide as the wait itself and never narrower than MIN_SPREAD_SECONDS.
    """
    start = min(MAX_SECONDS - MIN_SPREAD_SECONDS, max(MIN_SECONDS, ceil(min(seconds, MAX_SECONDS))))
    end = min(MAX_SECONDS, start + max(MIN_SPREAD_SECONDS, start))
    return start + int(chance() * (end - start + 1))
