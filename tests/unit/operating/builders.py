"""A resource and its children as the API server sends them, a cluster and pods that answer.

The cluster keeps what was written and fails where a test says so; time moves when a test moves it.
"""

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from vibethinker_operator.api import parse_deployment
from vibethinker_operator.clock import Clock
from vibethinker_operator.cluster import Cluster
from vibethinker_operator.errors import ClusterError
from vibethinker_operator.fleet import Fleet, read_fleet
from vibethinker_operator.images import DefaultImages
from vibethinker_operator.inventory import Snapshot
from vibethinker_operator.paths import collection_path
from vibethinker_operator.resources import build_deployment, choose_template
from vibethinker_operator.samples import Sample, SampleRefused
from vibethinker_operator.scrape import FleetScraper, Target

from tests.unit.operator_api.resource import IMAGES, UID

Body = dict[str, Any]
Failure = Exception | None

START = 1_800_000_000.0
ROOT_KEY = bytes(range(32))
DEFAULTS = DefaultImages(package=IMAGES.package, engine_gpu=IMAGES.engine)
MADE: Body = {"uid": "d-1", "resourceVersion": "70", "generation": 1}
UP_TO_THREE: Body = {"scaling": {"maxReplicas": 3}}


def stamp(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def make_body(spec: Body | None = None, *, name: str = "chat", **metadata: Any) -> Body:
    """A resource, with whatever of its metadata a test wants otherwise."""
    return {
        "apiVersion": "vibethinker.io/v1alpha1",
        "kind": "VibeThinkerDeployment",
        "metadata": {"name": name, "namespace": "team", "uid": UID, "generation": 3} | metadata,
        "spec": spec or {},
    }


def make_deployment(resource: Body, replicas: int = 1, *conditions: Body) -> Body:
    """The Deployment that this operator would have made for `resource`."""
    parsed = parse_deployment(resource)
    choice = choose_template(parsed, offered=IMAGES, stored=None)
    body = build_deployment(parsed, choice)
    body["metadata"] |= MADE
    body["spec"]["replicas"] = replicas
    return body | {"status": {"conditions": list(conditions)}}


def make_pod(name: str = "a", *, ready: bool = True, **status: Any) -> Body:
    """A pod that has been Ready for an hour, or one that was just made."""
    since = stamp(START - 3600 if ready else START)
    conditions = [
        {"type": "PodScheduled", "status": "True", "lastTransitionTime": since},
        {"type": "Ready", "status": str(ready), "lastTransitionTime": since},
    ]
    return {
        "metadata": {
            "name": f"chat-{name}",
            "namespace": "team",
            "uid": name,
            "creationTimestamp": since,
            "labels": {"pod-template-hash": "h1"},
            "annotations": {},
        },
        "spec": {"nodeName": "gpu-1"},
        "status": {"phase": "Running", "podIP": "10.0.0.7", "conditions": conditions} | status,
    }


def make_snapshot(
    resource: Body | None = None, *pods: Body, replicas: int | None = None, deployed: bool = True
) -> Snapshot:
    resource = resource or make_body()
    wanted = len(pods) if replicas is None else replicas
    return Snapshot(resource, make_deployment(resource, wanted) if deployed else None, pods)


def make_fleet(resource: Body | None = None, *pods: Body, **how: Any) -> Fleet:
    return read_fleet(make_snapshot(resource, *pods, **how), DEFAULTS)


@dataclass
class Time:
    """What both clocks of the process show."""

    now: float = START

    def clock(self) -> Clock:
        return Clock(wall=lambda: self.now, monotonic=lambda: self.now)


class FakeCluster(Cluster):
    """Keeps what is written, by kind and name; `fail` makes a call raise instead."""

    def __init__(self, *objects: Body) -> None:
        self.objects = {key_of(body): deepcopy(body) for body in objects}
        self.calls: list[tuple[str, Any]] = []
        self.statuses: list[Body] = []
        self.events: list[Body] = []
        self.fail: Callable[[str, Mapping[str, Any]], Failure] = lambda _call, _manifest: None
        self.closed = False

    async def close(self) -> None:
        self.closed = True

    async def read(self, manifest: Mapping[str, Any], subresource: str = "") -> Body | None:
        self._call("read", manifest, subresource)
        return deepcopy(self.objects.get(key_of(manifest)))

    async def check_list(self, path: str) -> None:
        self._call("check_list", {"kind": "List"}, path)

    async def create(self, manifest: Mapping[str, Any]) -> bool:
        collection_path(manifest)  # the real one raises where it knows no path
        self._call("create", manifest, manifest["kind"])
        if manifest["kind"] == "Event":
            self.events.append(dict(manifest))
        if manifest["kind"] == "Job":
            manifest = {**manifest, "metadata": {**manifest["metadata"], "uid": "j-1"}}
        fresh = key_of(manifest) not in self.objects
        self.objects.setdefault(key_of(manifest), dict(manifest))
        return fresh

    async def apply(self, manifest: Mapping[str, Any], *, force: bool) -> None:
        self._call("apply", manifest, (manifest["kind"], force))
        before = self.objects.get(key_of(manifest), {"metadata": MADE, "spec": {"replicas": 1}})
        kept = {name: before["metadata"][name] for name in MADE}
        after = dict(manifest) | {"metadata": manifest["metadata"] | kept}
        if manifest["kind"] == "Deployment":  # what an apply does not name stays
            after["spec"] = {"replicas": before["spec"]["replicas"]} | manifest["spec"]
        self.objects[key_of(manifest)] = after

    async def apply_status(self, resource: Mapping[str, Any], status: Mapping[str, Any]) -> None:
        self._call("apply_status", resource, status)
        self.statuses.append(dict(status))

    async def apply_replicas(
        self, deployment: Mapping[str, Any], replicas: int, resource_version: str
    ) -> None:
        self._call("apply_replicas", deployment, (replicas, resource_version))
        self.objects[key_of(deployment)]["spec"]["replicas"] = replicas

    async def annotate(
        self, manifest: Mapping[str, Any], annotations: Mapping[str, str | None]
    ) -> None:
        self._call("annotate", manifest, (manifest["metadata"]["name"], dict(annotations)))

    def done(self, call: str) -> list[Any]:
        return [what for name, what in self.calls if name == call]

    @property
    def told(self) -> list[str]:
        return [event["reason"] for event in self.events]

    def _call(self, call: str, manifest: Mapping[str, Any], what: Any) -> None:
        failure = self.fail(call, manifest)
        if failure is not None:
            raise failure
        self.calls.append((call, what))


def key_of(body: Mapping[str, Any]) -> tuple[str, str]:
    return body["kind"], body["metadata"]["name"]


def failing(call: str, error: ClusterError, kind: str = "") -> Callable[..., Failure]:
    """Every such call, or those for objects of `kind`, fails with `error`."""
    return lambda name, body: error if name == call and kind in ("", body["kind"]) else None


@dataclass
class Pods(FleetScraper):
    """Pods that answer with `readings`; one without a reading does not answer at all."""

    time: Time
    readings: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[Target] = field(default_factory=list)
    drains: list[tuple[str, str]] = field(default_factory=list)
    refused_as: str = "timeout"

    async def sweep(self, targets: Iterable[Target]) -> tuple[Sample | SampleRefused, ...]:
        self.asked = list(targets)
        return tuple(self._read(target.pod_uid) for target in self.asked)

    async def mark_drain(self, target: Target) -> SampleRefused | None:
        self.drains.append(("mark", target.pod_uid))
        return None

    async def undo_drain(self, target: Target) -> SampleRefused | None:
        self.drains.append(("undo", target.pod_uid))
        return None

    def _read(self, uid: str) -> Sample | SampleRefused:
        if uid not in self.readings:
            return SampleRefused(uid, self.time.now, self.refused_as, "no whole answer within 2 s")
        return Sample(uid, self.time.now, **self.readings[uid])
