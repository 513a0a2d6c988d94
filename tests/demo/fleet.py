"""What the API and the pods said in one sweep, folded into rows. Pure: nothing is read here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from prometheus_client.parser import text_string_to_metric_families as parse_families
from prometheus_client.samples import Sample as PageSample

from tests.demo import names
from tests.demo.rows import Sample

Object = Mapping[str, Any]


@dataclass(frozen=True)
class Page:
    """The series of one pod's metrics page that the demo reads; absent is None."""

    live: float | None = None
    raw: float | None = None
    kv_use: float | None = None
    queue: int | None = None
    running: int | None = None
    in_flight: int | None = None
    rejected: int | None = None
    draining: bool = False


def parse_page(text: str) -> Page:
    """The page of one pod.

    Raises:
        ValueError: the text is no metrics page.
    """
    values: dict[str, float] = {}
    pool: dict[str, float] = {}
    for sample in _read_samples(text):
        values[sample.name] = values.get(sample.name, 0.0) + sample.value
        if sample.name == names.MEMORY_BYTES:
            pool[sample.labels.get("kind", "")] = sample.value
    return Page(
        live=values.get(names.LIVE),
        raw=values.get(names.RAW),
        kv_use=_share(pool.get("kv_used"), pool.get("kv_idle")),
        queue=_whole(values.get(names.QUEUE)),
        running=_whole(values.get(names.RUNNING)),
        in_flight=_whole(values.get(names.IN_FLIGHT)),
        rejected=_whole(values.get(names.REJECTED)),
        draining=bool(values.get(names.DRAINING)),
    )


def _read_samples(text: str) -> list[PageSample]:
    try:
        return [sample for family in parse_families(text) for sample in family.samples]
    except (ValueError, IndexError, KeyError) as error:
        raise ValueError(f"no metrics page: {text[:60]!r}") from error


def _read_need(inputs: Mapping[str, str], name: str) -> int | None:
    """A number among the decision's inputs, which the status keeps as text."""
    text = inputs.get(name)
    return None if text is None else int(float(text))


def _share(used: float | None, idle: float | None) -> float | None:
    if used is None or idle is None or used + idle <= 0:
        return None
    return used / (used + idle)


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def fold_fleet(time: float, phase: str, custom: Object, deployment: Object) -> Sample:
    """A row without a pod that holds what the custom resource and its Deployment say."""
    status = custom.get("status", {})
    decision = status.get("decision") or {}
    inputs = decision.get("inputs") or {}
    return Sample(
        time=time,
        pod="",
        phase=phase,
        replicas=deployment.get("status", {}).get("replicas", 0),
        ready_replicas=deployment.get("status", {}).get("readyReplicas", 0),
        desired=deployment.get("spec", {}).get("replicas"),
        max_replicas=custom.get("spec", {}).get("scaling", {}).get("maxReplicas"),
        decision_desired=decision.get("desiredReplicas"),
        decision_rule=str(decision.get("rule") or ""),
        decision_reason=str(decision.get("reason") or ""),
        decision_message=str(decision.get("message") or ""),
        decision_time=_parse_time(decision.get("time")),
        memory_need=_read_need(inputs, "memoryNeed"),
        queue_need=_read_need(inputs, "queueNeed"),
    )


def fold_pod(fleet: Sample, pod: Object, page: Page | None) -> Sample:
    """The fleet's row for one of its pods; a pod that did not answer keeps unknown values."""
    page = page or Page()
    since = pod["metadata"].get("annotations", {}).get(names.DRAIN_SINCE)
    return replace(
        fleet,
        pod=pod["metadata"]["name"],
        live=page.live,
        raw=page.raw,
        kv_use=page.kv_use,
        queue=page.queue,
        running=page.running,
        in_flight=page.in_flight,
        rejected=page.rejected,
        ready=_has_condition(pod, "Ready"),
        draining=page.draining or since is not None,
        drain_since=None if since is None else float(since),
        waiting=_why_waiting(pod),
    )


def _conditions(pod: Object) -> Sequence[Object]:
    return list(pod.get("status", {}).get("conditions", ()))


def _has_condition(pod: Object, kind: str) -> bool:
    return any(c["type"] == kind and c["status"] == "True" for c in _conditions(pod))


def _why_waiting(pod: Object) -> str:
    """Why a pod does not run yet, in the kubelet's or the scheduler's own words."""
    for condition in _conditions(pod):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return f"{condition.get('reason', '')}: {condition.get('message', '')}"
    status = pod.get("status", {})
    for state in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
        if waiting := state.get("state", {}).get("waiting"):
            return str(waiting.get("reason", ""))
    return "" if _has_condition(pod, "Ready") else "NotReady"


def _parse_time(text: str | None) -> float | None:
    return None if not text else datetime.fromisoformat(text).timestamp()
