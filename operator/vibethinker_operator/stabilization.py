"""The highest need of the last minutes: a fleet only shrinks below what it needed all that time."""

from dataclasses import dataclass
from typing import Final, NamedTuple

HISTORY_GAP_SECONDS: Final = 15.0
"""A pause longer than this, as long as the loop may be silent before it counts as stuck, starts
the history anew: nobody knows what was needed meanwhile."""


class _NeedMark(NamedTuple):
    time: float
    replicas: int


@dataclass(frozen=True, slots=True)
class NeedHistory:
    """Needs seen so far; empty after a restart.

    Only marks that can still be the highest are kept (each is lower than the one before), so a
    window of an hour costs no more than one of a minute.

    Attributes:
        since: Since when needs are seen without a pause, in unix seconds.
        last: When the newest was seen, in unix seconds.
        marks: Falling needs with the time each was last seen.
    """

    since: float | None = None
    last: float | None = None
    marks: tuple[_NeedMark, ...] = ()

    def record(self, replicas: int, *, window_seconds: float, now: float) -> "NeedHistory":
        """Returns the history with the need of this sweep."""
        paused = self.last is None or not 0.0 <= now - self.last <= HISTORY_GAP_SECONDS
        if self.since is None or paused:
            return NeedHistory(now, now, (_NeedMark(now, replicas),))
        horizon = now - window_seconds
        kept = tuple(m for m in self.marks if m.time >= horizon and m.replicas > replicas)
        return NeedHistory(self.since, now, (*kept, _NeedMark(now, replicas)))

    @property
    def highest(self) -> int | None:
        """The highest need of the window; None before the first."""
        return self.marks[0].replicas if self.marks else None

    def covers(self, window_seconds: float, now: float) -> bool:
        """Returns whether a whole window has been seen."""
        return self.since is not None and now - self.since >= window_seconds

    def waiting_seconds(self, below: int, window_seconds: float, now: float) -> float | None:
        """Returns how long until every need of the window is below, if none rises; None if never.

        Args:
            below: Replicas that no need of the window may reach.
            window_seconds: Length of the window.
            now: Unix seconds.
        """
        if self.since is None or not self.marks or self.marks[-1].replicas >= below:
            return None
        uncovered = window_seconds - (now - self.since)
        high = [m.time for m in self.marks if m.replicas >= below]
        return max(0.0, uncovered, window_seconds - (now - high[-1]) if high else 0.0)
