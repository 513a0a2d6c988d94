"""The values of scaling: what is asked for (policy), what is answered (decision), what is kept.

Only types live here, so that the chain that fills them (needs, supply, decision) can share them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from vibethinker_operator.stabilization import NeedHistory
from vibethinker_operator.step_model import StepFit
from vibethinker_operator.streak import Signal, Streak, Track, newest_streak, start_tracks

RETRY_WITHDRAWN_SECONDS: Final = 600.0
"""A step that found no place is asked for again after ten minutes, or when room was made."""


class Mode(StrEnum):
    """Who decides the number of replicas."""

    AUTO = "Auto"
    ADVISORY = "Advisory"
    MANUAL = "Manual"


class Rule(StrEnum):
    """Which rule gave the number."""

    MEMORY = "Memory"
    QUEUE = "Queue"
    CONCURRENCY = "Concurrency"
    MIN_REPLICAS = "MinReplicas"
    MAX_REPLICAS = "MaxReplicas"
    SCALE_IN = "ScaleIn"
    WITHDRAW = "Withdraw"
    HOLD = "Hold"
    METRICS_UNAVAILABLE = "MetricsUnavailable"
    MANUAL = "Manual"


class Reason(StrEnum):
    """Why, in one word: for the status, events and metrics."""

    MEMORY_ABOVE_LINE = "MemoryAboveLine"
    QUEUE_ABOVE_LINE = "QueueAboveLine"
    CONCURRENCY_ABOVE_LINE = "ConcurrencyAboveLine"
    BELOW_MIN_REPLICAS = "BelowMinReplicas"
    ABOVE_MAX_REPLICAS = "AboveMaxReplicas"
    DEMAND_FELL = "DemandFell"
    BELOW_LINES = "BelowLines"
    LINE_CROSSED = "LineCrossed"
    ENOUGH_REPLICAS = "EnoughReplicas"
    AT_MAX_REPLICAS = "AtMaxReplicas"
    WAITING_FOR_PLACEMENT = "WaitingForPlacement"
    STEP_WITHDRAWN = "StepWithdrawn"
    STABILIZING = "Stabilizing"
    ROLLOUT_IN_PROGRESS = "RolloutInProgress"
    OVERLOAD_POLICY_REJECT = "OverloadPolicyReject"
    METRICS_UNAVAILABLE = "MetricsUnavailable"
    NO_REPLICA_READY = "NoReplicaReady"
    MANUAL_MODE = "ManualMode"


@dataclass(frozen=True, slots=True)
class ScalingPolicy:
    """What the resource asks of scaling.

    Attributes:
        mode: Who decides.
        written_replicas: `spec.replicas`: what modes Manual and Advisory run.
        min_replicas: Fewest replicas in mode Auto.
        max_replicas: Most replicas in mode Auto.
        memory_used_percentage: The line of live memory, in percent of device memory.
        request_queue_length: The line of waiting requests, per ready replica.
        sustained_seconds: How long a line must stay crossed (the queue's: half of it).
        stabilization_seconds: Over how long the highest need is taken before shrinking.
        startup_deadline_seconds: How long a pod with a node may take to be Ready.
        provisioning_deadline_seconds: How long a pod may wait for a node.
        grows: Whether load may add replicas. Under overload policy `Reject` it may not: the pods
            refuse instead.
    """

    mode: Mode = Mode.AUTO
    written_replicas: int = 1
    min_replicas: int = 1
    max_replicas: int = 1
    memory_used_percentage: int = 75
    request_queue_length: int = 4
    sustained_seconds: float = 10.0
    stabilization_seconds: float = 300.0
    startup_deadline_seconds: float = 1800.0
    provisioning_deadline_seconds: float = 900.0
    grows: bool = True

    def window_seconds(self, signal: Signal) -> float:
        """Returns how long the line of this signal must stay crossed."""
        # Waiting users feel a queue at once; memory has the hard line in the pod below it.
        return self.sustained_seconds / 2 if signal is Signal.QUEUE else self.sustained_seconds


@dataclass(frozen=True, slots=True)
class Verdict:
    """Status, reason and message of a condition."""

    status: bool
    reason: str
    message: str


class Growth(StrEnum):
    """What the lease tells the pods about relief."""

    CAN_GROW = "CanGrow"
    CANNOT_GROW = "CannotGrow"
    NOT_OURS = "NotOurs"


@dataclass(frozen=True, slots=True)
class GrowthVerdict:
    """Whether relief can come, and when.

    Attributes:
        growth: The word of the lease.
        relief_at: When it is due, in unix seconds; None if nobody can say.
        message: Why, in a sentence.
    """

    growth: Growth
    relief_at: float | None
    message: str


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A step that was taken back because its pods found no place or never got Ready.

    Attributes:
        at: When, in unix seconds.
        pods: The pods that were late; empty if they could not even be made.
        message: What is said about it.
    """

    at: float
    pods: frozenset[str]
    message: str

    def is_closed(self, *, room_event_at: float | None, now: float) -> bool:
        """Returns whether the step may be asked for again."""
        if now - self.at >= RETRY_WITHDRAWN_SECONDS:
            return True
        return room_event_at is not None and self.at < room_event_at <= now


@dataclass(frozen=True, slots=True)
class StartTimes:
    """How long a pod takes from made to Ready.

    Attributes:
        seconds: The learned time; None before any pod was Ready.
        witnessed: Whether it comes from pods that were seen on their way.
        on_their_way: Pods that have not been Ready yet.
        been_ready: Pods that have been Ready, whatever they are now.
    """

    seconds: float | None = None
    witnessed: bool = False
    on_their_way: frozenset[str] = frozenset()
    been_ready: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ScalingState:
    """What one decision leaves for the next. Losing it (a restart) never shrinks a fleet.

    Attributes:
        tracks: How long each line has been crossed.
        history: Needs of the stabilization window.
        withdrawal: The step last taken back.
        start_times: How long a pod takes to start, learned from those that did.
        fit: What the engines' time went into, learned from their counters.
        decided_at: When the last decision was made, in unix seconds.
        replicas_seen: `.spec.replicas` of the last decision.
        last_scale_at: When `.spec.replicas` was last seen to change, in unix seconds.
        last_scale_in_at: When it was last seen to fall, in unix seconds.
    """

    tracks: tuple[Track, ...] = field(default_factory=start_tracks)
    history: NeedHistory = field(default_factory=NeedHistory)
    withdrawal: Withdrawal | None = None
    start_times: StartTimes = field(default_factory=StartTimes)
    fit: StepFit = field(default_factory=StepFit)
    decided_at: float | None = None
    replicas_seen: int | None = None
    last_scale_at: float | None = None
    last_scale_in_at: float | None = None

    @classmethod
    def resume(cls, streak: Streak | None) -> "ScalingState":
        """Returns the state after a restart, with the streak that the status kept."""
        return cls(tracks=start_tracks(streak))

    @property
    def streak(self) -> Streak | None:
        """The streak to keep in the status."""
        return newest_streak(self.tracks)


@dataclass(frozen=True, slots=True)
class Decision:
    """How many replicas, and everything that may be asked about that.

    Attributes:
        desired: The number to apply.
        recommended: What mode Auto would apply; the same as `desired` in mode Auto.
        replicas: `.spec.replicas` at the time of the decision.
        rule: The rule that gave the number.
        reason: Why, in one word.
        message: Why, in a sentence with the numbers.
        inputs: The numbers that were used, by name; only those that are known.
        counterfactual: What would change the answer.
        growth: Whether relief can come: for the lease.
        limited: Condition `ScalingLimited`.
        active: Condition `ScalingActive`.
        state: What the next decision needs.
    """

    desired: int
    recommended: int
    replicas: int
    rule: Rule
    reason: Reason
    message: str
    inputs: Mapping[str, float]
    counterfactual: str
    growth: GrowthVerdict
    limited: Verdict
    active: Verdict
    state: ScalingState
