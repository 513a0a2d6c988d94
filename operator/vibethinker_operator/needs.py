"""How many replicas the load needs, by each of three measures, and which lines are crossed.

Where the engines' speed is known (`step_model`), a size counts as enough if it carries a tenth more
than the load; else by what runs and is held now. The need is the largest of the three.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from vibethinker_operator.demand import CLEAR_QUEUE_SECONDS, Demand
from vibethinker_operator.memory import MemoryUse
from vibethinker_operator.scaling import ScalingPolicy
from vibethinker_operator.signals import Signals
from vibethinker_operator.step_model import Flow, StepModel
from vibethinker_operator.streak import Signal

HEADROOM: Final = 0.9
"""A fleet is sized to stand at 90 % of a line (design, section 6): at the line itself it would
cross it again at the next request, and could never shrink without crossing it."""

POOL_SHARE: Final = 0.9
"""Nor to fill more than 90 % of the KV pool, where cards are so small that the pool is full
before the line: past 95 % the pods refuse."""

CONCURRENCY_LINE: Final = 0.9
"""Share of `max_num_seqs` that may run. At 1.0 there is a queue, and that has a line of its own."""

QUEUE_KEEP_SHARE: Final = 0.5
"""A fleet keeps the replicas at which each would hold half of the queue line: with fewer, the
shrink itself would soon cross it."""

LOAD_MARGIN: Final = 1.1
"""A fleet is sized for a tenth more than its load. Near the most that replicas can carry, running
requests rise without bound, so there the margin must lie on the load."""

FORECAST_SHARE: Final = 0.5
"""Share of the line of running requests at which a forecast begins to count. Near the most that an
engine computes, a little more load means requests without end; clients who wait for their answers
never bring it, and of a fleet with half of its seats free nobody need expect it."""

QUIET_SHARE: Final = 0.25
"""Share of the line below which running requests ask for no more, however long their steps get.
Clients who wait for their answers keep any engine busy, and one more replica would only be quicker:
"busy" alone must not hold a fleet of five streams at two replicas."""

MOST_REPLICAS: Final = 10_000
"""Beyond any fleet; keeps a reading near the line's own limit from giving a number without end."""

_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Needs:
    """Replicas needed by each measure; None if it cannot tell.

    Attributes:
        memory: Smallest fleet whose live memory stays below 90 % of the line.
        queue: Fleet that clears what waits.
        concurrency: Smallest fleet whose running requests stay below 90 % of their line.
    """

    memory: int | None
    queue: int | None
    concurrency: int | None

    @property
    def highest(self) -> tuple[Signal, int] | None:
        """The largest need and what it is of; the first named wins a tie."""
        known = [(signal, need) for signal, need in self.by_signal.items() if need is not None]
        return max(known, key=lambda item: item[1], default=None)

    @property
    def by_signal(self) -> Mapping[Signal, int | None]:
        """The needs by signal."""
        return {
            Signal.MEMORY: self.memory,
            Signal.QUEUE: self.queue,
            Signal.CONCURRENCY: self.concurrency,
        }


def compute_needs(
    policy: ScalingPolicy, signals: Signals, demand: Demand, model: StepModel | None = None
) -> Needs:
    """Returns the replicas that the demand needs, by each measure."""
    return Needs(
        memory=_need_memory(policy, signals, demand, model),
        queue=_need_queue(policy, signals, demand),
        concurrency=_need_concurrency(signals, demand, model),
    )


def find_crossed(
    policy: ScalingPolicy, signals: Signals, demand: Demand, model: StepModel | None = None
) -> Mapping[Signal, bool | None]:
    """Returns for each line whether it is crossed in this sweep; None if nobody can tell."""
    return {
        Signal.MEMORY: _is_memory_crossed(policy, signals),
        Signal.QUEUE: None
        if signals.waiting is None
        else signals.waiting > queue_line(policy, signals),
        Signal.CONCURRENCY: _is_concurrency_crossed(signals, demand, model),
    }


def queue_line(policy: ScalingPolicy, signals: Signals) -> int:
    """Returns how many requests may wait in the whole fleet."""
    return policy.request_queue_length * signals.ready


def concurrency_line(signals: Signals) -> float | None:
    """Returns how many requests may run in the whole fleet; None if no pod says."""
    if signals.max_num_seqs is None:
        return None
    return CONCURRENCY_LINE * signals.max_num_seqs * signals.ready


def kv_room_bytes(policy: ScalingPolicy, memory: MemoryUse) -> float:
    """Returns the KV bytes that one replica may hold; zero or less if the line is out of reach."""
    target = policy.memory_used_percentage / 100 * HEADROOM
    room = target * memory.device_bytes - memory.non_kv_bytes
    return room if memory.pool_bytes is None else min(room, POOL_SHARE * memory.pool_bytes)


def _is_memory_crossed(policy: ScalingPolicy, signals: Signals) -> bool | None:
    if signals.memory_refused:
        return True  # or a pod that refuses below its line would keep the fleet from growing
    if signals.memory is None or kv_room_bytes(policy, signals.memory) <= 0:
        return None  # unknown, or crossed by the weights alone: replicas would not help
    return signals.memory.used_ratio * 100 > policy.memory_used_percentage


def _is_concurrency_crossed(
    signals: Signals, demand: Demand, model: StepModel | None
) -> bool | None:
    line = concurrency_line(signals)
    if line is None or signals.running is None:
        return None
    if signals.running > line:
        return True
    if model is None or demand.flow is None or not signals.ready:
        return False
    if signals.running < FORECAST_SHARE * line:
        return False
    return model.running_each(demand.flow, signals.ready) * signals.ready > line


def _need_memory(
    policy: ScalingPolicy, signals: Signals, demand: Demand, model: StepModel | None
) -> int | None:
    memory = signals.memory
    if memory is None or demand.kv_bytes is None:
        return None
    room = kv_room_bytes(policy, memory)
    if room <= 0:
        return None
    held = _ceil(demand.kv_bytes / room)
    each = signals.kv_bytes_per_request
    return held if not each else _raise_to_carry(held, signals, demand, model, room / each)


def _raise_to_carry(
    held: int, signals: Signals, demand: Demand, model: StepModel | None, most_running: float
) -> int:
    """Returns `held`, or more where the engines' speed says that so many would not carry it."""
    if model is None or demand.flow is None:
        return held
    carrying = _count_carrying(model, demand.flow, most_running)
    return max(held, min(carrying, _count_busy(signals, demand)))


def _count_carrying(model: StepModel, flow: Flow, most_running: float) -> int:
    """Returns the smallest fleet that carries a tenth more, at so many running requests each."""
    more = flow.times(LOAD_MARGIN, LOAD_MARGIN)
    replicas = _ceil(model.busy_replicas(more))
    while replicas < MOST_REPLICAS and model.running_each(more, replicas) > most_running:
        replicas += 1
    return replicas


def _count_busy(signals: Signals, demand: Demand) -> int:
    """Returns the largest fleet in which each replica has a quarter of its seats taken."""
    seats = (signals.max_num_seqs or math.inf) * CONCURRENCY_LINE
    return _ceil(demand.running / (seats * QUIET_SHARE))


def _need_queue(policy: ScalingPolicy, signals: Signals, demand: Demand) -> int | None:
    if signals.waiting is None or not signals.ready:
        return None
    excess = demand.waiting - queue_line(policy, signals)
    if excess > 0:
        rate = signals.finished_per_second
        steps = 1 if rate is None else _ceil(excess / (rate * CLEAR_QUEUE_SECONDS))
        return min(MOST_REPLICAS, signals.ready + steps)
    per_replica = policy.request_queue_length * QUEUE_KEEP_SHARE
    return min(signals.ready, _ceil(demand.waiting / per_replica))


def _need_concurrency(signals: Signals, demand: Demand, model: StepModel | None) -> int | None:
    if signals.max_num_seqs is None or signals.running is None:
        return None
    most = signals.max_num_seqs * CONCURRENCY_LINE
    held = _ceil(demand.running / (most * HEADROOM))
    return _raise_to_carry(held, signals, demand, model, most)


def _ceil(replicas: float) -> int:
    return max(1, min(MOST_REPLICAS, math.ceil(replicas - _ROUNDING)))
