"""What fits on the fleet's card, and whether an engine can start there at all. Pure.

It warns and blocks nothing: where the figures are expected ones, the engine has the last word.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from vibethinker_operator.api import Device, Spec
from vibethinker_operator.api.status import FitSource
from vibethinker_operator.card import GIB
from vibethinker_operator.effective import EffectiveEngine, resolve_engine
from vibethinker_operator.figures import NOTHING_TOLD, Figures, settle_figures
from vibethinker_operator.kv import Capacity, assess_capacity
from vibethinker_operator.signals import Signals

SHORTEST: Final = 256
"""The smallest engine.maxModelLen that the resource takes."""

REMEDIES: Final = "take a larger card, or weights in eight bits"


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What one replica holds. None is unknown.

    Attributes:
        source: whether a pod's engine told what its pool holds, or it is expected.
        weights_bytes: memory of the weights.
        kv_token_bytes: memory of one token's KV.
        tokens: tokens that the KV pool holds.
        sequences: sequences of `engine.maxModelLen` that it holds at once.
        obstacle: why no engine can start, for people; None: it can, or that is not known.
    """

    source: FitSource
    weights_bytes: int | None
    kv_token_bytes: int | None
    tokens: int | None
    sequences: int | None
    obstacle: str | None

    @property
    def is_known(self) -> bool:
        """Whether there is anything to tell."""
        return any((self.weights_bytes, self.kv_token_bytes, self.tokens is not None))


def read_figures(signals: Signals | None) -> Figures:
    """Returns what a fleet's pods say of their memory, those that still start among them.

    Of pods that differ, the one with the least room counts. An old reading is as good as a new one:
    weights and pool stay as they are while a pod lives.
    """
    if signals is None:
        return NOTHING_TOLD
    samples = [load.sample for load in signals.pods if load.sample is not None]
    memory = signals.memory
    devices = (sample.device_memory_bytes for sample in samples)
    return Figures(
        device_bytes=round(memory.device_bytes) if memory else _least(devices),
        weights_bytes=_most(sample.checkpoint_weights_bytes for sample in samples),
        non_kv_bytes=round(memory.non_kv_bytes) if memory else None,
        kv_token_bytes=_most(sample.kv_token_bytes for sample in samples),
        pool_tokens=_least(sample.kv_pool_tokens for sample in samples),
    )


def assess_fit(spec: Spec, told: Figures = NOTHING_TOLD) -> Fit:
    """Returns what one replica holds.

    Args:
        spec: what the fleet is to be.
        told: what its pods say.
    """
    engine, figures = resolve_engine(spec), settle_figures(spec, told)
    capacity = assess_capacity(spec, told)
    return Fit(
        source=FitSource.SPEC if told.pool_tokens is None else FitSource.MEASURED,
        weights_bytes=figures.weights_bytes,
        kv_token_bytes=figures.kv_token_bytes,
        tokens=capacity.tokens if capacity else None,
        sequences=capacity.sequences if capacity else None,
        obstacle=None if _has_started(told) else _find_obstacle(engine, figures, capacity),
    )


def describe_fit(spec: Spec, fit: Fit) -> str | None:
    """Returns the fit as the end of a sentence, None where it is not known."""
    if fit.tokens is None:
        return None
    length, seats = spec.engine.max_model_len, spec.engine.max_num_seqs
    told = f"holds {fit.tokens:,} tokens: {fit.sequences:,} sequences of {length:,}"
    if fit.sequences is not None and fit.sequences < seats:
        told += f", of the {seats:,} that engine.maxNumSeqs lets run"
    return told


def gibibytes(count: int) -> str:
    """Returns a number of bytes as people read it."""
    return f"{count / GIB:.2f} GiB"


def _has_started(told: Figures) -> bool:
    """Tells whether an engine runs: only then is its pool known, and what is in use beside it."""
    return told.pool_tokens is not None or told.non_kv_bytes is not None


def _find_obstacle(
    engine: EffectiveEngine, figures: Figures, capacity: Capacity | None
) -> str | None:
    return _find_lack_of_memory(engine, figures) or _find_short_pool(engine, capacity)


def _find_lack_of_memory(engine: EffectiveEngine, figures: Figures) -> str | None:
    """Returns the sentence where weights, what goes with them, and pool exceed the device."""
    beside = figures.non_kv_bytes if engine.device is Device.GPU else figures.weights_bytes
    if figures.device_bytes is None or figures.weights_bytes is None or beside is None:
        return None
    pool, share = engine.kv_cache_memory_bytes, engine.gpu_memory_utilization_percentage
    room = figures.device_bytes if share is None else figures.device_bytes * share // 100
    if beside + (pool or 0) < room:
        return None
    needs = [f"weights of {gibibytes(figures.weights_bytes)}"]
    if beside > figures.weights_bytes:
        needs.append(f"{gibibytes(beside - figures.weights_bytes)} beside them")
    if pool is not None:
        needs.append(f"a KV cache of {gibibytes(pool)}")
    part = "" if share is None else f"{share} % of "
    where = f"{part}{gibibytes(figures.device_bytes)}"
    return f"{_join(needs)} do not fit into {where}, so no engine can start: {_remedy(engine)}"


def _find_short_pool(engine: EffectiveEngine, capacity: Capacity | None) -> str | None:
    """Returns the sentence where the pool holds less than one sequence: vLLM refuses to start."""
    if capacity is None or capacity.sequences > 0:
        return None
    shorter = f"set engine.maxModelLen to {capacity.tokens:,} or less, or "
    return (
        f"the KV cache holds {capacity.tokens:,} tokens, less than one sequence of"
        f" {engine.max_model_len:,}, so no engine can start:"
        f" {shorter if capacity.tokens >= SHORTEST else ''}{_remedy(engine)}"
    )


def _remedy(engine: EffectiveEngine) -> str:
    if engine.device is Device.CPU:
        return "change engine.kvCacheMemoryBytes or raise resources.limits.memory"
    if engine.kv_cache_memory_bytes is not None:
        return f"change engine.kvCacheMemoryBytes, or {REMEDIES}"
    return f"raise engine.gpuMemoryUtilizationPercentage, {REMEDIES}"


def _join(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if parts[1:] else parts)


def _least(values: Iterable[float | None]) -> int | None:
    known = [round(value) for value in values if value]
    return min(known, default=None)


def _most(values: Iterable[float | None]) -> int | None:
    known = [round(value) for value in values if value]
    return max(known, default=None)
