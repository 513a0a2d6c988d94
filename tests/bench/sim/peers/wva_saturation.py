"""Whether a fleet is saturated, by llm-d's workload-variant-autoscaler (WVA), engine V1.

Its tree of 2026-02-19 (b08b1c7): internal/saturation/analyzer.go, for one variant; thresholds of
its chart's values.yaml. The order of the sums is as there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

FEWEST_FOR_DOWN: Final = 2
"""Unsaturated replicas below which none is taken away."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From where a replica is saturated, and what must be spare on average below that.

    KV cache in shares of it, 0 to 1; queue in requests.
    """

    kv: float = 0.80
    queue: float = 5.0
    kv_spare: float = 0.10
    queue_spare: float = 3.0


@dataclass(frozen=True, slots=True)
class Replica:
    """A replica that is known: its KV cache in use, 0 to 1, and the requests that wait."""

    kv: float
    queue: int


@dataclass(frozen=True, slots=True)
class Variant:
    """The Deployment, as the engine sees it.

    Attributes:
        current: Replicas that exist.
        ready: Those that are Ready.
        desired: What the engine wanted last; None at first.
    """

    current: int
    ready: int
    desired: int | None


def choose_target(replicas: Sequence[Replica], variant: Variant, at: Thresholds) -> int | None:
    """Returns the replicas wanted after one round; None if no replica is known.

    Nothing moves while the replicas are not those that were wanted, or not all are known.
    """
    if not replicas:
        return None
    if variant.desired and variant.desired != variant.current:
        return max(1, variant.desired)
    if len(replicas) != variant.current:
        return max(1, variant.current)
    free = [one for one in replicas if one.kv < at.kv and one.queue < at.queue]
    kv = _mean([at.kv - one.kv for one in free])
    queue = _mean([at.queue - one.queue for one in free])
    if kv < at.kv_spare or queue < at.queue_spare:
        return len(replicas) + (variant.ready >= variant.current)
    if _can_spare_one(len(free), kv, queue, at):
        return max(1, len(replicas) - 1)
    return len(replicas)


def _can_spare_one(free: int, kv: float, queue: float, at: Thresholds) -> bool:
    if free < FEWEST_FOR_DOWN:
        return False
    factor = free / (free - 1)
    kv_after = at.kv - (at.kv - kv) * factor
    queue_after = at.queue - (at.queue - queue) * factor
    return kv_after >= at.kv_spare and queue_after >= at.queue_spare


def _mean(values: Sequence[float]) -> float:
    total = 0.0  # not sum(): it rounds better than a plain loop does
    for value in values:
        total += value
    count = len(values)
    # Multiplied and divided again: there the variant's mean becomes the model's.
    return total / count * count / count if count else 0.0
