"""A schedule made by someone who knows the trace: what perfect foresight would have cost.

The work that each second brings is known: with the card's own constants, how many replicas it
keeps busy. The schedule holds `spare` times the work of the next minutes, adds each replica a start
time before it is needed, and skips valleys that are shorter than a start. A search over `spare`
then finds the cheapest that reaches an objective. It is the best of this family, not proven the
best of all; the fluid bound, which no schedule can beat, stands beside it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from vibethinker_operator.api import VibeThinkerDeployment
from vibethinker_operator.observed import Observed
from vibethinker_operator.scaling import Decision, Growth, GrowthVerdict
from vibethinker_operator.signals import Signals
from vibethinker_simulator.blueprint import Blueprint
from vibethinker_simulator.operator_loop import OperatorLoop
from vibethinker_simulator.simulation import EPOCH
from vibethinker_simulator.trace import Trace

CLAIRVOYANT: Final = "clairvoyant"


@dataclass(frozen=True)
class Knobs:
    """Of one schedule.

    Attributes:
        spare: Replicas for each busy one.
        smooth_seconds: Over how long work is averaged.
        hold_seconds: Shortest valley that is worth a shrink.
    """

    spare: float
    smooth_seconds: int = 30
    hold_seconds: int = 120

    @property
    def name(self) -> str:
        """What the report calls its schedule."""
        return f"{CLAIRVOYANT}, {self.spare:g} times the work"


def offered_work(trace: Trace, blueprint: Blueprint) -> list[float]:
    """Returns the busy replicas that each second's requests keep, steps left out.

    Prompts count when they come, answers evenly over the time that they take at half load.
    """
    seconds = int(trace.seconds) + 1
    change = [0.0] * (seconds + 1)
    speed, limit = blueprint.speed, blueprint.limit_tokens
    pace = speed.step * 2
    work = [0.0] * seconds
    for request in trace.requests:
        output = min(request.output_tokens, limit)
        if request.prompt_tokens + output > blueprint.settings.max_model_len:
            continue
        start = int(request.time)
        prompt = request.prompt_tokens
        work[start] += speed.token * prompt + speed.prompt_pair * prompt * prompt / 2
        context = prompt + output / 2
        total = output * (speed.kv_token * context + speed.sequence)
        end = min(seconds, start + 1 + int(output * pace))
        change[start] += total / (end - start)
        change[end] -= total / (end - start)
    running = 0.0
    for second in range(seconds):
        running += change[second]
        work[second] += running
    return work


def fluid_bound_hours(work: Sequence[float], least: int) -> float:
    """Returns the replica-hours of all the work at full batches, with `least` replicas at least."""
    return sum(max(float(least), minute) for minute in _smooth(work, 60)) / 3600


def build_schedule(
    work: Sequence[float], knobs: Knobs, *, start_seconds: float, least: int, most: int
) -> list[int]:
    """Returns the replicas to ask for, second by second."""
    needed = [
        min(most, max(least, math.ceil(knobs.spare * each)))
        for each in _smooth(work, knobs.smooth_seconds)
    ]
    # Asked for a start earlier, and held through short valleys.
    ahead = int(start_seconds) + 1
    return _running_max(needed, behind=max(knobs.hold_seconds, ahead), ahead=ahead)


class Clairvoyant(OperatorLoop):
    """The product, drain and admission included, but the size comes from a schedule.

    Its pods refuse whom they cannot serve in time at any moment: it knows whether help comes.
    """

    def __init__(self, resource: VibeThinkerDeployment, schedule: Sequence[int]) -> None:
        super().__init__(resource)
        self._schedule = schedule

    def decide(self, observed: Observed, signals: Signals, now: float) -> Decision:
        """Returns what the schedule says for `now`."""
        second = min(int(now - EPOCH), len(self._schedule) - 1)
        decision = super().decide(observed, signals, now)
        return replace(decision, desired=self._schedule[second], growth=_ALONE)


_ALONE: Final = GrowthVerdict(Growth.CANNOT_GROW, None, "the schedule says what comes")


def _smooth(work: Sequence[float], seconds: int) -> list[float]:
    half, total = seconds // 2, 0.0
    sums = [0.0]
    for each in work:
        total += each
        sums.append(total)
    last = len(work)
    return [
        (sums[min(last, i + half + 1)] - sums[max(0, i - half)])
        / (min(last, i + half + 1) - max(0, i - half))
        for i in range(last)
    ]


def _running_max(values: Sequence[int], *, behind: int, ahead: int) -> list[int]:
    """Returns the highest value from `ahead` before it comes to `behind` after it, in valleys."""
    rising = _highest_within(values, 0, ahead)
    closed = _highest_within(rising, behind, 0)
    # A closing: valleys shorter than `behind` are filled, falling edges stay where they were.
    return [
        min(highest) for highest in zip(closed, _highest_within(closed, 0, behind), strict=True)
    ]


def _highest_within(values: Sequence[int], behind: int, ahead: int) -> list[int]:
    result, last = [], len(values)
    for i in range(last):
        low, high = max(0, i - behind), min(last, i + ahead + 1)
        result.append(max(values[low:high]))
    return result
