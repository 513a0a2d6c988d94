"""What a peer sees of a pod."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class PodView:
    """A pod and its readings. Times are seconds of any one clock.

    Attributes:
        name: Its name.
        created: When it was made.
        ready_since: When it last got Ready; None if it is not.
        pending: Whether its containers have yet to start (phase Pending).
        terminating: Whether its end was asked for.
        metrics: Readings by name. One that could not be had is absent.
    """

    name: str
    created: float
    ready_since: float | None
    pending: bool = False
    terminating: bool = False
    metrics: Mapping[str, float] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """Whether it is Ready."""
        return self.ready_since is not None


def count_active(pods: Iterable[PodView]) -> int:
    """Returns what a Deployment's `status.replicas` says: pods whose end was not asked for."""
    return sum(not pod.terminating for pod in pods)


def sum_readings(pods: Iterable[PodView], name: str) -> float | None:
    """Returns Prometheus' `sum(name)`; None if no pod has a reading."""
    readings = [pod.metrics[name] for pod in pods if name in pod.metrics]
    return sum(readings) if readings else None
