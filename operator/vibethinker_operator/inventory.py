"""What kopf's watches have brought: resources, their Deployments and pods, as plain bodies."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from vibethinker_operator import names

Body = Mapping[str, Any]
Key = tuple[str, str]
Index = Mapping[Any, Iterable[Body]]


@dataclass(frozen=True)
class Snapshot:
    """One resource and its children as the watches know them now."""

    resource: Body
    deployment: Body | None
    pods: tuple[Body, ...]
    jobs: tuple[Body, ...] = ()
    preparing_pods: tuple[Body, ...] = ()

    @property
    def uid(self) -> str:
        """The resource's uid: state is kept under it, so a namesake inherits nothing."""
        return str(self.resource["metadata"]["uid"])

    @property
    def key(self) -> Key:
        """The resource's namespace and name."""
        return key_of(self.resource)


class Inventory:
    """A live view of the kopf indexes.

    A resource is listed only after its first event: kopf holds events back until every index has
    been filled, so a fleet is never mistaken for an empty one while the operator starts.
    """

    def __init__(self, resources: Index, deployments: Index, pods: Index, jobs: Index) -> None:
        self._resources = resources
        self._deployments = deployments
        self._pods = pods
        self._jobs = jobs
        self._seen: set[str] = set()

    def take_up(self, uid: str) -> None:
        """Notes the first event of a resource."""
        self._seen.add(uid)

    def drop(self, uid: str) -> None:
        """Forgets a deleted resource."""
        self._seen.discard(uid)

    def snapshots(self) -> list[Snapshot]:
        """Returns every resource taken up, with its children."""
        taken_up = (uid for uid in sorted(self._seen) if uid in self._resources)
        return [self._snapshot(_first(self._resources[uid])) for uid in taken_up]

    def _snapshot(self, resource: Body) -> Snapshot:
        key = key_of(resource)
        deployments = self._deployments.get(key, ())
        pods = tuple(self._pods.get(key, ()))
        return Snapshot(
            resource,
            next(iter(deployments), None),
            pods=tuple(pod for pod in pods if not _prepares(pod)),
            jobs=tuple(self._jobs.get(key, ())),
            preparing_pods=tuple(pod for pod in pods if _prepares(pod)),
        )


def key_of(body: Body) -> Key:
    """Returns the namespace and name of an object."""
    return str(body["metadata"]["namespace"]), str(body["metadata"]["name"])


def _prepares(pod: Body) -> bool:
    labels = pod["metadata"].get("labels") or {}
    return labels.get(names.LABEL_COMPONENT) == names.PREPARE_COMPONENT


def _first(bodies: Iterable[Body]) -> Body:
    return next(iter(bodies))
