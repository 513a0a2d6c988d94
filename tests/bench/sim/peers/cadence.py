"""When a peer's loop has its turn."""


class Cadence:
    """Turns of one period, the first of them at the first question.

    Args:
        period_seconds: Time between turns.
    """

    def __init__(self, period_seconds: float) -> None:
        self._period_seconds = period_seconds
        self._next: float | None = None

    def is_due(self, now: float) -> bool:
        """Says whether there is a turn at `now`, and counts it as taken."""
        if self._next is not None and now < self._next:
            return False
        # Not from the turn that was due: a loop that was late does not catch up.
        self._next = now + self._period_seconds
        return True
