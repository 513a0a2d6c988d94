"""Carries a plan out, action by action. I/O: the only module that changes a fleet."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from vibethinker_operator import names
from vibethinker_operator.cluster import Cluster
from vibethinker_operator.drain import VICTIM_DELETION_COST
from vibethinker_operator.errors import ClusterError, ConflictError, NotFoundError
from vibethinker_operator.observed import ObservedPod
from vibethinker_operator.plan import (
    Action,
    MarkPod,
    SetReplicas,
    StartDrain,
    StopDrain,
    UnmarkPod,
)
from vibethinker_operator.scrape import FleetScraper, Target

logger = logging.getLogger(__name__)

Body = Mapping[str, Any]


PRICED = {names.ANNOTATION_POD_DELETION_COST: str(VICTIM_DELETION_COST)}
UNMARKED = {names.ANNOTATION_POD_DELETION_COST: None, names.ANNOTATION_DRAIN_SINCE: None}


@dataclass(frozen=True)
class Outcome:
    """What came of a plan."""

    done: tuple[Action, ...]
    failed: tuple[tuple[Action, ClusterError], ...]


class Execution:
    """Does the actions of one fleet's tick; one that fails does not keep the others from it."""

    def __init__(
        self,
        cluster: Cluster,
        scraper: FleetScraper,
        resource: Body,
        deployment: Body,
    ) -> None:
        self._cluster = cluster
        self._scraper = scraper
        self._resource = resource
        self._deployment = deployment

    async def run(self, actions: Iterable[Action], targets: Mapping[str, Target]) -> Outcome:
        """Returns what was done and what was not; `targets` are the pods' ops ports, by uid."""
        done: list[Action] = []
        failed: list[tuple[Action, ClusterError]] = []
        for action in actions:
            try:
                await self._do(action, targets)
            except ClusterError as error:
                failed.append((action, error))
            else:
                done.append(action)
        return Outcome(tuple(done), tuple(failed))

    async def _do(self, action: Action, targets: Mapping[str, Target]) -> None:
        match action:
            case SetReplicas():
                await self._set_replicas(action)
            case MarkPod(pod, since):
                drain_since = (
                    {} if since is None else {names.ANNOTATION_DRAIN_SINCE: f"{since:.3f}"}
                )
                await self._annotate(pod, PRICED | drain_since)
            case UnmarkPod(pod):
                await self._annotate(pod, UNMARKED)
            case StartDrain(pod):
                await self._scraper.mark_drain(_find_target(pod, targets))
            case StopDrain(pod):
                await self._scraper.undo_drain(_find_target(pod, targets))

    async def _set_replicas(self, action: SetReplicas) -> None:
        # Watches lag. What was decided on is read afresh; where it moved on, this decision is void
        # and the next tick decides again, a second later.
        metadata = self._resource["metadata"]
        fresh = await self._cluster.read(_named(self._resource))
        if fresh is None or fresh["metadata"]["generation"] != metadata["generation"]:
            raise ConflictError("the resource changed since this was decided")
        scale = await self._cluster.read(_named(self._deployment), "scale")
        if scale is None or scale["spec"].get("replicas", 0) != action.current:
            raise ConflictError("the Deployment's replicas changed since this was decided")
        version = scale["metadata"]["resourceVersion"]
        await self._cluster.apply_replicas(_named(self._deployment), action.replicas, version)

    async def _annotate(self, pod: ObservedPod, annotations: Mapping[str, str | None]) -> None:
        manifest = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": pod.name, "namespace": pod.namespace},
        }
        await self._cluster.annotate(manifest, annotations)


def _find_target(pod: ObservedPod, targets: Mapping[str, Target]) -> Target:
    # Planned on a reading of a moment ago; since then the pod may have lost its address.
    if pod.uid not in targets:
        raise NotFoundError(f"pod {pod.name} has no address any more")
    return targets[pod.uid]


def _named(body: Body) -> dict[str, Any]:
    metadata = body["metadata"]
    return {
        "apiVersion": body["apiVersion"],
        "kind": body["kind"],
        "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
    }
