"""How full memory can get at most, and so whether the memory line can ever be crossed. Pure.

    highest memory_used_ratio = (weights and other + smaller of KV pool and longest sequences) / D

With few or short sequences the line lies above that: only the queue tells then that a fleet is
full, and its owner should know.
"""

import math
from dataclasses import dataclass
from typing import Final

from vibethinker_operator.api import Device, Dtype, KvCacheDtype, Source, Spec
from vibethinker_operator.card import GIB, card_memory_bytes
from vibethinker_operator.effective import EffectiveEngine, resolve_engine
from vibethinker_operator.quantity import parse_quantity

MODEL: Final = "WeiboAI/VibeThinker-1.5B"

PARAMETERS: Final = 1_543_714_304
"""Parameters of the model, embeddings counted once (they are tied)."""

LAYERS: Final = 28
KV_HEADS: Final = 2
HEAD_SIZE: Final = 128
"""From the model's config.json (a Qwen2 of 1.5B)."""

BYTES_PER_VALUE: Final = 2
"""Float16 and BFloat16."""

WEIGHTS_BYTES: Final = PARAMETERS * BYTES_PER_VALUE
"""3,087,428,608."""

KV_BYTES_PER_TOKEN: Final = 2 * LAYERS * KV_HEADS * HEAD_SIZE * BYTES_PER_VALUE
"""28,672: a key and a value per layer and head."""

OVERHEAD_BYTES: Final = GIB
"""CUDA context, activations of one step, logits, CUDA graphs: assumed until a pod has reported
what it really is."""


@dataclass(frozen=True, kw_only=True)
class Reachability:
    """Whether the memory line can be crossed.

    Attributes:
        reachable: None where it cannot be known yet.
        percentage: highest memory_used_ratio in percent, rounded up; None likewise.
        message: the same for people, with what follows from it.
    """

    reachable: bool | None
    percentage: int | None
    message: str


@dataclass(frozen=True, kw_only=True)
class Capacity:
    """What one replica on a GPU has room for, before any pod has run there.

    Attributes:
        pool_bytes: size of the KV pool.
        tokens: tokens that fit the pool, in whole blocks.
        sequences: sequences of full length (`engine.maxModelLen`) that fit it at once.
    """

    pool_bytes: int
    tokens: int
    sequences: int


def expect_capacity(spec: Spec, device_bytes: int) -> Capacity:
    """Returns what a GPU of `device_bytes` has room for beside VibeThinker-1.5B."""
    engine = resolve_engine(spec)
    pool_bytes = _pool_bytes(engine, device_bytes, WEIGHTS_BYTES + OVERHEAD_BYTES)
    block_bytes = engine.block_size * _kv_bytes_per_token(spec, engine)
    blocks = pool_bytes // block_bytes
    return Capacity(
        pool_bytes=pool_bytes,
        tokens=blocks * engine.block_size,
        sequences=blocks // math.ceil(engine.max_model_len / engine.block_size),
    )


def assess_memory_line(
    spec: Spec,
    *,
    observed_non_kv_bytes: int | None = None,
    observed_device_bytes: int | None = None,
) -> Reachability:
    """Returns whether the fleet's memory line can be crossed at all.

    Args:
        spec: what the fleet is to be.
        observed_non_kv_bytes: memory in use beside the KV pool, as a pod reports it.
        observed_device_bytes: memory of the device (on CPU the container's limit), likewise.
    """
    engine = resolve_engine(spec)
    device_bytes = observed_device_bytes or expected_device_bytes(spec)
    non_kv_bytes = observed_non_kv_bytes or _expected_non_kv_bytes(spec)
    if device_bytes is None:
        return _unknown("the memory of the device is unknown until a pod reports it")
    if non_kv_bytes is None:
        return _unknown(
            "the memory that weights and runtime take is unknown until a pod reports it"
        )
    full_bytes = non_kv_bytes + _highest_kv_bytes(spec, engine, device_bytes, non_kv_bytes)
    return _compare(100 * full_bytes / device_bytes, spec.saturation.memory_used_percentage)


def expected_device_bytes(spec: Spec) -> int | None:
    """Returns the device's memory as the spec tells it, in bytes; None where it does not."""
    if spec.engine.device is Device.GPU:
        return card_memory_bytes(spec.gpu.product)
    limit = spec.resources.limits.memory
    return None if limit is None else parse_quantity(limit)


def highest_memory_bytes(*, sequences: int, tokens: int) -> int:
    """Returns what VibeThinker-1.5B takes in Float16 with `sequences` of `tokens` each."""
    return WEIGHTS_BYTES + OVERHEAD_BYTES + sequences * tokens * KV_BYTES_PER_TOKEN


def _is_vibethinker(spec: Spec) -> bool:
    return spec.model.source is not Source.VOLUME and spec.model.repository == MODEL


def _expected_non_kv_bytes(spec: Spec) -> int | None:
    # On CPU the processes' own memory is far from the card's overhead: only a pod can tell.
    known = _is_vibethinker(spec) and spec.engine.device is Device.GPU
    return WEIGHTS_BYTES + OVERHEAD_BYTES if known else None


def _highest_kv_bytes(
    spec: Spec, engine: EffectiveEngine, device_bytes: int, non_kv_bytes: int
) -> int:
    pool_bytes = _pool_bytes(engine, device_bytes, non_kv_bytes)
    if not _is_vibethinker(spec):
        # Another model's bytes per token are unknown: the pool is still a true upper bound.
        return pool_bytes
    blocks = math.ceil(engine.max_model_len / engine.block_size)
    sequence_bytes = blocks * engine.block_size * _kv_bytes_per_token(spec, engine)
    return min(pool_bytes, engine.max_num_seqs * sequence_bytes)


def _kv_bytes_per_token(spec: Spec, engine: EffectiveEngine) -> int:
    if spec.engine.flags.kv_cache_dtype is KvCacheDtype.FP8:
        return KV_BYTES_PER_TOKEN // 2
    return KV_BYTES_PER_TOKEN * (2 if engine.dtype is Dtype.FLOAT32 else 1)


def _pool_bytes(engine: EffectiveEngine, device_bytes: int, non_kv_bytes: int) -> int:
    if engine.kv_cache_memory_bytes is not None:
        return engine.kv_cache_memory_bytes
    share = (engine.gpu_memory_utilization_percentage or 0) / 100
    return max(0, int(device_bytes * share) - non_kv_bytes)


def _unknown(message: str) -> Reachability:
    return Reachability(reachable=None, percentage=None, message=message)


def _compare(highest_percentage: float, line: int) -> Reachability:
    percentage, reachable = math.ceil(highest_percentage), highest_percentage >= line
    if reachable:
        message = f"up to {percentage} % at full length: the line of {line} % can be crossed"
    else:
        # 74.7 rounded up would read as if the line of 75 were reached.
        near = min(round(highest_percentage, 1), line - 0.1)
        shown = f"{percentage}" if percentage < line else f"{near:.1f}"
        message = (
            f"at most {shown} % at full length, below the line of {line} %: queue length decides"
            " here"
        )
    return Reachability(reachable=reachable, percentage=percentage, message=message)
