"""The mission's rule as it stands: one replica more while memory is above the line.

Above 75 % for 10 s: one more, at most one per start time. Below 90 % of the line for 300 s: one
less. Nothing else: no demand, no queue, no pods on their way.
"""

from collections.abc import Sequence
from typing import Final

from tests.bench.sim.peers.pods import PodView

LINE: Final = 0.75
DOWN_SHARE: Final = 0.9
UP_SECONDS: Final = 10.0
DOWN_SECONDS: Final = 300.0


class LiteralRule:
    """The rule over one ratio: the raw one, with the idle pool in it, or the live one.

    Args:
        metric: Name of the ratio that it gets, 0 to 1.
        start_seconds: Start time of a pod.
        minimum: Fewest replicas.
        maximum: Most replicas.
    """

    def __init__(self, metric: str, *, start_seconds: float, minimum: int, maximum: int) -> None:
        self._metric, self._start_seconds = metric, start_seconds
        self._minimum, self._maximum = minimum, maximum
        self._above_since: float | None = None
        self._below_since: float | None = None
        self._stepped_up: float | None = None

    def sweep(self, now: float, current: int, pods: Sequence[PodView]) -> int:
        """Returns the replicas wanted. The fleet's ratio is the mean of the Ready pods that answer;
        where none does, nothing is sustained.
        """
        ratio = _mean(pods, self._metric)
        above = ratio is not None and ratio > LINE
        below = ratio is not None and ratio < LINE * DOWN_SHARE
        self._above_since = _since(self._above_since, now) if above else None
        self._below_since = _since(self._below_since, now) if below else None
        return max(self._minimum, min(self._maximum, current + self._step(now)))

    def _step(self, now: float) -> int:
        if _lasted(self._above_since, now, UP_SECONDS) and self._may_step_up(now):
            self._stepped_up = now
            return 1
        if _lasted(self._below_since, now, DOWN_SECONDS):
            self._below_since = now
            return -1
        return 0

    def _may_step_up(self, now: float) -> bool:
        return self._stepped_up is None or now - self._stepped_up >= self._start_seconds


def _since(since: float | None, now: float) -> float:
    return now if since is None else since


def _lasted(since: float | None, now: float, seconds: float) -> bool:
    return since is not None and now - since >= seconds


def _mean(pods: Sequence[PodView], metric: str) -> float | None:
    values = [
        pod.metrics[metric]
        for pod in pods
        if pod.ready and not pod.terminating and metric in pod.metrics
    ]
    return sum(values) / len(values) if values else None
