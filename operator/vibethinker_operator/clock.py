"""The operator's one clock: unix seconds that never jump."""

import time
from collections.abc import Callable


class Clock:
    """Unix seconds, anchored once and carried on by the monotonic clock.

    Durations therefore survive a wall clock that is set back or forward while the operator runs;
    times written to the status still read as ordinary times. A restart anchors anew.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,  # noqa: TID251 - the one place that reads it
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._offset = wall() - monotonic()

    def now(self) -> float:
        """Returns unix seconds."""
        return self._offset + self._monotonic()
