"""What would change the answer: the other half of every explanation."""

from collections.abc import Callable, Mapping
from typing import Final

from vibethinker_operator.case import Answer, Case, find_wanted
from vibethinker_operator.needs import concurrency_line, queue_line
from vibethinker_operator.scaling import RETRY_WITHDRAWN_SECONDS, Reason, Rule
from vibethinker_operator.streak import Signal

MOST_TIMES: Final = 100.0
"""Of an idle fleet's load any number of times is next to nothing, and so says nothing."""


def describe_counterfactual(case: Case, answer: Answer) -> str:
    """Returns what would change the answer, in a clause."""
    return _DESCRIBE[answer.reason](case, answer)


def _describe_min(case: Case, _: Answer) -> str:
    return f"would hold with minReplicas at {case.replicas}"


def _describe_max(case: Case, _: Answer) -> str:
    return f"would hold with maxReplicas at {case.replicas}"


def _describe_at_max(case: Case, _: Answer) -> str:
    return f"would grow with maxReplicas above {case.policy.max_replicas}"


def _describe_unreadable(case: Case, _: Answer) -> str:
    return f"would decide when {(case.signals.expected + 1) // 2} replicas can be read"


def _describe_enough(case: Case, _: Answer) -> str:
    return f"would grow when {case.supply.counted + 1} replicas are needed"


def _describe_fell(case: Case, _: Answer) -> str:
    return f"would hold at a need of {case.replicas}"


def _describe_grown(case: Case, _: Answer) -> str:
    wanted = find_wanted(case)
    return f"would hold at {_hold_line(case, wanted.crossed)}" if wanted else "would hold below it"


def _describe_below(case: Case, _: Answer) -> str:
    if case.replicas >= case.policy.max_replicas:
        return f"would grow only with maxReplicas above {case.policy.max_replicas}"
    return f"would grow at {_grow_line(case, _find_nearest(case))}"


def _describe_lasting(case: Case, _: Answer) -> str:
    track = case.crossed[0]
    seconds = max(1.0, case.remaining_seconds(track) or 0.0)
    what = {
        Signal.MEMORY: f"memory stays above {case.policy.memory_used_percentage} %",
        Signal.QUEUE: f"queue stays above {queue_line(case.policy, case.signals)}",
        Signal.CONCURRENCY: f"running stays above {_running_line(case)}",
    }[track.signal]
    return f"would grow when {what} for {seconds:.0f} s more"


def _describe_shrinking(case: Case, _: Answer) -> str:
    if case.signals.partial:
        return "would shrink when every replica can be read"
    window = case.policy.stabilization_seconds
    waiting = case.history.waiting_seconds(case.replicas, window, case.now)
    soon = f" in {waiting:.0f} s" if waiting else ""
    return f"would shrink to {case.replicas - 1}{soon} if no more is needed"


def _describe_retry(case: Case, answer: Answer) -> str:
    if answer.rule is Rule.WITHDRAW or case.withdrawal is None:
        return "would hold if the replica became Ready"
    left = max(0.0, case.withdrawal.at + RETRY_WITHDRAWN_SECONDS - case.now)
    return f"would try again in {left:.0f} s, or when a node or a quota changes"


def _always(text: str) -> Callable[[Case, Answer], str]:
    return lambda _case, _answer: text


_DESCRIBE: Final[Mapping[Reason, Callable[[Case, Answer], str]]] = {
    Reason.MEMORY_ABOVE_LINE: _describe_grown,
    Reason.QUEUE_ABOVE_LINE: _describe_grown,
    Reason.CONCURRENCY_ABOVE_LINE: _describe_grown,
    Reason.BELOW_MIN_REPLICAS: _describe_min,
    Reason.ABOVE_MAX_REPLICAS: _describe_max,
    Reason.DEMAND_FELL: _describe_fell,
    Reason.BELOW_LINES: _describe_below,
    Reason.LINE_CROSSED: _describe_lasting,
    Reason.ENOUGH_REPLICAS: _describe_enough,
    Reason.AT_MAX_REPLICAS: _describe_at_max,
    Reason.WAITING_FOR_PLACEMENT: _always("would grow when what was asked for has its place"),
    Reason.STEP_WITHDRAWN: _describe_retry,
    Reason.STABILIZING: _describe_shrinking,
    Reason.ROLLOUT_IN_PROGRESS: _always("would shrink when the rollout is done"),
    Reason.OVERLOAD_POLICY_REJECT: _always(
        "would grow with overload.policy ScaleOut or ScaleOutThenReject"
    ),
    Reason.METRICS_UNAVAILABLE: _describe_unreadable,
    Reason.NO_REPLICA_READY: _always("would decide when a replica is Ready"),
    Reason.MANUAL_MODE: _always("would change with spec.replicas"),
}


def _grow_line(case: Case, signal: Signal) -> str:
    times = _load_times(case)
    if signal is Signal.CONCURRENCY and times is not None:
        return f"{times:.2g} times the load, or running >= {_running_line(case) + 1}"
    return {
        Signal.MEMORY: f"memory > {case.policy.memory_used_percentage} %",
        Signal.QUEUE: f"queue >= {queue_line(case.policy, case.signals) + 1}",
        Signal.CONCURRENCY: f"running >= {_running_line(case) + 1}",
    }[signal]


def _hold_line(case: Case, signal: Signal) -> str:
    return {
        Signal.MEMORY: f"memory <= {case.policy.memory_used_percentage} % and no refusals",
        Signal.QUEUE: f"queue <= {queue_line(case.policy, case.signals)}",
        Signal.CONCURRENCY: f"running <= {_running_line(case)}",
    }[signal]


def _load_times(case: Case) -> float | None:
    """Returns how many times the load would cross the line of running requests."""
    model, flow, line = case.model, case.demand.flow, concurrency_line(case.signals)
    if model is None or flow is None or not line or not case.signals.ready:
        return None
    ready = case.signals.ready
    times = model.load_for(flow, ready, line / ready)
    return times if 1 < times < MOST_TIMES else None


def _running_line(case: Case) -> int:
    return int(concurrency_line(case.signals) or 0)


def _find_nearest(case: Case) -> Signal:
    """Returns the signal that stands nearest to its line."""
    signals, policy = case.signals, case.policy
    shares = {Signal.QUEUE: (signals.waiting or 0.0) / (queue_line(policy, signals) + 1)}
    if signals.memory is not None:
        line = policy.memory_used_percentage / 100
        shares[Signal.MEMORY] = signals.memory.used_ratio / line
    running = concurrency_line(signals)
    if running and signals.running is not None:
        times = _load_times(case)
        expected = 1 / times if times else 0.0
        shares[Signal.CONCURRENCY] = max(signals.running / running, expected)
    return max(shares, key=lambda signal: shares[signal])
