"""What Kubernetes says of a server pod, as findings. Pure.

The cluster names what it did (OOMKilled, Unschedulable), never which field of the resource would
have prevented it: that is computed here.
"""

import re
from dataclasses import dataclass

from vibethinker_doctor.amounts import GIB, show_bytes
from vibethinker_doctor.engine_facts import NOTHING_KNOWN, EngineFacts
from vibethinker_doctor.finding import Finding
from vibethinker_doctor.words import clip

OOM_KILLED = "OOMKilled"
SIGKILL_EXIT_CODE = 137
ENGINE_CONTAINER = "engine"

PROCESSES_BYTES = 2 * 900_000_000
"""What the API server and the engine's process take beside weights and KV on a CPU: 0.9 GB each,
measured with vLLM 0.32."""
MARGIN = 1.15
"""Over what is counted, since the weights are read into memory beside their final place."""
BLIND_FACTOR = 1.5
"""By which a limit is raised where nothing tells how much is needed."""

MEMORY_LIMIT, POOL = "resources.limits.memory", "engine.kvCacheMemoryBytes"

SCHEDULING = (
    (
        "Insufficient {device}",
        "NoFreeGpu",
        "no node has a free GPU",
        "free one, add a node, or ask for fewer replicas",
        "scaling.maxReplicas",
    ),
    (
        "Insufficient memory",
        "NodeMemoryTooSmall",
        "no node has the memory that the pod asks for",
        "ask for less, or add a larger node",
        "resources.requests.memory",
    ),
    (
        "Insufficient cpu",
        "NodeCpuTooSmall",
        "no node has the processors that the pod asks for",
        "ask for fewer, or add a larger node",
        "resources.requests.cpu",
    ),
    (
        "untolerated taint",
        "NodesTainted",
        "every node that would fit has a taint that the pod does not tolerate",
        "tolerate the taint, or take it from a node",
        "scheduling.tolerations",
    ),
    (
        "node affinity/selector",
        "NoNodeSelected",
        "no node has the labels that the pod asks for",
        "correct nodeSelector, affinity or gpu.product, or label a node",
        "scheduling.nodeSelector",
    ),
)
"""The scheduler's words, the scarcest first, and what each means: code, cause, remedy, field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerFacts:
    """How a container of a server pod stands, in the kubelet's words; None: not said.

    Attributes:
        pod: the pod's name.
        container: the container's name.
        ended_reason: why it last ended, such as `OOMKilled` or `Error`.
        exit_code: its exit status.
        waiting_reason: why it waits now, where that is not on its ordinary way up.
        waiting_message: the sentence for it.
        restarts: how often it was restarted.
        memory_limit_bytes: its memory limit.
        shared_memory_bytes: size of /dev/shm, which counts as the container's memory.
    """

    pod: str
    container: str = ENGINE_CONTAINER
    ended_reason: str | None = None
    exit_code: int | None = None
    waiting_reason: str | None = None
    waiting_message: str | None = None
    restarts: int = 0
    memory_limit_bytes: int | None = None
    shared_memory_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostMemory:
    """What an engine on a CPU is known to take of its container, in bytes; None: not known."""

    weights_bytes: int | None = None
    kv_pool_bytes: int | None = None


NO_MEMORY_KNOWN = HostMemory()


def find_end(
    facts: ContainerFacts,
    engine: EngineFacts = NOTHING_KNOWN,
    memory: HostMemory = NO_MEMORY_KNOWN,
) -> Finding | None:
    """Returns what ended the container, where the kubelet's word alone tells; else None."""
    if facts.ended_reason == OOM_KILLED:
        return _explain_oom(facts, engine, memory)
    if facts.exit_code == SIGKILL_EXIT_CODE:
        return Finding(
            code="EngineProcessKilled",
            cause=f"container {facts.container} was ended by SIGKILL",
            evidence=f"pod {facts.pod}, container {facts.container}: {facts.ended_reason}, exit"
            f" code {facts.exit_code}",
            remedy="see the pod's Events: the node's memory ran out, or a probe failed for too"
            " long",
        )
    return None


def find_waiting(facts: ContainerFacts) -> Finding | None:
    """Returns what the container waits for, where a person can end that; else None."""
    match facts.waiting_reason:
        case "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull":
            return _explain_image(facts)
        case "CreateContainerConfigError":
            return Finding(
                code="ContainerConfigMissing",
                cause=f"container {facts.container} of pod {facts.pod} lacks a Secret or ConfigMap",
                evidence=_evidence(facts),
                remedy="make what the message names, with the keys that the reference lists",
            )
    return None


def find_unschedulable(pod: str, message: str, resource_name: str = "nvidia.com/gpu") -> Finding:
    """Returns why no node takes `pod`, from the scheduler's `message`."""
    said = clip(f"pod {pod}: {message}")
    for text, code, cause, remedy, field in SCHEDULING:
        if text.format(device=resource_name) in message:
            return Finding(code=code, cause=cause, evidence=said, remedy=remedy, field=field)
    return Finding(
        code="Unschedulable",
        cause="no node takes the pod",
        evidence=said,
        remedy="see which of these reasons a node can be rid of: kubectl describe nodes",
    )


def find_refused(message: str) -> Finding:
    """Returns why the Deployment could not make a pod, from its ReplicaFailure `message`."""
    if "exceeded quota" in message:
        quota = re.search(r"exceeded quota: ([\w.-]+)", message)
        named = f" {quota[1]}" if quota else ""
        return Finding(
            code="QuotaExceeded",
            cause=f"the namespace's quota{named} lets no further pod in",
            evidence=clip(message),
            remedy="raise the quota, or ask for fewer replicas",
            field="scaling.maxReplicas",
        )
    if "violates PodSecurity" in message:
        return Finding(
            code="PodSecurityRefused",
            cause="the namespace's Pod Security level refuses the pod",
            evidence=clip(message),
            remedy="our pods fit level restricted: another admission rule or an edited template is"
            " in the way",
        )
    return Finding(
        code="PodRefused",
        cause="the API server refuses the pod",
        evidence=clip(message),
        remedy="change what the message names",
    )


def find_unmounted(message: str) -> Finding:
    """Returns why a pod's volumes are not mounted, from the Event FailedMount."""
    return Finding(
        code="VolumeNotMounted",
        cause="a volume of the pod cannot be mounted",
        evidence=clip(message),
        remedy="make the Secret, ConfigMap or claim that the message names",
    )


def proposed_limit_bytes(limit: int | None, memory: HostMemory) -> int | None:
    """Returns the memory limit to set, in bytes: whole GiB; None where nothing is known.

    What the engine takes, where that is known and more than the limit, else half as much again. A
    part that is not known counts as nothing: the others are needed all the same.
    """
    parts = (memory.weights_bytes, memory.kv_pool_bytes)
    known = [part for part in parts if part is not None]
    needed = (sum(known) + PROCESSES_BYTES) * MARGIN if known else 0.0
    if limit is None:
        return _whole_gib(needed) if needed else None
    return _whole_gib(needed if needed > limit else limit * BLIND_FACTOR)


def _explain_oom(facts: ContainerFacts, engine: EngineFacts, memory: HostMemory) -> Finding:
    limit = facts.memory_limit_bytes
    shown = "no memory limit is known" if limit is None else f"its limit is {show_bytes(limit)}"
    shared = facts.shared_memory_bytes
    shm = "" if not shared else f", of which /dev/shm may take {show_bytes(shared)}"
    ended = f"{facts.ended_reason or 'ended'}, exit code {facts.exit_code}"
    evidence = f"pod {facts.pod}, container {facts.container}: {ended}; {shown}{shm}"
    cause = f"container {facts.container} was ended by its memory limit"
    if facts.container != ENGINE_CONTAINER:
        remedy = "its limit is ours and fixed: report this, and see what else fills the node"
        return Finding(code=OOM_KILLED, cause=cause, evidence=evidence, remedy=remedy)
    pool = engine.kv_cache_memory_bytes if engine.device == "CPU" else None
    known = HostMemory(
        weights_bytes=memory.weights_bytes,
        kv_pool_bytes=pool if memory.kv_pool_bytes is None else memory.kv_pool_bytes,
    )
    large = pool is not None and limit is not None and pool > limit // 2
    also = f", or make the KV cache smaller ({POOL}: {show_bytes(pool or 0)} now)" if large else ""
    proposed = proposed_limit_bytes(limit, known)
    return Finding(
        code=OOM_KILLED,
        cause=cause,
        evidence=evidence,
        remedy=f"give the pod more memory{also}",
        field=MEMORY_LIMIT,
        value=None if proposed is None else f"{proposed // GIB}Gi",
    )


def _explain_image(facts: ContainerFacts) -> Finding:
    engine = facts.container == ENGINE_CONTAINER
    return Finding(
        code="ImageNotPulled",
        cause=f"the image of container {facts.container} of pod {facts.pod} cannot be pulled",
        evidence=_evidence(facts),
        remedy="name an image that the node's registry has, and give imagePullSecrets where it"
        " asks for a login",
        field="engine.image" if engine else None,
    )


def _evidence(facts: ContainerFacts) -> str:
    said = facts.waiting_message or "the kubelet gives no message"
    return clip(f"pod {facts.pod}: {facts.waiting_reason}: {said}")


def _whole_gib(byte_count: float) -> int:
    return -(-int(byte_count) // GIB) * GIB
