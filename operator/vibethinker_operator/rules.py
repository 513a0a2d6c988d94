"""The rules of scaling as a chain: the first that has an answer gives it.

Each rule is a pure function of a `Case`, everything that is known in one sweep.

    below min ─ above max ─ withdraw ─ no data ─ grow ─ shrink ─ hold
"""

from collections.abc import Callable
from typing import Final

from vibethinker_operator import explain
from vibethinker_operator.case import Answer, Case, find_wanted
from vibethinker_operator.scaling import Reason, Rule
from vibethinker_operator.streak import Signal
from vibethinker_operator.supply import describe_lost
from vibethinker_operator.wording import count_replicas

SCALE_IN_PAUSE_SECONDS: Final = 30.0
"""After a shrink the fleet is looked at for as long as a queue may take to clear, before the next:
the lines tell what the last step did."""

_RULE_OF: Final = {
    Signal.MEMORY: (Rule.MEMORY, Reason.MEMORY_ABOVE_LINE),
    Signal.QUEUE: (Rule.QUEUE, Reason.QUEUE_ABOVE_LINE),
    Signal.CONCURRENCY: (Rule.CONCURRENCY, Reason.CONCURRENCY_ABOVE_LINE),
}


def answer(case: Case) -> Answer:
    """Returns the answer of the first rule that has one."""
    for rule in _CHAIN:
        found = rule(case)
        if found is not None:
            return found
    return _hold(case)


def _below_min(case: Case) -> Answer | None:
    least = case.policy.min_replicas
    if case.replicas >= least:
        return None
    message = f"{count_replicas(case.replicas)} of at least {least} (minReplicas)"
    return Answer(least, Rule.MIN_REPLICAS, Reason.BELOW_MIN_REPLICAS, message)


def _above_max(case: Case) -> Answer | None:
    most = case.policy.max_replicas
    if case.replicas <= most:
        return None
    if case.rolling:
        return _hold_for_rollout(case)
    have = count_replicas(case.replicas)
    message = f"{have} of at most {most} (maxReplicas): drained one by one"
    return Answer(most, Rule.MAX_REPLICAS, Reason.ABOVE_MAX_REPLICAS, message)


def _withdraw(case: Case) -> Answer | None:
    placed = max(case.policy.min_replicas, case.supply.counted)
    if placed >= case.replicas or case.rolling:
        return None
    message = f"{describe_lost(case.supply)}; back to {placed}, tried again in ten minutes"
    return Answer(placed, Rule.WITHDRAW, Reason.STEP_WITHDRAWN, message)


def _no_data(case: Case) -> Answer | None:
    signals = case.signals
    if signals.known and 2 * signals.known >= signals.expected:
        return None
    reason = Reason.METRICS_UNAVAILABLE if signals.expected else Reason.NO_REPLICA_READY
    return Answer(
        case.replicas, Rule.METRICS_UNAVAILABLE, reason, explain.describe_missing(signals)
    )


def _grow(case: Case) -> Answer | None:
    wanted = find_wanted(case)
    if wanted is None or wanted.replicas <= case.supply.counted:
        return None
    why = explain.describe_wanted(case, wanted)
    veto = _find_veto(case)
    if veto is not None:
        reason, because = veto
        return Answer(case.replicas, Rule.HOLD, reason, f"{why}; {because}")
    asked = case.replicas + wanted.replicas - case.supply.counted
    most = case.policy.max_replicas
    rule, reason = _RULE_OF[wanted.signal]
    if asked > most:
        why = f"{why}; maxReplicas allows {most}"
    return Answer(min(asked, most), rule, reason, why)


def _find_veto(case: Case) -> tuple[Reason, str] | None:
    if not case.policy.grows:
        return Reason.OVERLOAD_POLICY_REJECT, "overload.policy is Reject: load adds no replicas"
    if case.replicas >= case.policy.max_replicas:
        return Reason.AT_MAX_REPLICAS, f"maxReplicas is {case.policy.max_replicas}"
    if case.supply.obstacle is not None:
        return Reason.WAITING_FOR_PLACEMENT, f"nothing more is asked for: {case.supply.obstacle}"
    if case.withdrawal is not None:
        return Reason.STEP_WITHDRAWN, f"not tried again yet: {case.withdrawal.message}"
    return None


def _shrink(case: Case) -> Answer | None:
    highest = case.history.highest
    fewer = case.replicas - 1
    if fewer < case.policy.min_replicas or case.signals.partial or highest is None:
        return None
    if highest > fewer:
        return None
    if case.rolling:
        return _hold_for_rollout(case)
    if not case.observed.draining and not _may_start_shrinking(case):
        return None
    message = explain.describe_shrink(case, highest)
    return Answer(fewer, Rule.SCALE_IN, Reason.DEMAND_FELL, message)


def _may_start_shrinking(case: Case) -> bool:
    # A drain that is under way (its mark is on the pod, so it survives a restart) goes on without
    # a whole window: undoing it would only start it again.
    if not case.history.covers(case.policy.stabilization_seconds, case.now):
        return False
    last = case.state.last_scale_in_at
    return last is None or case.now - last >= SCALE_IN_PAUSE_SECONDS


def _hold(case: Case) -> Answer:
    reason, message = _explain_hold(case)
    return Answer(case.replicas, Rule.HOLD, reason, message)


def _explain_hold(case: Case) -> tuple[Reason, str]:
    wanted = find_wanted(case)
    if wanted is not None:
        return Reason.ENOUGH_REPLICAS, explain.describe_enough(case, wanted)
    if case.crossed:
        return Reason.LINE_CROSSED, explain.describe_crossed(case, case.crossed[0])
    waiting = explain.describe_stabilizing(case)
    if waiting is not None:
        return Reason.STABILIZING, waiting
    return Reason.BELOW_LINES, explain.describe_load(case)


def _hold_for_rollout(case: Case) -> Answer:
    message = "pods of more than one template run: nothing shrinks until the rollout is done"
    return Answer(case.replicas, Rule.HOLD, Reason.ROLLOUT_IN_PROGRESS, message)


_CHAIN: Final[tuple[Callable[[Case], Answer | None], ...]] = (
    _below_min,  # an edit of minReplicas acts at once, whatever is known
    _above_max,  # and so does one of maxReplicas
    _withdraw,  # what did not come in time serves nobody: this needs no readings either
    _no_data,  # from here on readings decide
    _grow,
    _shrink,
)
