"""Every condition in words: what it answers, and what each of its reasons means.

The generated references and their tests read this table; `conditions` gives the answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from vibethinker_operator.api.status import ConditionStatus
from vibethinker_operator.condition_reasons import ConditionReason as Why
from vibethinker_operator.conditions import STALLED
from vibethinker_operator.scaling import Reason

TRUE, FALSE, UNKNOWN = ConditionStatus.TRUE, ConditionStatus.FALSE, ConditionStatus.UNKNOWN


@dataclass(frozen=True)
class Meaning:
    """What one answer of a condition means."""

    status: ConditionStatus
    reason: str
    text: str


@dataclass(frozen=True)
class ConditionMeaning:
    """What a condition answers, and its answers.

    Attributes:
        question: What it answers.
        answers: Its answers; those with words of the cluster as reason are not among them.
        cites_cluster: Whether the cluster's own word can be the reason, with status False.
    """

    question: str
    answers: tuple[Meaning, ...]
    cites_cluster: bool = False


_PREPARING: Final = "A Job writes the weights that the pods will read."
_NEEDS_A_PERSON: Final = {
    Why.INVALID_SPEC: "The spec is not one that this operator understands.",
    Why.NAME_TAKEN: "An object that the fleet needs belongs to somebody else.",
    Why.WRITE_FORBIDDEN: "The operator may not write an object: rights or quota.",
    Why.PREPARATION_FAILED: "The Job that writes the weights failed; its own words.",
    Why.WRITE_REFUSED: "The API server refused an object for another reason.",
}
_REFUSED_WRITES: Final = (
    *(Meaning(FALSE, reason, text) for reason, text in _NEEDS_A_PERSON.items()),
    Meaning(FALSE, Why.API_UNAVAILABLE, "The API server did not answer; tried again each second."),
)
_UNSCHEDULABLE: Final = Meaning(
    FALSE, Why.UNSCHEDULABLE, "No node takes the pod; the scheduler's words."
)
_NO_DEPLOYMENT: Final = Meaning(UNKNOWN, Why.NO_DEPLOYMENT, "There is no Deployment yet.")

CONDITIONS: Final[Mapping[str, ConditionMeaning]] = {
    "Ready": ConditionMeaning(
        "Does somebody serve?",
        (
            Meaning(TRUE, Why.SERVING, "At least one replica serves."),
            Meaning(FALSE, Why.CREATING, "The Deployment is being made."),
            Meaning(FALSE, Why.PREPARING_MODEL, _PREPARING),
            Meaning(FALSE, Why.STARTING, "Pods are on their way up; `status.start` has the phase."),
            Meaning(FALSE, Why.SCALED_TO_ZERO, "`spec.replicas` is 0, and the mode obeys it."),
            _UNSCHEDULABLE,
            *_REFUSED_WRITES,
        ),
        cites_cluster=True,
    ),
    "Progressing": ConditionMeaning(
        "Is the fleet on its way to what is wanted?",
        (
            Meaning(TRUE, Why.CREATING, "The Deployment is being made."),
            Meaning(TRUE, Why.PREPARING_MODEL, _PREPARING),
            Meaning(TRUE, Why.STARTING, "Pods are on their way up."),
            Meaning(TRUE, Why.DRAINING, "A pod takes nothing new and ends what it runs."),
            Meaning(TRUE, Why.ROLLING_OUT, "Pods of an older template are being replaced."),
            Meaning(FALSE, Why.COMPLETE, "The fleet has the size that is wanted."),
            _UNSCHEDULABLE,
            *_REFUSED_WRITES,
        ),
        cites_cluster=True,
    ),
    "ScalingActive": ConditionMeaning(
        "Does load decide the number of replicas, here and now?",
        (
            Meaning(TRUE, Why.METRICS_KNOWN, "Enough ready replicas can be read."),
            Meaning(FALSE, Why.ADVISORY_MODE, "Decided and reported, not applied."),
            Meaning(FALSE, Reason.MANUAL_MODE, "Replicas are as `spec.replicas` says."),
            Meaning(FALSE, Reason.NO_REPLICA_READY, "There is no ready replica to read."),
            Meaning(
                FALSE,
                Reason.METRICS_UNAVAILABLE,
                "Fewer than half of the ready replicas can be read: the size is held.",
            ),
            _NO_DEPLOYMENT,
        ),
    ),
    "ScalingLimited": ConditionMeaning(
        "Does a bound keep the fleet from the size that its load asks for?",
        (
            Meaning(FALSE, Why.DESIRED_WITHIN_RANGE, "No: load alone sets the size."),
            Meaning(TRUE, Why.TOO_MANY_REPLICAS, "Load asks for more than `maxReplicas`."),
            Meaning(TRUE, Why.TOO_FEW_REPLICAS, "Fewer than `minReplicas` would do."),
            Meaning(TRUE, Why.FIXED_REPLICAS, "`minReplicas` and `maxReplicas` are equal."),
            Meaning(TRUE, Reason.OVERLOAD_POLICY_REJECT, "`overload.policy` is Reject."),
            Meaning(TRUE, Reason.WAITING_FOR_PLACEMENT, "A pod waits for a node with a device."),
            Meaning(
                TRUE,
                Reason.STEP_WITHDRAWN,
                "A step found no place and was taken back; asked for again after ten minutes.",
            ),
            _NO_DEPLOYMENT,
        ),
    ),
    "MemoryLineReachable": ConditionMeaning(
        "Can live memory get to its line at all?",
        (
            Meaning(TRUE, Why.LINE_REACHABLE, "It can."),
            Meaning(FALSE, Why.QUEUE_DECIDES, "It cannot: only the queue tells that it is full."),
            Meaning(
                FALSE,
                Why.DOES_NOT_FIT,
                "Weights and one sequence do not fit on the device: no engine can start.",
            ),
            Meaning(UNKNOWN, Why.MEMORY_UNKNOWN, "Not known until a pod reports its device."),
        ),
    ),
    "EngineSupported": ConditionMeaning(
        "Is the engine's version one that we test against?",
        (
            Meaning(TRUE, Why.VERSION_TESTED, "It is."),
            Meaning(FALSE, Why.VERSION_UNTESTED, "It is not. It starts all the same."),
            Meaning(UNKNOWN, Why.VERSION_UNKNOWN, "The image's tag names no version."),
        ),
    ),
    "UpdateAvailable": ConditionMeaning(
        "Would this operator make the pods otherwise than they are?",
        (
            Meaning(FALSE, Why.UP_TO_DATE, "It would not."),
            Meaning(TRUE, Why.NEWER_TEMPLATE, "It would. Nothing restarts until it is accepted."),
        ),
    ),
    STALLED: ConditionMeaning(
        "Does the fleet wait for a person? It stands in the status only while it does.",
        tuple(Meaning(TRUE, reason, text) for reason, text in _NEEDS_A_PERSON.items()),
    ),
}
"""Every condition, in the order in which the status lists them."""
