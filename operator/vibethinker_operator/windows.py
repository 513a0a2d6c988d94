"""The readings of the last minute, pod by pod, and what one pod's readings say over time."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from vibethinker_operator.samples import (
    LOAD_REFUSALS,
    MEMORY_REFUSALS,
    Sample,
    SampleRefused,
)
from vibethinker_operator.step_model import Work

WINDOW_SECONDS: Final = 60.0
"""Rates are taken over the last minute (design, section 6)."""

FROZEN_SECONDS: Final = 10.0
"""An engine that runs requests takes many steps a second; one that takes none for 10 s hangs, or
somebody replays its page. Either way its numbers are not those of now."""

NO_WORK: Final = Work()


class Totals(NamedTuple):
    """What a pod did since it was first read, as far as it was watched.

    Attributes:
        finished: Requests finished while the engine was running some.
        busy_seconds: Seconds in which it was running some.
        request_seconds: Seconds that requests spent in it, waiting or running, all together.
        refused: Requests refused for load.
        refused_for_memory: Those refused for memory.
        work: What the engine did between readings at both of which it ran some.
    """

    finished: float = 0.0
    busy_seconds: float = 0.0
    request_seconds: float = 0.0
    refused: float = 0.0
    refused_for_memory: float = 0.0
    work: Work = NO_WORK

    def plus(self, other: "Totals") -> "Totals":
        """Returns what both pods did."""
        return Totals(
            self.finished + other.finished,
            self.busy_seconds + other.busy_seconds,
            self.request_seconds + other.request_seconds,
            self.refused + other.refused,
            self.refused_for_memory + other.refused_for_memory,
            self.work.plus(other.work),
        )

    def since(self, earlier: "Totals") -> "Totals":
        """Returns what was added since `earlier`."""
        return Totals(
            self.finished - earlier.finished,
            self.busy_seconds - earlier.busy_seconds,
            self.request_seconds - earlier.request_seconds,
            self.refused - earlier.refused,
            self.refused_for_memory - earlier.refused_for_memory,
            self.work.minus(earlier.work),
        )


class Reading(NamedTuple):
    """One sample with the pod's totals up to it: any span of a window is then a subtraction."""

    sample: Sample
    totals: Totals


Window = tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class Windows:
    """Readings by pod, oldest first; never more than a minute, never of a pod that is gone.

    Attributes:
        readings: Good readings by pod uid; no pod has none.
        refused: By pod uid, the newest answer, where that was refused.
    """

    readings: Mapping[str, Window] = field(default_factory=dict)
    refused: Mapping[str, SampleRefused] = field(default_factory=dict)

    def record(
        self, swept: Iterable[Sample | SampleRefused], pod_uids: Collection[str], now: float
    ) -> "Windows":
        """Returns the windows after one sweep.

        Args:
            swept: What the sweep brought.
            pod_uids: The pods that exist; readings of others are dropped.
            now: Unix seconds.
        """
        readings = {uid: self.readings[uid] for uid in pod_uids if uid in self.readings}
        refused = {uid: self.refused[uid] for uid in pod_uids if uid in self.refused}
        for answer in swept:
            uid = answer.pod_uid
            if uid not in pod_uids:
                continue
            if isinstance(answer, SampleRefused):
                refused[uid] = answer
            else:
                refused.pop(uid, None)
                readings[uid] = _append(readings.get(uid, ()), answer)
        horizon = now - WINDOW_SECONDS
        pruned = {uid: _prune(window, horizon) for uid, window in readings.items()}
        return Windows({uid: window for uid, window in pruned.items() if window}, refused)


def is_frozen(window: Window) -> bool:
    """Returns whether the engine has run requests for 10 s without taking a single step."""
    newest = window[-1].sample
    if newest.engine_steps_total is None:
        return False
    for reading in reversed(window):
        sample = reading.sample
        if not sample.running or sample.engine_steps_total != newest.engine_steps_total:
            return False
        if newest.time - sample.time >= FROZEN_SECONDS:
            return True
    return False


def sum_since(window: Window, since: float) -> Totals:
    """Returns what the pod did after `since` (unix seconds), as far as the window reaches."""
    # The newest reading that is not after `since`, or the oldest there is.
    start = max(0, bisect_right(window, since, key=_time_of) - 1)
    return window[-1].totals.since(window[start].totals)


def _time_of(reading: Reading) -> float:
    return reading.sample.time


def _append(window: Window, sample: Sample) -> Window:
    if not window:
        return (Reading(sample, Totals()),)
    before = window[-1]
    if sample.time <= before.sample.time:
        return window
    return (*window, Reading(sample, _add_step(before.totals, before.sample, sample)))


def _prune(window: Window, horizon: float) -> Window:
    for index, reading in enumerate(window):
        if reading.sample.time >= horizon:
            return window[index:]
    return ()


def _add_step(totals: Totals, before: Sample, after: Sample) -> Totals:
    seconds = after.time - before.time
    in_engine = (before.running or 0.0) + (before.queue_length or 0.0)
    busy = bool(before.running)
    finished = _increase(before.finished_total, after.finished_total) if busy else 0.0
    refused = for_memory = 0.0
    if after.rejected_total != before.rejected_total:
        refused = _count_refused(before, after, LOAD_REFUSALS)
        for_memory = _count_refused(before, after, MEMORY_REFUSALS)
    return Totals(
        totals.finished + finished,
        totals.busy_seconds + (seconds if busy else 0.0),
        totals.request_seconds + in_engine * seconds,
        totals.refused + refused,
        totals.refused_for_memory + for_memory,
        totals.work.plus(_read_work(before, after)),
    )


def _read_work(before: Sample, after: Sample) -> Work:
    if not before.running or not after.running or after.generation_tokens_total is None:
        return NO_WORK
    steps = _increase(before.engine_steps_total, after.engine_steps_total)
    return Work(
        seconds=after.time - before.time,
        steps=steps,
        prompt_tokens=_increase(before.prompt_tokens_total, after.prompt_tokens_total),
        generated_tokens=_increase(before.generation_tokens_total, after.generation_tokens_total),
        kv_bytes=steps * ((before.kv_used_bytes or 0.0) + (after.kv_used_bytes or 0.0)) / 2,
    )


def _count_refused(before: Sample, after: Sample, reasons: Collection[str]) -> float:
    # A labelled counter is not on the page before its first refusal.
    earlier = dict(before.rejected_total)
    return sum(
        _increase(earlier.get(reason, 0.0), total)
        for reason, total in after.rejected_total
        if reason in reasons
    )


def _increase(before: float | None, after: float | None) -> float:
    if before is None or after is None:
        return 0.0
    # A counter that fell was started anew with its process: what it shows came after that.
    return after - before if after >= before else after
