"""What a pod carries, in bytes and requests, and the live-memory formula. Pure.

Anything unknown is None: never 0, which would read as idle, and never 1.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """One reading of the device: its memory and what of it is in use, in bytes."""

    total_bytes: int
    used_bytes: int


@dataclass(frozen=True, slots=True)
class EngineReading:
    """What the engine last said of itself. `steps` only grows while the engine works."""

    running: int
    waiting: int
    kv_usage_ratio: float


@dataclass(frozen=True, slots=True)
class MemoryKinds:
    """The device's use by kind, in bytes; the kinds sum to it. Weights unknown: in `other`."""

    weights: int | None
    kv_used: int
    kv_idle: int
    other: int


@dataclass(frozen=True, slots=True)
class AfterStart:
    """What was in use when the engine had just begun to serve, in bytes; None: not known.

    Attributes:
        live_bytes: of the device, without the KV pool.
        resident_bytes: anonymous memory of the server's processes.
    """

    live_bytes: int | None
    resident_bytes: int | None


@dataclass(frozen=True, slots=True)
class Load:
    """The load of this pod at one moment. Ratios are 0 to 1."""

    memory_used_ratio: float | None = None
    device: DeviceMemory | None = None
    kv_usage_ratio: float | None = None
    running: int | None = None
    queue_length: int | None = None

    @property
    def device_memory_used_ratio(self) -> float | None:
        """The device's raw use over its memory."""
        return None if self.device is None else self.device.used_bytes / self.device.total_bytes


def live_memory_ratio(device: DeviceMemory, pool_bytes: int, kv_usage_ratio: float) -> float | None:
    """Returns (U - P(1 - u)) / D, or None where the readings contradict each other.

    U is the device's use, D its memory, P the KV pool and u the share of its blocks in use: the
    engine takes the whole pool when it starts, so that raw use says nothing about load.
    """
    live = device.used_bytes - pool_bytes * (1 - kv_usage_ratio)
    ratio = live / device.total_bytes
    return ratio if 0 <= ratio <= 1 else None


def split_memory(
    device: DeviceMemory, pool_bytes: int, kv_usage_ratio: float, weights_bytes: int | None
) -> MemoryKinds | None:
    """Returns the device's use by kind, or None where the parts exceed the whole."""
    kv_used = round(pool_bytes * kv_usage_ratio)
    other = device.used_bytes - pool_bytes - (weights_bytes or 0)
    if other < 0:
        return None
    return MemoryKinds(weights_bytes, kv_used, pool_bytes - kv_used, other)


def queue_length(in_flight: int, running: int, waiting: int, max_num_seqs: int) -> int:
    """Returns how many requests were let in and do not run: the engine's queue and what will join.

    Requests that the engine has not reported yet take its free seats first, but only while nobody
    waits: a queue beside free seats means that memory, not seats, is what is short.
    """
    unseen = max(0, in_flight - running - waiting)
    seats = max(0, max_num_seqs - running) if waiting == 0 else 0
    return waiting + max(0, unseen - seats)


def measure(
    *,
    device: DeviceMemory | None,
    pool_bytes: int | None,
    reading: EngineReading | None,
    in_flight: int,
    max_num_seqs: int,
) -> Load:
    """Returns the load that these readings show together; each of them may be unknown."""
    if reading is None:
        return Load(device=device)
    usage = reading.kv_usage_ratio
    ratio = None
    if device is not None and pool_bytes is not None:
        ratio = live_memory_ratio(device, pool_bytes, usage)
    return Load(
        memory_used_ratio=ratio,
        device=device,
        kv_usage_ratio=usage,
        running=reading.running,
        queue_length=queue_length(in_flight, reading.running, reading.waiting, max_num_seqs),
    )
