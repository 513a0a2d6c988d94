"""A count over the last minute, at the same small cost however much there was to count."""

WINDOW_SECONDS = 60


class RecentCount:
    """One bucket a second. Written by one thread; any may read, and is at most one event off."""

    def __init__(self) -> None:
        self._second = [-WINDOW_SECONDS] * WINDOW_SECONDS
        self._count = [0] * WINDOW_SECONDS
        # The sum as of one second: it is asked for with every request.
        self._summed = (-1, 0)

    def add(self, count: int, now: float) -> None:
        """Counts `count` more at `now`, in monotonic seconds."""
        second = int(now)
        bucket = second % WINDOW_SECONDS
        if self._second[bucket] != second:
            self._second[bucket], self._count[bucket] = second, 0
        self._count[bucket] += count
        self._summed = (-1, 0)

    def total(self, now: float) -> int:
        """Returns the count of the last WINDOW_SECONDS."""
        at, total = self._summed
        if at != int(now):
            oldest = int(now) - WINDOW_SECONDS
            buckets = zip(self._second, self._count, strict=True)
            total = sum(count for second, count in buckets if second > oldest)
            self._summed = (int(now), total)
        return total
