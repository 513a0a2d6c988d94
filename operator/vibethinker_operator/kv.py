"""What the KV pool holds, and how full memory can get at most: whether the line is in reach. Pure.

    highest memory_used_ratio = (weights and other + smaller of KV pool and longest sequences) / D

With few or short sequences the line lies above that: only the queue tells then that a fleet is
full, and its owner should know.
"""

import math
from dataclasses import dataclass

from vibethinker_operator.api import Spec
from vibethinker_operator.effective import EffectiveEngine, resolve_engine
from vibethinker_operator.figures import NOTHING_TOLD, Figures, settle_figures


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
    """What one replica has room for.

    Attributes:
        pool_bytes: size of the KV pool.
        tokens: tokens that fit the pool, in whole blocks.
        sequences: sequences of full length (`engine.maxModelLen`) that fit it at once.
    """

    pool_bytes: int
    tokens: int
    sequences: int


def assess_capacity(spec: Spec, told: Figures = NOTHING_TOLD) -> Capacity | None:
    """Returns what one replica has room for, None where too little is known.

    Args:
        spec: what the fleet is to be.
        told: what its pods say.
    """
    engine, figures = resolve_engine(spec), settle_figures(spec, told)
    pool_bytes = _pool_bytes(engine, figures)
    if pool_bytes is None or figures.kv_token_bytes is None:
        return None
    blocks = pool_bytes // (engine.block_size * figures.kv_token_bytes)
    return Capacity(
        pool_bytes=pool_bytes,
        tokens=blocks * engine.block_size,
        sequences=blocks // _blocks_of_a_sequence(engine),
    )


def assess_memory_line(spec: Spec, told: Figures = NOTHING_TOLD) -> Reachability:
    """Returns whether the fleet's memory line can be crossed at all.

    Args:
        spec: what the fleet is to be.
        told: what its pods say.
    """
    engine, figures = resolve_engine(spec), settle_figures(spec, told)
    if figures.device_bytes is None:
        return _unknown("the memory of the device is unknown until a pod reports it")
    if figures.non_kv_bytes is None:
        return _unknown(
            "the memory that weights and runtime take is unknown until a pod reports it"
        )
    full_bytes = figures.non_kv_bytes + _highest_kv_bytes(engine, figures)
    return _compare(100 * full_bytes / figures.device_bytes, spec.saturation.memory_used_percentage)


def _highest_kv_bytes(engine: EffectiveEngine, figures: Figures) -> int:
    pool_bytes = _pool_bytes(engine, figures) or 0
    if figures.kv_token_bytes is None:
        # Another model's bytes per token are unknown: the pool is still a true upper bound.
        return pool_bytes
    tokens = _blocks_of_a_sequence(engine) * engine.block_size
    return min(pool_bytes, engine.max_num_seqs * tokens * figures.kv_token_bytes)


def _blocks_of_a_sequence(engine: EffectiveEngine) -> int:
    return math.ceil(engine.max_model_len / engine.block_size)


def _pool_bytes(engine: EffectiveEngine, figures: Figures) -> int | None:
    if figures.pool_tokens is not None and figures.kv_token_bytes is not None:
        return figures.pool_tokens * figures.kv_token_bytes
    if engine.kv_cache_memory_bytes is not None:
        return engine.kv_cache_memory_bytes
    share = (engine.gpu_memory_utilization_percentage or 0) / 100
    if figures.device_bytes is None or figures.non_kv_bytes is None:
        return None
    return max(0, int(figures.device_bytes * share) - figures.non_kv_bytes)


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
