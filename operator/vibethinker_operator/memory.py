"""Live memory of a fleet: what is in use without the idle part of the KV pools."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Final, NamedTuple

from vibethinker_operator.samples import Sample

SAME_DEVICE_SHARE: Final = 0.05
"""Cards of one kind report the same memory to within a few percent."""


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """Live memory of the known pods, in bytes.

    Attributes:
        used_ratio: Live memory of all Ready pods over their device memory (0 to 1).
        non_kv_bytes: N, non-KV bytes of one replica.
        kv_used_bytes: K, KV bytes in use over all known pods.
        device_bytes: D, memory of one device.
        pool_bytes: P, KV pool of one replica; None if a pod does not say.
        mixed_devices: Whether the pods sit on different cards. N, D and P are then those of the
            pod with the least room.
    """

    used_ratio: float
    non_kv_bytes: float
    kv_used_bytes: float
    device_bytes: float
    pool_bytes: float | None
    mixed_devices: bool


class PodMemory(NamedTuple):
    """Memory of one pod, in bytes."""

    device: float
    non_kv: float
    kv_used: float
    pool: float | None
    serving: bool

    @property
    def live(self) -> float:
        """Bytes in use, the idle part of the pool left out."""
        return self.non_kv + self.kv_used

    @property
    def room(self) -> float:
        """Bytes that are left for KV."""
        return self.device - self.non_kv


def read_memory(sample: Sample | None, *, serving: bool) -> PodMemory | None:
    """Returns the memory that a reading tells, or None if it does not tell enough."""
    if sample is None or not sample.device_memory_bytes:
        return None
    if sample.non_kv_bytes is None or sample.kv_used_bytes is None:
        return None
    return PodMemory(
        sample.device_memory_bytes,
        sample.non_kv_bytes,
        sample.kv_used_bytes,
        sample.pool_bytes,
        serving,
    )


def fold_memory(pods: Iterable[PodMemory | None]) -> MemoryUse | None:
    """Returns the memory of the pods that tell theirs, or None if none does."""
    known = [pod for pod in pods if pod is not None]
    if not known:
        return None
    serving = [pod for pod in known if pod.serving] or known
    smallest = min(pod.device for pod in known)
    mixed = max(pod.device for pod in known) > smallest * (1 + SAME_DEVICE_SHARE)
    # On cards of one kind the median: one odd reading must not size the fleet.
    sizing = [min(known, key=lambda pod: pod.room)] if mixed else known
    pools = [pod.pool for pod in sizing if pod.pool is not None]
    return MemoryUse(
        used_ratio=sum(pod.live for pod in serving) / sum(pod.device for pod in serving),
        non_kv_bytes=median(pod.non_kv for pod in sizing),
        kv_used_bytes=sum(pod.kv_used for pod in known),
        device_bytes=median(pod.device for pod in sizing),
        pool_bytes=median(pools) if len(pools) == len(sizing) else None,
        mixed_devices=mixed,
    )
