"""One fleet, ticked once a second against a cluster and pods that do what they are told."""

from copy import deepcopy
from typing import Any

from vibethinker_operator.inventory import Snapshot
from vibethinker_operator.reconcile import Reconciler

from tests.unit.deciding.builders import DEVICE, GB, OTHER, POOL, WEIGHTS
from tests.unit.operating.builders import (
    DEFAULTS,
    ROOT_KEY,
    UP_TO_THREE,
    Body,
    FakeCluster,
    Pods,
    Time,
    make_body,
    make_deployment,
    make_pod,
)

Reading = dict[str, Any]


def reading(kv_used: float = 0.0, **facts: Any) -> Reading:
    """What an L4-like pod answers with so much KV in use (in bytes)."""
    return {
        "device_memory_bytes": DEVICE,
        "weights_bytes": WEIGHTS,
        "other_bytes": OTHER,
        "kv_used_bytes": kv_used,
        "kv_idle_bytes": POOL - kv_used,
        "queue_length": 0.0,
        "running": 1.0,
        "in_flight": 0.0,
        "draining": False,
    } | facts


CALM, FULL = reading(1 * GB), reading(15.5 * GB, running=50.0)


class Story:
    """A fleet as the cluster holds it; what the operator writes is there a second later."""

    def __init__(
        self, spec: Body | None = None, *pods: Body, deployed: bool = True, replicas: int = 0
    ) -> None:
        resource = make_body(UP_TO_THREE if spec is None else spec)
        self.pods = list(pods) if pods or not deployed else [make_pod()]
        children = [make_deployment(resource, replicas or len(self.pods))] if deployed else []
        self.cluster = FakeCluster(resource, *children)
        self.job_status: Body = {}
        self.preparing_pods: list[Body] = []
        self.time = Time()
        self.scraper = Pods(self.time, {pod["metadata"]["uid"]: CALM for pod in self.pods})
        self.restart()

    @property
    def resource(self) -> Body:
        return self.cluster.objects["VibeThinkerDeployment", "chat"]

    @property
    def status(self) -> Body:
        return self.cluster.statuses[-1] if self.cluster.statuses else {}

    def restart(self, seconds: float = 0.0) -> None:
        """Another process takes over; it has only what the status says."""
        self.time.now += seconds
        self.resource["status"] = self.status
        self.reconciler = Reconciler(
            cluster=self.cluster,
            scraper=self.scraper,
            clock=self.time.clock(),
            images=DEFAULTS,
            root_key=ROOT_KEY,
        )

    def edit(self, spec: Body) -> None:
        self.resource["spec"] = spec
        self.resource["metadata"]["generation"] += 1

    def answer(self, **facts: Any) -> None:
        """From now on every pod answers so."""
        for uid in self.scraper.readings:
            self.scraper.readings[uid] = self.scraper.readings[uid] | facts

    def snapshot(self) -> Snapshot:
        deployment = self.cluster.objects.get(("Deployment", "chat"))
        pods = tuple(deepcopy(pod) for pod in self.pods)
        jobs = tuple(
            deepcopy(body) | {"status": deepcopy(self.job_status)}
            for (kind, _), body in self.cluster.objects.items()
            if kind == "Job"
        )
        preparing = tuple(deepcopy(pod) for pod in self.preparing_pods)
        return Snapshot(deepcopy(self.resource), deepcopy(deployment), pods, jobs, preparing)

    async def tick(self, seconds: int = 1) -> None:
        for _ in range(seconds):
            self.time.now += 1.0
            await self.reconciler.tick(self.snapshot(), self.time.now)

    def condition(self, type_: str) -> tuple[str, str]:
        (found,) = (c for c in self.status["conditions"] if c["type"] == type_)
        return found["status"], found["reason"]
