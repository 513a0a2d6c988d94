"""Decisions in words: every sentence carries the numbers that a reader would ask for."""

import math
from typing import Final

from vibethinker_operator.case import Case, Wanted
from vibethinker_operator.demand import CLEAR_QUEUE_SECONDS
from vibethinker_operator.needs import (
    CONCURRENCY_LINE,
    HEADROOM,
    compute_needs,
    concurrency_line,
    kv_room_bytes,
    queue_line,
)
from vibethinker_operator.signals import WARMING_SECONDS, Missing, Signals
from vibethinker_operator.streak import Signal, Track
from vibethinker_operator.wording import count_replicas

_MOST_NAMED: Final = 3
"""Pods named in one sentence; a status is not a list."""


def describe_missing(signals: Signals) -> str:
    """Returns why there is too little to decide on."""
    if not signals.ready:
        return "no replica is Ready"
    if not signals.expected:
        return f"no replica has been Ready for {WARMING_SECONDS:g} s yet"
    unknown = [
        f"{load.pod.name} {load.missing}"
        for load in signals.pods
        if load.pod.serving and load.missing not in {None, Missing.WARMING}
    ]
    named = ", ".join(unknown[:_MOST_NAMED]) + (", ..." if len(unknown) > _MOST_NAMED else "")
    return (
        f"{signals.known} of {signals.expected} ready replicas can be read ({named}):"
        " too few to decide, the fleet stays as it is"
    )


def describe_wanted(case: Case, wanted: Wanted) -> str:
    """Returns which line stayed crossed and what would carry the load."""
    window = case.policy.window_seconds(wanted.crossed)
    return f"{_crossing(case, wanted.crossed, window)}: {_sizing(case, wanted)}"


def describe_enough(case: Case, wanted: Wanted) -> str:
    """Returns why a crossed line asks for nothing more."""
    there = f"{count_replicas(case.supply.counted)} are there or on their way"
    return f"{describe_wanted(case, wanted)}; {there}"


def describe_crossed(case: Case, track: Track) -> str:
    """Returns which line is crossed, and for how long of the time that counts."""
    window = case.policy.window_seconds(track.signal)
    lasted = window - (case.remaining_seconds(track) or 0.0)
    return f"{_state(case, track.signal)} for {lasted:.0f} of {window:g} s"


def describe_stabilizing(case: Case) -> str | None:
    """Returns what keeps a fleet that needs fewer replicas from shrinking; None if nothing does."""
    needed = case.needs.highest
    if needed is None or max(needed[1], case.policy.min_replicas) >= case.replicas:
        return None
    now = f"{count_replicas(needed[1])} would do now"
    if case.signals.partial:
        return f"{now}, but nothing shrinks while a replica cannot be read"
    highest = case.history.highest or case.replicas
    window = f"the last {case.policy.stabilization_seconds:g} s"
    if highest >= case.replicas:
        return f"{now}, but {highest} were needed within {window}"
    if not case.history.covers(case.policy.stabilization_seconds, case.now):
        return f"{now}, but {window} have not all been seen"
    return f"{now}, but the last replica went only a moment ago"


def describe_load(case: Case) -> str:
    """Returns where the load stands against its lines."""
    signals, parts = case.signals, []
    if signals.memory is not None:
        used = signals.memory.used_ratio * 100
        parts.append(f"memory {used:.0f} % of {case.policy.memory_used_percentage} %")
    if signals.waiting is not None:
        parts.append(f"{signals.waiting:.0f} of {queue_line(case.policy, signals)} requests wait")
    running = concurrency_line(signals)
    if running is not None and signals.running is not None:
        parts.append(f"{signals.running:.0f} of {running:.0f} run")
    return "below the lines: " + ", ".join(parts)


def describe_shrink(case: Case, highest: int) -> str:
    """Returns why one replica goes."""
    seen = f"the last {case.policy.stabilization_seconds:g} s"
    if not case.history.covers(case.policy.stabilization_seconds, case.now):
        seen = "the time since the restart"
    needed = f"{count_replicas(highest)} {'was' if highest == 1 else 'were'} needed"
    return f"no more than {needed} in {seen}: {case.replicas} become {case.replicas - 1}"


def _crossing(case: Case, signal: Signal, window: float) -> str:
    signals, policy = case.signals, case.policy
    if signal is Signal.QUEUE:
        line, now = queue_line(policy, signals), signals.waiting or 0.0
        return f"more than {line} requests waited for {window:g} s (now {now:.0f})"
    if signal is Signal.CONCURRENCY:
        line = int(concurrency_line(signals) or 0)
        if _is_only_expected(case, line):
            return (
                f"the load came to more than {line} running requests for {window:g} s{_run(case)}"
            )
        return f"more than {line} requests ran for {window:g} s{_run(case)}"
    if signals.memory_refused:
        rate = signals.memory_refusals_per_second
        return f"new sessions were refused for memory ({rate:.2g} a second)"
    return f"memory stayed above {policy.memory_used_percentage} % for {window:g} s{_now(signals)}"


def _state(case: Case, signal: Signal) -> str:
    signals, policy = case.signals, case.policy
    if signal is Signal.QUEUE:
        line, now = queue_line(policy, signals), signals.waiting or 0.0
        return f"more than {line} requests wait (now {now:.0f})"
    if signal is Signal.CONCURRENCY:
        line = int(concurrency_line(signals) or 0)
        if _is_only_expected(case, line):
            return f"the load comes to more than {line} running requests{_run(case)}"
        return f"more than {line} requests run{_run(case)}"
    if signals.memory_refused:
        return "new sessions refused for memory"
    return f"memory above {policy.memory_used_percentage} %{_now(signals)}"


def _now(signals: Signals) -> str:
    return "" if signals.memory is None else f" (now {signals.memory.used_ratio * 100:.0f} %)"


def _is_only_expected(case: Case, line: int) -> bool:
    return (case.signals.running or 0.0) <= line


def _run(case: Case) -> str:
    expected, now = case.running_expected, f"now {case.signals.running or 0.0:.0f}"
    if expected is None:
        return f" ({now})"
    if math.isinf(expected):
        return f" ({now}; {count_replicas(case.signals.ready)} cannot carry it)"
    return f" ({now}, on the way to {expected:.0f})"


def _sizing(case: Case, wanted: Wanted) -> str:
    replicas, signals = count_replicas(wanted.replicas), case.signals
    if wanted.signal is Signal.QUEUE:
        if signals.finished_per_second is None:
            return f"one step to {replicas}, as nothing says yet how fast requests finish"
        return f"{replicas} clear the queue in {CLEAR_QUEUE_SECONDS:g} s"
    if _is_carrying(case, wanted):
        return f"{replicas} carry a tenth more than the load"
    if wanted.signal is Signal.CONCURRENCY:
        most = (signals.max_num_seqs or 0.0) * CONCURRENCY_LINE * HEADROOM
        return f"{replicas} run no more than {most:.0f} each"
    return _sizing_memory(case, wanted)


def _sizing_memory(case: Case, wanted: Wanted) -> str:
    replicas, memory = count_replicas(wanted.replicas), case.signals.memory
    if wanted.replicas != case.needs.memory or memory is None:
        return f"one step to {replicas}"
    target = case.policy.memory_used_percentage * HEADROOM
    room = kv_room_bytes(case.policy, memory)
    if room + memory.non_kv_bytes < target / 100 * memory.device_bytes:
        return f"{replicas} fill no more than 90 % of their KV pools"
    return f"{replicas} keep memory below {target:.4g} %"


def _is_carrying(case: Case, wanted: Wanted) -> bool:
    # Where the engines' own speed asked for more than what runs or is held at this moment.
    if case.model is None or wanted.replicas != case.needs.by_signal[wanted.signal]:
        return False
    held = compute_needs(case.policy, case.signals, case.demand).by_signal[wanted.signal]
    return held is None or wanted.replicas > held
