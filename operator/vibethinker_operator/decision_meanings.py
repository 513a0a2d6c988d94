"""Every word of a decision in a sentence; the generated reference and its test read this."""

from collections.abc import Mapping
from typing import Final

from vibethinker_operator.scaling import Reason, Rule

RULES: Final[Mapping[Rule, str]] = {
    Rule.MEMORY: "Live memory stayed above its line, or pods refused for memory.",
    Rule.QUEUE: "Waiting requests stayed above their line.",
    Rule.CONCURRENCY: "Running requests stayed near what the engines can run at once.",
    Rule.MIN_REPLICAS: "There were fewer than `minReplicas`.",
    Rule.MAX_REPLICAS: "There were more than `maxReplicas`.",
    Rule.SCALE_IN: "The highest need of the stabilization window is lower.",
    Rule.WITHDRAW: "A step's pods found no place, or were not Ready in time.",
    Rule.HOLD: "Nothing is to be changed.",
    Rule.METRICS_UNAVAILABLE: "Too few replicas can be read: the size is held.",
    Rule.MANUAL: "`spec.replicas` gives it (mode Manual).",
}

REASONS: Final[Mapping[Reason, str]] = {
    Reason.MEMORY_ABOVE_LINE: "Grew: live memory stayed above its line.",
    Reason.QUEUE_ABOVE_LINE: "Grew: waiting requests stayed above their line.",
    Reason.CONCURRENCY_ABOVE_LINE: "Grew: nearly all that can run at once did.",
    Reason.BELOW_MIN_REPLICAS: "Grew to `minReplicas`.",
    Reason.ABOVE_MAX_REPLICAS: "Shrinks to `maxReplicas`, one drain at a time.",
    Reason.DEMAND_FELL: "Shrank: fewer were enough for the whole stabilization window.",
    Reason.BELOW_LINES: "Holds: no line is crossed.",
    Reason.LINE_CROSSED: "Holds: a line is crossed, not yet for `sustainedSeconds`.",
    Reason.ENOUGH_REPLICAS: "Holds: what load asks for is there or on its way.",
    Reason.AT_MAX_REPLICAS: "Holds: load asks for more than `maxReplicas`.",
    Reason.WAITING_FOR_PLACEMENT: "Holds: a pod asked for before still waits for a node.",
    Reason.STEP_WITHDRAWN: "Took a step back that found no place, or does not repeat it yet.",
    Reason.STABILIZING: "Holds: fewer would do, but not for long enough yet.",
    Reason.ROLLOUT_IN_PROGRESS: "Holds: pods of more than one template run.",
    Reason.OVERLOAD_POLICY_REJECT: "Holds: `overload.policy` is Reject, so load adds nothing.",
    Reason.METRICS_UNAVAILABLE: "Holds: too few replicas can be read.",
    Reason.NO_REPLICA_READY: "Holds: there is no ready replica to read.",
    Reason.MANUAL_MODE: "As `spec.replicas` says.",
}
