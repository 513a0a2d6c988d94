"""What the cluster shows of one fleet: its Deployment and its pods, as frozen values.

The parsers take plain Kubernetes dictionaries (as a watch delivers them) and keep only what
deciding, draining or the status reads. A value that the cluster does not state is None.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from vibethinker_operator.names import (
    ANNOTATION_DRAIN_SINCE,
    ANNOTATION_POD_DELETION_COST,
    ENGINE_CONTAINER,
)

POD_TEMPLATE_HASH = "pod-template-hash"

# What every container says for a while on its way up: not worth a word in the status.
_ORDINARY_WAITING = frozenset({"ContainerCreating", "PodInitializing"})
_FINISHED_PHASES = frozenset({"Succeeded", "Failed"})


@dataclass(frozen=True, slots=True)
class Termination:
    """How a container of a pod last ended.

    Attributes:
        reason: The kubelet's word for it, such as `OOMKilled` or `Error`.
        exit_code: The exit status; 137 is a SIGKILL.
        message: Its termination message: what its process wrote there, or the end of its log.
        container: The container's name.
        ended_at: When it ended, in unix seconds; None where the kubelet does not say.
    """

    reason: str
    exit_code: int | None
    message: str = ""
    container: str = ENGINE_CONTAINER
    ended_at: float | None = None


@dataclass(frozen=True, slots=True)
class ObservedPod:
    """One server pod. All times are unix seconds.

    Attributes:
        uid: Identity of the pod; names are reused, uids are not.
        name: Name of the pod.
        namespace: Namespace of the pod.
        ip: Address of the pod once it has one.
        node: Node the pod was bound to.
        created: When the pod was made.
        template_hash: The `pod-template-hash` label: which ReplicaSet the pod is of.
        scheduled_since: When the pod was bound to a node; None while it waits for one.
        unschedulable_message: What the scheduler says while it finds no place.
        ready: Whether the pod is Ready.
        ready_since: Since when it is Ready.
        unready_since: Since when it is not Ready.
        terminating: Whether its deletion was asked for.
        finished: Whether its containers ended for good (evicted, failed).
        waiting_reason: Why a container waits, where that is not on its ordinary way up.
        waiting_message: The kubelet's sentence for `waiting_reason`.
        pulling: Whether an image is being pulled.
        restarts: Restarts of all its containers together.
        last_termination: How a container of it last ended.
        draining_since: When its drain was marked, from our annotation.
        deletion_cost: What the ReplicaSet controller sorts by, from the annotation.
        sandbox_message: What the kubelet says while a pod with a node has no sandbox: its volumes
            are not mounted, or its network is not up.
    """

    uid: str
    name: str
    namespace: str
    ip: str | None
    node: str | None
    created: float
    template_hash: str | None
    scheduled_since: float | None
    unschedulable_message: str | None
    ready: bool
    ready_since: float | None
    unready_since: float | None
    terminating: bool
    finished: bool
    waiting_reason: str | None
    waiting_message: str | None
    pulling: bool
    restarts: int
    last_termination: Termination | None
    draining_since: float | None
    deletion_cost: int | None
    sandbox_message: str | None = None

    @property
    def scheduled(self) -> bool:
        """Whether the pod has a node."""
        return self.scheduled_since is not None

    @property
    def active(self) -> bool:
        """Whether the ReplicaSet controller counts it: neither on its way out nor finished."""
        return not self.terminating and not self.finished

    @property
    def serving(self) -> bool:
        """Whether it takes new requests: active, Ready, and not being drained."""
        return self.active and self.ready and self.draining_since is None


@dataclass(frozen=True, slots=True)
class DeploymentCondition:
    """One condition of the Deployment; `since` is its last transition, in unix seconds."""

    type: str
    status: str
    reason: str
    message: str
    since: float | None


@dataclass(frozen=True, slots=True)
class ObservedDeployment:
    """The Deployment of one fleet.

    Attributes:
        uid: Identity of the Deployment.
        name: Its name.
        namespace: Its namespace.
        spec_replicas: How many replicas it is asked to run.
        resource_version: What a write must name to be refused if somebody wrote first.
        generation: Changes with every edit of its spec.
        observed_generation: The generation its controller has acted on.
        progress_deadline_seconds: After how long without progress it calls itself failed.
        conditions: Its conditions.
        annotations: Its annotations.
    """

    uid: str
    name: str
    namespace: str
    spec_replicas: int
    resource_version: str
    generation: int
    observed_generation: int | None
    progress_deadline_seconds: int | None
    conditions: tuple[DeploymentCondition, ...]
    annotations: Mapping[str, str]

    def find_condition(self, type_: str) -> DeploymentCondition | None:
        """Returns the condition of this type if it is there and True."""
        return next((c for c in self.conditions if c.type == type_ and c.status == "True"), None)

    @property
    def replica_failure(self) -> DeploymentCondition | None:
        """What keeps pods from being made at all: a quota, or Pod Security."""
        return self.find_condition("ReplicaFailure")


@dataclass(frozen=True)
class Observed:
    """One fleet as the cluster shows it in one moment.

    Attributes:
        deployment: The Deployment.
        pods: Every pod of the fleet, whatever its state.
        room_event_at: When the cluster last changed in a way that may make room: a node came or
            became Ready, a quota was raised. Unix seconds; None if never seen.
    """

    deployment: ObservedDeployment
    pods: tuple[ObservedPod, ...]
    room_event_at: float | None = None

    @property
    def spec_replicas(self) -> int:
        """How many replicas the Deployment is asked to run."""
        return self.deployment.spec_replicas

    @cached_property
    def active(self) -> tuple[ObservedPod, ...]:
        """Returns the pods that count towards the replicas."""
        return tuple(pod for pod in self.pods if pod.active)

    @cached_property
    def serving(self) -> tuple[ObservedPod, ...]:
        """Returns the pods that take new requests."""
        return tuple(pod for pod in self.pods if pod.serving)

    @cached_property
    def draining(self) -> tuple[ObservedPod, ...]:
        """Returns the pods being drained, the longest first."""
        marked = (pod for pod in self.active if pod.draining_since is not None)
        return tuple(sorted(marked, key=lambda pod: (pod.draining_since, pod.uid)))

    @cached_property
    def replica_set_count_with_pods(self) -> int:
        """Returns how many ReplicaSets have pods; more than one during a rollout."""
        return len({pod.template_hash for pod in self.active})


def parse_pod(body: Mapping[str, Any]) -> ObservedPod:
    """Returns the pod that a plain Kubernetes dictionary describes.

    Raises:
        ValueError: The body has no name, uid or creation time, so it is not a stored pod.
    """
    metadata: Mapping[str, Any] = body.get("metadata") or {}
    status: Mapping[str, Any] = body.get("status") or {}
    annotations: Mapping[str, str] = metadata.get("annotations") or {}
    conditions = {c.get("type"): c for c in status.get("conditions") or ()}
    ready = conditions.get("Ready", {})
    scheduled = conditions.get("PodScheduled", {})
    is_ready = ready.get("status") == "True"
    ready_changed = _parse_time(ready.get("lastTransitionTime"))
    containers = [
        *(status.get("initContainerStatuses") or ()),
        *(status.get("containerStatuses") or ()),
    ]
    waiting = _find_waiting(containers)
    return ObservedPod(
        uid=_require(metadata, "uid"),
        name=_require(metadata, "name"),
        namespace=str(metadata.get("namespace") or "default"),
        ip=status.get("podIP") or None,
        node=(body.get("spec") or {}).get("nodeName") or None,
        created=_require_time(metadata),
        template_hash=(metadata.get("labels") or {}).get(POD_TEMPLATE_HASH),
        scheduled_since=_parse_scheduled_since(body, scheduled),
        unschedulable_message=_parse_unschedulable(scheduled),
        ready=is_ready,
        ready_since=ready_changed if is_ready else None,
        unready_since=None if is_ready else ready_changed,
        terminating=metadata.get("deletionTimestamp") is not None,
        finished=status.get("phase") in _FINISHED_PHASES,
        waiting_reason=waiting.get("reason") or None,
        waiting_message=waiting.get("message") or None,
        pulling=_is_pulling(status, conditions, containers),
        restarts=sum(int(c.get("restartCount") or 0) for c in containers),
        last_termination=_find_termination(containers),
        draining_since=_parse_number(annotations.get(ANNOTATION_DRAIN_SINCE)),
        deletion_cost=_parse_cost(annotations.get(ANNOTATION_POD_DELETION_COST)),
        sandbox_message=_parse_sandbox(conditions.get("PodReadyToStartContainers", {})),
    )


def parse_deployment(body: Mapping[str, Any]) -> ObservedDeployment:
    """Returns the Deployment that a plain Kubernetes dictionary describes.

    A Deployment that names no replicas runs one: that is the API's own default.

    Raises:
        ValueError: The body has no name or uid, so it is not a stored Deployment.
    """
    metadata: Mapping[str, Any] = body.get("metadata") or {}
    spec: Mapping[str, Any] = body.get("spec") or {}
    status: Mapping[str, Any] = body.get("status") or {}
    replicas = spec.get("replicas")
    return ObservedDeployment(
        uid=_require(metadata, "uid"),
        name=_require(metadata, "name"),
        namespace=str(metadata.get("namespace") or "default"),
        spec_replicas=1 if replicas is None else int(replicas),
        resource_version=str(metadata.get("resourceVersion") or ""),
        generation=int(metadata.get("generation") or 0),
        observed_generation=status.get("observedGeneration"),
        progress_deadline_seconds=spec.get("progressDeadlineSeconds"),
        conditions=tuple(_parse_condition(c) for c in status.get("conditions") or ()),
        annotations=dict(metadata.get("annotations") or {}),
    )


def build_observed(
    deployment: Mapping[str, Any],
    pods: Iterable[Mapping[str, Any]],
    *,
    room_event_at: float | None = None,
) -> Observed:
    """Returns the fleet that these plain Kubernetes dictionaries show, pods ordered by age."""
    parsed = sorted((parse_pod(pod) for pod in pods), key=lambda pod: (pod.created, pod.uid))
    return Observed(parse_deployment(deployment), tuple(parsed), room_event_at)


def _require(metadata: Mapping[str, Any], key: str) -> str:
    value = metadata.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"object {metadata.get('name')!r} has no metadata.{key}: it is not stored")
    return value


def _require_time(metadata: Mapping[str, Any]) -> float:
    created = _parse_time(metadata.get("creationTimestamp"))
    if created is None:
        raise ValueError(
            f"pod {metadata.get('name')!r} has no readable metadata.creationTimestamp:"
            f" {metadata.get('creationTimestamp')!r}"
        )
    return created


def _parse_condition(body: Mapping[str, Any]) -> DeploymentCondition:
    return DeploymentCondition(
        type=str(body.get("type") or ""),
        status=str(body.get("status") or "Unknown"),
        reason=str(body.get("reason") or ""),
        message=str(body.get("message") or ""),
        since=_parse_time(body.get("lastTransitionTime")),
    )


def _parse_scheduled_since(body: Mapping[str, Any], condition: Mapping[str, Any]) -> float | None:
    if condition.get("status") == "True":
        since = _parse_time(condition.get("lastTransitionTime"))
        return since if since is not None else _require_time(body["metadata"])
    if (body.get("spec") or {}).get("nodeName"):  # bound past the scheduler: no condition is set
        return _require_time(body["metadata"])
    return None


def _parse_unschedulable(condition: Mapping[str, Any]) -> str | None:
    # Only a scheduler that looked and found nothing says False; one that has not looked is silent.
    if condition.get("status") != "False":
        return None
    return condition.get("message") or condition.get("reason") or "no reason given"


def _parse_sandbox(condition: Mapping[str, Any]) -> str | None:
    if condition.get("status") != "False":
        return None
    return condition.get("message") or condition.get("reason") or "no reason given"


def _find_waiting(containers: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    for container in containers:
        waiting: Mapping[str, Any] = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") and waiting["reason"] not in _ORDINARY_WAITING:
            return waiting
    return {}


def _is_pulling(
    status: Mapping[str, Any],
    conditions: Mapping[Any, Mapping[str, Any]],
    containers: Iterable[Mapping[str, Any]],
) -> bool:
    # The API has no word for "pulling". Once the sandbox stands (volumes mounted, network up),
    # the next container on its ordinary way up can only be waiting for its image.
    sandbox = conditions.get("PodReadyToStartContainers")
    if not (sandbox.get("status") == "True" if sandbox else status.get("podIP")):
        return False
    for container in containers:
        state: Mapping[str, Any] = container.get("state") or {}
        if "terminated" not in state:
            return (state.get("waiting") or {}).get("reason") in _ORDINARY_WAITING
    return False


def _find_termination(containers: Iterable[Mapping[str, Any]]) -> Termination | None:
    # An init container that ended well is the ordinary case and says nothing.
    for container in containers:
        for state in (container.get("state"), container.get("lastState")):
            ended = (state or {}).get("terminated")
            if ended and not (ended.get("exitCode") == 0 and ended.get("reason") == "Completed"):
                return Termination(
                    reason=str(ended.get("reason") or "Unknown"),
                    exit_code=ended.get("exitCode"),
                    message=str(ended.get("message") or ""),
                    container=str(container.get("name") or ENGINE_CONTAINER),
                    ended_at=_parse_time(ended.get("finishedAt")),
                )
    return None


def _parse_time(text: object) -> float | None:
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo else None


def _parse_number(text: str | None) -> float | None:
    # Anybody may write an annotation: one that is no plain number of seconds marks nothing.
    try:
        value = float(text) if text is not None else None
    except ValueError:
        return None
    return value if value is not None and 0.0 <= value < float("inf") else None


def _parse_cost(text: str | None) -> int | None:
    try:
        return int(text) if text is not None else None
    except ValueError:
        return None
