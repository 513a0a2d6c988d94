"""Why a server pod's container ended, and what to change in the resource. Pure.

What the doctor needs to compute with is in the spec; what it reads is in the pod's status.
"""

from vibethinker_doctor.death import diagnose_end
from vibethinker_doctor.engine_facts import EngineFacts, read_engine_facts
from vibethinker_doctor.finding import Finding
from vibethinker_doctor.kubernetes_view import ContainerFacts, HostMemory
from vibethinker_doctor.wording import tell_in_cluster

from vibethinker_operator.api import Device, Spec
from vibethinker_operator.effective import resolve_engine
from vibethinker_operator.figures import settle_figures
from vibethinker_operator.observed import ObservedPod, Termination
from vibethinker_operator.quantity import parse_quantity
from vibethinker_operator.resources.engine_settings import render_engine_settings
from vibethinker_operator.resources.volumes import SHARED_MEMORY_SIZE


def diagnose_pod(pod: ObservedPod, spec: Spec) -> Finding | None:
    """Returns why a container of the pod last ended; None where nothing tells."""
    ended = pod.last_termination
    return None if ended is None else diagnose_termination(pod.name, ended, spec)


def diagnose_termination(pod: str, ended: Termination, spec: Spec) -> Finding | None:
    """Returns why a container of `pod` ended so; None where nothing tells."""
    limit = spec.resources.limits.memory
    facts = ContainerFacts(
        pod=pod,
        container=ended.container,
        ended_reason=ended.reason,
        exit_code=ended.exit_code,
        memory_limit_bytes=None if limit is None else parse_quantity(limit),
        shared_memory_bytes=parse_quantity(SHARED_MEMORY_SIZE),
    )
    return diagnose_end(facts, ended.message, engine_facts(spec), host_memory(spec))


def describe_death(pod: ObservedPod, spec: Spec) -> str | None:
    """Returns cause and remedy of the pod's last end in one sentence; None where nothing tells."""
    finding = diagnose_pod(pod, spec)
    return None if finding is None else f"pod {pod.name}: {tell_in_cluster(finding)}"


def engine_facts(spec: Spec) -> EngineFacts:
    """Returns what the fleet's engines are told."""
    return read_engine_facts(render_engine_settings(spec))


def host_memory(spec: Spec) -> HostMemory:
    """Returns what an engine takes of its container's memory, as far as the spec tells."""
    engine = resolve_engine(spec)
    if engine.device is not Device.CPU:
        return HostMemory()
    weights = settle_figures(spec).weights_bytes
    return HostMemory(weights_bytes=weights, kv_pool_bytes=engine.kv_cache_memory_bytes)
