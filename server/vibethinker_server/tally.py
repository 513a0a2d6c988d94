"""Counts by label that several threads add to."""

from collections.abc import Iterable
from threading import Lock


class Tally:
    """Counters by label; those named at the start are there from the start, at 0."""

    def __init__(self, labels: Iterable[str] = ()) -> None:
        self._counts = dict.fromkeys(labels, 0)
        self._lock = Lock()

    def add(self, label: str) -> None:
        """Adds one to `label`."""
        with self._lock:
            self._counts[label] = self._counts.get(label, 0) + 1

    def counts(self) -> dict[str, int]:
        """Returns every label with its count."""
        with self._lock:
            return dict(self._counts)

    def total(self, labels: Iterable[str]) -> int:
        """Returns the sum over `labels`."""
        counts = self.counts()
        return sum(counts.get(label, 0) for label in labels)
