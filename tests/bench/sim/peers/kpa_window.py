"""Means over the KPA's windows, and its delay on the way down.

Knative Serving v0.51.0, pkg/autoscaler/aggregation: bucketing.go (TimedFloat64Buckets of one
second) and max/. The order of the sums is as there, so that means are equal to the last bit.
"""

import math
from typing import Final

_DIGITS: Final = 1e6


class MeanWindow:
    """The mean of one value a second over the last seconds.

    Args:
        seconds: Length of the window.
    """

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds
        self._sums = [0.0] * seconds
        self._total = 0.0
        self._first = self._last = 0
        self._written = False

    def record(self, now: float, value: float) -> None:
        """Adds a value to its second; seconds that were left out count as zero."""
        second = math.floor(now)
        if not self._written or second - self._last >= self._seconds:
            self._restart(second)
        elif second <= self._last - self._seconds:
            return
        self._first = min(self._first, second)
        self._clear(self._last + 1, second)
        self._last = max(self._last, second)
        self._sums[second % self._seconds] += value
        self._total += value

    def is_empty(self, now: float) -> bool:
        """Says whether nothing came for longer than the window."""
        return not self._written or math.floor(now) - self._last > self._seconds

    def mean(self, now: float) -> float:
        """Returns the mean over the seconds from the first value, or the window's, to the last."""
        behind = max(0, math.floor(now) - self._last)
        if not self._written or behind >= self._seconds:
            return 0.0
        total = self._total
        for second in range(self._last + 1, self._last + 1 + behind):
            total -= self._sums[second % self._seconds]
        count = min(self._last - self._first + 1, self._seconds - behind)
        return _round(total / count)

    def _restart(self, second: int) -> None:
        self._sums = [0.0] * self._seconds
        self._total = 0.0
        self._first = self._last = second
        self._written = True

    def _clear(self, start: int, end: int) -> None:
        for second in range(start, end + 1):
            self._total -= self._sums[second % self._seconds]
            self._sums[second % self._seconds] = 0.0


class MaxWindow:
    """The largest value of the last slots; time only goes forward.

    Args:
        seconds: Length of the window.
        slot_seconds: Length of a slot; unix time is cut into them.
    """

    def __init__(self, seconds: int, slot_seconds: int) -> None:
        self._slots = math.ceil(seconds / slot_seconds)
        self._slot_seconds = slot_seconds
        self._values: list[tuple[int, int]] = []

    def add(self, now: float, value: int) -> int:
        """Takes a value and returns the largest."""
        slot = math.floor(now) // self._slot_seconds
        kept = [one for one in self._values if slot - one[0] < self._slots]
        self._values = [*kept, (slot, value)]
        return max(value for _, value in self._values)


def _round(value: float) -> float:
    # Go's math.Round: half away from zero, unlike Python's.
    scaled = value * _DIGITS
    whole = math.trunc(scaled)
    if abs(scaled - whole) >= 0.5:
        whole += 1 if scaled > 0 else -1
    return whole / _DIGITS
