"""The load of one fleet at one moment, folded from the readings of its pods."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from typing import Final

from vibethinker_operator.memory import MemoryUse, PodMemory, fold_memory, read_memory
from vibethinker_operator.observed import Observed, ObservedPod
from vibethinker_operator.samples import Sample
from vibethinker_operator.step_model import Flow, Work
from vibethinker_operator.windows import (
    WINDOW_SECONDS,
    Totals,
    Window,
    Windows,
    is_frozen,
    sum_since,
)

STALE_SECONDS: Final = 2.5
"""Three sweeps missed: at one a second the third finds the last reading older than this."""

WARMING_SECONDS: Final = 4.0
"""A pod's first three readings after Ready are left out: it has no load yet and its first request
warms caches. One second more, because Kubernetes rounds the moment down to a second."""

REFUSAL_RATE_SECONDS: Final = 10.0
"""Refusals per second are taken over 10 s: a few refused clients come in bursts."""

MEMORY_REFUSED_SECONDS: Final = 5.0
"""For so long one refusal for memory counts as the line crossed. Half of the default window, so
that one alone makes no streak, while one every few seconds does."""

FLOW_SECONDS: Final = 30.0
"""Tokens per second are taken over 30 s: prompts come in bursts."""

WORK_SECONDS: Final = 5.0
"""What an engine did is taken over 5 s: a reading is up to a step off, and steps of slow machines
take up to half a second."""

MIN_FINISHED: Final = 10.0
MIN_BUSY_SECONDS: Final = 20.0
"""Fewer requests, or less time, give no service rate: right after a burst begins almost nothing
has finished yet, and a rate near zero would ask for the whole cluster."""


class Missing(StrEnum):
    """Why a pod's load is unknown."""

    SILENT = "silent"
    STALE = "stale"
    FROZEN = "frozen"
    WARMING = "warming"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class PodLoad:
    """One pod and its newest reading; `missing` says why that reading is not used."""

    pod: ObservedPod
    sample: Sample | None
    missing: Missing | None


@dataclass(frozen=True, slots=True)
class Signals:
    """The load of one fleet. None is unknown.

    Attributes:
        time: Unix seconds.
        pods: Every active pod with its newest reading.
        ready: Pods that take new requests.
        expected: Of those, the ones that have been Ready long enough to be read.
        known: Of those, the ones whose load is known.
        memory: Live memory, if any known pod says.
        memory_partial: Whether some known pods say and others do not.
        running: Requests running over all known pods.
        waiting: Requests waiting over all known pods.
        refusals_per_second: Requests refused for load, over the last 10 s.
        memory_refusals_per_second: Those refused for memory.
        memory_refused: Whether one was refused for memory in the last 5 s.
        kv_bytes_per_request: Mean KV bytes of a running request.
        finished_per_second: Requests that a busy replica finishes per second (last minute).
        seconds_in_system: Mean time of a request in the engine, waiting and running.
        prefill_backlog_tokens: Prompt tokens not yet computed, over all known pods.
        max_num_seqs: Requests that one replica runs at most at once.
        flow: Tokens per second of all known pods, over the last 30 s.
        work: What engines that worked without a pause did in the last 5 s.
        arrivals_ratio: Requests that came over those that finished, in the last minute.
    """

    time: float
    pods: tuple[PodLoad, ...]
    ready: int
    expected: int
    known: int
    memory: MemoryUse | None
    memory_partial: bool
    running: float | None
    waiting: float | None
    refusals_per_second: float
    memory_refusals_per_second: float
    memory_refused: bool
    kv_bytes_per_request: float | None
    finished_per_second: float | None
    seconds_in_system: float | None
    prefill_backlog_tokens: float | None
    max_num_seqs: float | None
    flow: Flow | None = None
    work: tuple[Work, ...] = ()
    arrivals_ratio: float | None = None

    @property
    def partial(self) -> bool:
        """Whether something that should be known is not: then nothing may shrink."""
        return self.known < self.expected or self.memory_partial

    @property
    def samples(self) -> Mapping[str, Sample]:
        """The newest reading of every pod that can be believed, by pod uid."""
        believed = {None, Missing.WARMING}
        return {
            load.pod.uid: load.sample
            for load in self.pods
            if load.sample is not None and load.missing in believed
        }


def fold_signals(windows: Windows, observed: Observed, now: float) -> Signals:
    """Returns the load of the fleet at `now` (unix seconds)."""
    pods = tuple(_judge(pod, windows.readings.get(pod.uid, ()), now) for pod in observed.active)
    used = [load for load in pods if load.missing is None and _has_load(load)]
    newest = [load.sample for load in used if load.sample is not None]
    kept = [windows.readings[load.pod.uid] for load in used]
    serving = [load for load in pods if load.pod.serving]
    memories = [read_memory(load.sample, serving=load.pod.serving) for load in used]
    memory = fold_memory(memories)
    lately = _sum_all(kept, now - REFUSAL_RATE_SECONDS)
    just_now = _sum_all(kept, now - MEMORY_REFUSED_SECONDS)
    minute = _sum_all(kept, now - WINDOW_SECONDS)
    rate, in_system = _fold_service(minute)
    per_request = _fold_kv_per_request(used, memories)
    return Signals(
        time=now,
        pods=pods,
        ready=len(serving),
        expected=sum(load.missing is not Missing.WARMING for load in serving),
        known=sum(load.missing is None for load in serving),
        memory=memory,
        memory_partial=memory is not None and None in memories,
        running=_total(s.running for s in newest),
        waiting=_total(s.queue_length for s in newest),
        refusals_per_second=lately.refused / REFUSAL_RATE_SECONDS,
        memory_refusals_per_second=lately.refused_for_memory / REFUSAL_RATE_SECONDS,
        memory_refused=just_now.refused_for_memory > 0,
        kv_bytes_per_request=per_request,
        finished_per_second=rate,
        seconds_in_system=in_system,
        prefill_backlog_tokens=_total(s.prefill_backlog_tokens for s in newest),
        max_num_seqs=min((s.max_num_seqs for s in newest if s.max_num_seqs), default=None),
        flow=_fold_flow(kept, per_request or 0.0, now),
        work=tuple(_fold_work(kept, now)),
        arrivals_ratio=_fold_arrivals(kept, minute.finished),
    )


def _fold_flow(windows: Iterable[Window], kv_bytes_each: float, now: float) -> Flow | None:
    counting = [w for w in windows if w[-1].sample.generation_tokens_total is not None]
    if not counting:
        return None
    # A pod that is younger has given nothing before.
    work = _sum_all(counting, now - FLOW_SECONDS).work
    return Flow(
        work.prompt_tokens / FLOW_SECONDS, work.generated_tokens / FLOW_SECONDS, kv_bytes_each
    )


def _fold_work(windows: Iterable[Window], now: float) -> Iterator[Work]:
    for window in windows:
        work = sum_since(window, now - WORK_SECONDS).work
        if work.seconds >= WORK_SECONDS and work.steps:
            yield work


def _fold_arrivals(windows: Iterable[Window], finished: float) -> float | None:
    grown = sum(_in_engine(w[-1].sample) - _in_engine(w[0].sample) for w in windows)
    return max(0.0, finished + grown) / finished if finished >= MIN_FINISHED else None


def _in_engine(sample: Sample) -> float:
    return (sample.running or 0.0) + (sample.queue_length or 0.0)


def _fold_kv_per_request(
    used: Iterable[PodLoad], memories: Iterable[PodMemory | None]
) -> float | None:
    kv_bytes = running = 0.0
    for load, memory in zip(used, memories, strict=True):
        if memory is not None and load.sample is not None and load.sample.running:
            kv_bytes += memory.kv_used
            running += load.sample.running
    # Fewer than one request is no mean, and a share of one would make it endless.
    return kv_bytes / running if running >= 1 else None


def _judge(pod: ObservedPod, window: Window, now: float) -> PodLoad:
    newest = window[-1].sample if window else None
    return PodLoad(pod, newest, _find_missing(pod, window, now))


def _find_missing(pod: ObservedPod, window: Window, now: float) -> Missing | None:
    # Both sides of now: the API server's clock is not ours.
    if pod.ready_since is not None and abs(now - pod.ready_since) < WARMING_SECONDS:
        return Missing.WARMING
    if not window:
        return Missing.SILENT
    newest = window[-1].sample
    if now - newest.time > STALE_SECONDS:
        return Missing.STALE
    if newest.running is None or newest.queue_length is None:
        return Missing.INCOMPLETE
    if is_frozen(window):
        return Missing.FROZEN
    return None


def _has_load(load: PodLoad) -> bool:
    # A pod that takes nothing new (drained, or not Ready for a moment) may still run requests:
    # they are demand until they are done.
    sample = load.sample
    return load.pod.serving or (sample is not None and bool(sample.running or sample.queue_length))


def _total(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(sum(known)) if known else None


def _sum_all(windows: Iterable[Window], since: float) -> Totals:
    return reduce(Totals.plus, (sum_since(window, since) for window in windows), Totals())


def _fold_service(minute: Totals) -> tuple[float | None, float | None]:
    if minute.finished < MIN_FINISHED or minute.busy_seconds < MIN_BUSY_SECONDS:
        return None, None
    # Little's law: requests in the engine = finished per second x seconds in the engine.
    return minute.finished / minute.busy_seconds, minute.request_seconds / minute.finished
