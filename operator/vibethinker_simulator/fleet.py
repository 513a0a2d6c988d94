"""The pods of one simulated fleet, and what Kubernetes does with them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from vibethinker_operator.observed import Observed, ObservedDeployment

from vibethinker_simulator.blueprint import Blueprint
from vibethinker_simulator.pod import Pod
from vibethinker_simulator.server import Server

GRACE_SECONDS: Final = 30.0
"""Kubernetes' default between SIGTERM and SIGKILL, for pods that end without our drain."""


class Fleet:
    """A Deployment and its pods. Pods get a node at once and are Ready `start_seconds` later.

    Attributes:
        pods: Those that exist, in the order of their making.
        replicas: How many are asked for.
        pod_seconds: Time from a pod's making to its end, over those that are gone.
    """

    def __init__(
        self, blueprint: Blueprint, *, start_seconds: float, clock: Callable[[], float]
    ) -> None:
        self.pods: list[Pod] = []
        self.replicas = 0
        self.pod_seconds = 0.0
        self.grace_seconds = GRACE_SECONDS
        self._blueprint = blueprint
        self._start_seconds = start_seconds
        self._clock = clock
        self._made = 0
        self._deployment = _make_deployment()

    @property
    def active(self) -> list[Pod]:
        """Pods whose end was not asked for."""
        return [pod for pod in self.pods if pod.terminating_since is None]

    @property
    def serving(self) -> list[Server]:
        """Servers that take new connections."""
        return [pod.server for pod in self.pods if pod.server and pod.observed.serving]

    @property
    def servers(self) -> list[Server]:
        """Servers whose process runs."""
        return [pod.server for pod in self.pods if pod.server]

    def observe(self) -> Observed:
        """Returns what the cluster shows."""
        deployment = replace(self._deployment, spec_replicas=self.replicas)
        return Observed(deployment, tuple(pod.observed for pod in self.pods))

    def set_replicas(self, replicas: int, now: float) -> None:
        """Asks for another size: makes pods, or ends those that a ReplicaSet would choose."""
        self.replicas = replicas
        active = self.active
        for _ in range(replicas - len(active)):
            self._made += 1
            self.pods.append(Pod(self._made, now))
        for pod in sorted(active, key=_deletion_order)[: max(0, len(active) - replicas)]:
            pod.terminating_since = now
            pod.show(terminating=True)
            if pod.server:
                pod.server.leaving = True

    def start_warm(self, replicas: int, now: float) -> None:
        """Makes the first pods, Ready at once."""
        self.set_replicas(replicas, now)
        for pod in self.pods:
            self._get_ready(pod, now)

    def tick(self, now: float) -> list[int]:
        """Lets pods get Ready and go; returns the requests of those that were killed."""
        for pod in self.active:
            if pod.server is None and now - pod.starting_since >= self._start_seconds:
                self._get_ready(pod, now)
        leaving = [pod for pod in self.pods if pod.terminating_since is not None]
        return [number for pod in leaving for number in self._end(pod, now)]

    def total_pod_seconds(self, now: float) -> float:
        """Returns the time that pods existed up to `now`, drains and starts included."""
        return self.pod_seconds + sum(now - pod.observed.created for pod in self.pods)

    def _get_ready(self, pod: Pod, now: float) -> None:
        uid, number = pod.observed.uid, pod.number
        server = Server(self._blueprint, uid=uid, number=number, now=now, clock=self._clock)
        pod.get_ready(server, now)

    def _end(self, pod: Pod, now: float) -> list[int]:
        asked_at = now if pod.terminating_since is None else pod.terminating_since
        busy = pod.server is not None and pod.server.replica.running + pod.server.replica.waiting
        if busy and now - asked_at < self.grace_seconds:
            return []
        self.pods.remove(pod)
        self.pod_seconds += now - pod.observed.created
        return pod.end()


def _deletion_order(pod: Pod) -> tuple[bool, int, float, int]:
    # As the ReplicaSet controller sorts: not Ready first, then the lower deletion cost, then the
    # one that got Ready last.
    observed = pod.observed
    ready = observed.ready or observed.draining_since is not None
    return (ready, observed.deletion_cost or 0, -(observed.ready_since or 0.0), -pod.number)


def _make_deployment() -> ObservedDeployment:
    return ObservedDeployment(
        uid="simulated",
        name="simulated",
        namespace="simulated",
        spec_replicas=0,
        resource_version="1",
        generation=1,
        observed_generation=1,
        progress_deadline_seconds=2760,
        conditions=(),
        annotations={},
    )
