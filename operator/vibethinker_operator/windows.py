"""The readings of the last minute, pod by pod, and what one pod's readings say over time."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from vibethinker_operator.samples import Sample, SampleRefused

WINDOW_SECONDS: Final = 60.0
"""Rates are taken over the last minute (design, section 6)."""

FROZEN_SECONDS: Final = 10.0
"""An engine that runs requests takes many steps a second; one that takes none for 10 s hangs, or
somebody replays its page. Either way its numbers are not those of now."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Readings by pod, oldest first; never more than a minute, never of a pod that is gone.

    Attributes:
        samples: Good readings by pod uid.
        refused: By pod uid, the newest answer, where that was refused.
    """

    samples: Mapping[str, tuple[Sample, ...]] = field(default_factory=dict)
    refused: Mapping[str, SampleRefused] = field(default_factory=dict)

    def record(
        self, readings: Iterable[Sample | SampleRefused], pod_uids: Collection[str], now: float
    ) -> "Windows":
        """Returns the windows after one sweep.

        Args:
            readings: What the sweep brought.
            pod_uids: The pods that exist; readings of others are dropped.
            now: Unix seconds.
        """
        samples = {uid: self.samples[uid] for uid in pod_uids if uid in self.samples}
        refused = {uid: self.refused[uid] for uid in pod_uids if uid in self.refused}
        for reading in readings:
            if reading.pod_uid not in pod_uids:
                continue
            if isinstance(reading, SampleRefused):
                refused[reading.pod_uid] = reading
            else:
                refused.pop(reading.pod_uid, None)
                samples[reading.pod_uid] = _append(samples.get(reading.pod_uid, ()), reading)
        horizon = now - WINDOW_SECONDS
        pruned = {uid: _prune(kept, horizon) for uid, kept in samples.items()}
        return Windows({uid: kept for uid, kept in pruned.items() if kept}, refused)


def is_frozen(samples: tuple[Sample, ...]) -> bool:
    """Returns whether the engine has run requests for 10 s without taking a single step."""
    newest = samples[-1]
    if newest.engine_steps_total is None:
        return False
    for sample in reversed(samples):
        if not sample.running or sample.engine_steps_total != newest.engine_steps_total:
            return False
        if newest.time - sample.time >= FROZEN_SECONDS:
            return True
    return False


def busy_finished(samples: tuple[Sample, ...]) -> tuple[float, float]:
    """Returns requests finished while the engine was running some, and the seconds of that."""
    finished = seconds = 0.0
    for before, after in _steps(samples):
        if before.running:
            seconds += after.time - before.time
            finished += _increase(before.finished_total, after.finished_total)
    return finished, seconds


def request_seconds(samples: tuple[Sample, ...]) -> float:
    """Returns the seconds that requests spent in the engine, waiting or running, all together."""
    return sum(
        ((before.running or 0.0) + (before.queue_length or 0.0)) * (after.time - before.time)
        for before, after in _steps(samples)
    )


def count_refused(samples: tuple[Sample, ...], reasons: Collection[str], since: float) -> float:
    """Returns how many requests the pod refused for one of these reasons after `since`."""
    refused = 0.0
    for before, after in _steps(samples):
        if after.time <= since or before.rejected_total == after.rejected_total:
            continue
        earlier = dict(before.rejected_total)
        for reason, total in after.rejected_total:
            if reason in reasons:
                # A labelled counter is not on the page before its first refusal.
                refused += _increase(earlier.get(reason, 0.0), total)
    return refused


def _append(samples: tuple[Sample, ...], sample: Sample) -> tuple[Sample, ...]:
    if samples and sample.time <= samples[-1].time:
        return samples
    return (*samples, sample)


def _prune(samples: tuple[Sample, ...], horizon: float) -> tuple[Sample, ...]:
    for index, sample in enumerate(samples):
        if sample.time >= horizon:
            return samples[index:]
    return ()


def _steps(samples: tuple[Sample, ...]) -> Iterator[tuple[Sample, Sample]]:
    return pairwise(samples)


def _increase(before: float | None, after: float | None) -> float:
    if before is None or after is None:
        return 0.0
    # A counter that fell was started anew with its process: what it shows came after that.
    return after - before if after >= before else after
