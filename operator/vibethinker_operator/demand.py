"""The load wherever it is: in use, waiting, or sent away; and what of it comes while a pod starts.

It goes on growing where a reading has met its ceiling, so that one step is big enough.
"""

from dataclasses import dataclass
from typing import Final

from vibethinker_operator.signals import Signals
from vibethinker_operator.step_model import Flow

CLEAR_QUEUE_SECONDS: Final = 30.0
"""New replicas are to clear what waits beyond the line within this (design, section 6)."""

MOST_FORECAST: Final = 0.25
"""Of the load, the most that a forecast adds. Bursts end, mostly before a replica has started: on a
day of reasoning traffic a bound of 1 cost a tenth more replicas than one of a quarter, and put
first tokens in time no more often (docs/deciding.md)."""


@dataclass(frozen=True, slots=True)
class Demand:
    """The load that replicas are wanted for.

    Attributes:
        kv_bytes: KV bytes; None if memory is unknown.
        waiting: Requests waiting.
        running: Requests running, or that would run were they not sent away.
        flow: Tokens per second when a new replica would be ready; None if no pod says.
    """

    kv_bytes: float | None
    waiting: float
    running: float
    flow: Flow | None = None


def fold_demand(signals: Signals, *, horizon_seconds: float = 0.0) -> Demand:
    """Returns the demand: in use, waiting, and refused per second x its stay.

    Args:
        signals: The load.
        horizon_seconds: For how far ahead tokens per second are told: what a pod takes to start.
    """
    waiting, running = signals.waiting or 0.0, signals.running or 0.0
    refused = signals.refusals_per_second * (signals.seconds_in_system or 0.0)
    kv_bytes = None
    if signals.memory is not None:
        per_request = signals.kv_bytes_per_request or 0.0
        kv_bytes = signals.memory.kv_used_bytes + (waiting + refused) * per_request
    flow = _forecast_flow(signals, horizon_seconds)
    return Demand(kv_bytes, waiting, running + waiting + refused, flow)


def _forecast_flow(signals: Signals, horizon_seconds: float) -> Flow | None:
    if signals.flow is None:
        return None
    unserved = _unserved_ratio(signals)
    # Answers of requests that have come are still to be generated: the sooner they end, the more
    # of that falls within the horizon.
    stay = signals.seconds_in_system
    share = min(1.0, horizon_seconds / stay) if stay else 0.0
    rising = max(0.0, (signals.arrivals_ratio or 1.0) - 1.0)
    ahead = min(MOST_FORECAST, unserved + share * rising)
    return signals.flow.times(1 + min(MOST_FORECAST, unserved), 1 + ahead)


def _unserved_ratio(signals: Signals) -> float:
    """Returns requests a second that are refused, or wait too long, over those that finish."""
    rate = signals.finished_per_second
    if not rate or not signals.ready:
        return 0.0
    unserved = signals.refusals_per_second + (signals.waiting or 0.0) / CLEAR_QUEUE_SECONDS
    return unserved / (rate * signals.ready)
