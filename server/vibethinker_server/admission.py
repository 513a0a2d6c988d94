"""Who is let in: a chain of rules over policy, lease and load. Pure.

Rules in order, for one request that generates:

1. The engine does not answer yet: 503 `not_ready`.
2. The pod has drained for longer than its grace: 503 `draining`, known sessions too.
3. The queue is full: 429 `queue_full`. Known sessions may fill it twice over, so that their
   turns go on while newcomers wait, yet no crowd of them can grow it without bound.
4. The pool is all but full: 429 `hard_line`, newcomers only.
5. The memory line is crossed: 429 `memory_line`; the newcomer's likely KV does not fit beside what
   is promised: 429 `kv_headroom`; its first token would come later than its profile's objective:
   429 `time_to_first_token`. Newcomers only, by policy and lease:

   | policy             | CanGrow | CannotGrow, no lease | NotOurs                    |
   |--------------------|---------|----------------------|----------------------------|
   | Reject             | refused | refused              | refused                    |
   | ScaleOutThenReject | let in  | refused              | let in, counted as would be|
   | ScaleOut           | let in  | let in               | let in                     |

What is unknown refuses nobody; the queue stays bounded all the same.
"""

from dataclasses import dataclass

from vibethinker_server import names
from vibethinker_server.fleet import DRAIN_GRACE_SECONDS, Verdict
from vibethinker_server.headroom import HARD_LINE_RATIO
from vibethinker_server.load import Load
from vibethinker_server.policy import Growth, OverloadPolicy, Policy
from vibethinker_server.retry_after import queue_seconds

KNOWN_QUEUE_FACTOR = 2
KNOWN_PRIORITY = 0
NEWCOMER_PRIORITY = 10
# Waits spread around what is predicted: of those let in at twice the load that a fleet carries,
# 85 % had their first token in time without a margin and 98 % with this one, and no fewer were
# served (make bench-sim, overload).
WAIT_MARGIN = 1.6
# Somebody else serves: the client only has to come over a new connection.
ELSEWHERE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Facts:
    """What stands beside policy and load when one request is judged.

    Attributes:
        known: the request is of a session that had an admitted one, and within its limits.
        answering: the engine answers.
        draining_seconds: for how long the pod has drained, None: it does not.
        line_crossed: the memory line counts as crossed.
        queue_length: requests let in that would not run, with this one; known without a load.
        finished_per_second: requests that this pod finished lately, None: not known.
        kv_fits: the request's likely KV fits beside what is promised.
        first_token_seconds: predicted wait for the first token, None: not known.
        objective_seconds: the longest such wait that the request's profile allows.
    """

    known: bool
    answering: bool
    draining_seconds: float | None
    line_crossed: bool
    queue_length: int
    finished_per_second: float | None
    kv_fits: bool = True
    first_token_seconds: float | None = None
    objective_seconds: float = 3.0


@dataclass(frozen=True, slots=True)
class Admitted:
    """Let in, with a vLLM priority (lower goes first) and the reason for a refusal not made."""

    priority: int
    would_reject: str | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """Refused; `retry_after_seconds` is the computed wait before it is spread."""

    status: int
    reason: str
    retry_after_seconds: float


def admit(policy: Policy, lease: Verdict, load: Load, facts: Facts) -> Admitted | Rejected:
    """Returns whether one request is let in, by the rules of this module's docstring."""
    absent = _nobody_here(facts)
    if absent is not None:
        return Rejected(503, absent, ELSEWHERE_SECONDS)
    if _queue_is_full(policy, facts):
        return _busy(names.REASON_QUEUE_FULL, facts)
    if facts.known:
        return Admitted(KNOWN_PRIORITY)
    if load.kv_usage_ratio is not None and load.kv_usage_ratio >= HARD_LINE_RATIO:
        return _busy(names.REASON_HARD_LINE, facts)
    refusal = _saturated(load, facts)
    return Admitted(NEWCOMER_PRIORITY) if refusal is None else _by_lease(policy, lease, refusal)


def _nobody_here(facts: Facts) -> str | None:
    if not facts.answering:
        return names.REASON_NOT_READY
    if facts.draining_seconds is not None and facts.draining_seconds >= DRAIN_GRACE_SECONDS:
        return names.REASON_DRAINING
    return None


def _queue_is_full(policy: Policy, facts: Facts) -> bool:
    factor = KNOWN_QUEUE_FACTOR if facts.known else 1
    return facts.queue_length > policy.max_queued_requests * factor


def _saturated(load: Load, facts: Facts) -> Rejected | None:
    if facts.line_crossed and load.memory_used_ratio is not None:
        return _busy(names.REASON_MEMORY_LINE, facts)
    if not facts.kv_fits:
        return _busy(names.REASON_KV_HEADROOM, facts)
    wait = facts.first_token_seconds
    if wait is not None and wait * WAIT_MARGIN > facts.objective_seconds:
        late = max(0.0, wait - facts.objective_seconds)
        return Rejected(429, names.REASON_FIRST_TOKEN, late)
    return None


def _by_lease(policy: Policy, lease: Verdict, refused: Rejected) -> Admitted | Rejected:
    if policy.overload is OverloadPolicy.REJECT:
        return refused
    if policy.overload is OverloadPolicy.SCALE_OUT or lease.growth is Growth.CAN_GROW:
        return Admitted(NEWCOMER_PRIORITY)
    if lease.growth is Growth.NOT_OURS:
        return Admitted(NEWCOMER_PRIORITY, would_reject=refused.reason)
    return refused


def _busy(reason: str, facts: Facts) -> Rejected:
    return Rejected(429, reason, queue_seconds(facts.queue_length, facts.finished_per_second))
