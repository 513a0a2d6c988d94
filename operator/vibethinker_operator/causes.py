"""Why a fleet has no more pods Ready: the cluster's own words, found and copied. Pure."""

import re
from dataclasses import dataclass
from typing import Final

from vibethinker_doctor.wording import tell_in_cluster

from vibethinker_operator.api import Spec
from vibethinker_operator.condition_reasons import ConditionReason as Why
from vibethinker_operator.diagnosis import diagnose_pod
from vibethinker_operator.errors import (
    ClusterError,
    ConflictError,
    ForbiddenError,
    UnavailableError,
)
from vibethinker_operator.observed import Observed, ObservedPod
from vibethinker_operator.preparation import Preparation, PreparationState

SETTLED_RESTARTS: Final = 2
"""Restarts after which a container that ends is a cause and no longer bad luck."""

CRASH_LOOP: Final = "CrashLoopBackOff"
"""The kubelet's word for a container that ends again and again."""

REASON_LIMIT: Final = 128
"""Characters of a condition's reason (api.status.Condition)."""


@dataclass(frozen=True)
class Cause:
    """What stands in the way, as a CamelCase reason and the sentence the cluster gave."""

    reason: str
    message: str


def describe_refusal(error: ClusterError) -> Cause:
    """Returns why an object of the fleet could not be written."""
    match error:
        case ConflictError():
            return Cause(
                Why.NAME_TAKEN,
                f"an object of that name belongs to somebody else: {error}",
            )
        case ForbiddenError():
            return Cause(Why.WRITE_FORBIDDEN, str(error))
        case UnavailableError():
            return Cause(Why.API_UNAVAILABLE, str(error))
    return Cause(Why.WRITE_REFUSED, str(error))


def find_preparation_cause(preparation: Preparation, spec: Spec) -> Cause | None:
    """Returns what keeps a Job from writing the weights; None where nothing does."""
    if preparation.state is PreparationState.FAILED:
        said = (
            f"job {preparation.job}: {preparation.message}; once mended, kubectl delete job"
            f" {preparation.job} has it tried again"
        )
        return Cause(Why.PREPARATION_FAILED, said)
    return _find_pod_cause(preparation.pod, spec) if preparation.pod else None


def find_cause(observed: Observed, spec: Spec) -> Cause | None:
    """Returns what keeps pods from being made or from getting Ready; None where nothing does.

    Why a container ended is the doctor's to say, with what to change in `spec`; where it cannot,
    the kubelet's own word stands.
    """
    failure = observed.deployment.replica_failure
    if failure is not None:
        return Cause(_to_reason(failure.reason), failure.message)
    causes = (_find_pod_cause(pod, spec) for pod in observed.active if not pod.ready)
    return next((cause for cause in causes if cause is not None), None)


def _find_pod_cause(pod: ObservedPod, spec: Spec) -> Cause | None:
    if pod.unschedulable_message is not None:
        return Cause(Why.UNSCHEDULABLE, f"pod {pod.name}: {pod.unschedulable_message}")
    crashed = pod.waiting_reason == CRASH_LOOP or pod.restarts >= SETTLED_RESTARTS
    finding = diagnose_pod(pod, spec) if crashed else None
    if finding is not None:
        said = f"pod {pod.name}: {tell_in_cluster(finding)}; {_point_to_log(pod)}"
        return Cause(finding.code, said)
    if pod.waiting_reason is not None:
        said = pod.waiting_message or "the kubelet gives no message"
        return Cause(_to_reason(pod.waiting_reason), f"pod {pod.name}: {said}{_last_end(pod)}")
    if pod.last_termination is not None and pod.restarts >= SETTLED_RESTARTS:
        ended = f"pod {pod.name}: restarted {pod.restarts} times{_last_end(pod)}"
        return Cause(_to_reason(pod.last_termination.reason), ended)
    return None


def _to_reason(said: str) -> str:
    # Runtimes are free in their words (CRI-O says "seccomp killed"), a condition is not: one that
    # the status refuses would cost the fleet its whole tick.
    words = re.findall(r"[A-Za-z0-9]+", said)
    reason = "".join(word[0].upper() + word[1:] for word in words)[:REASON_LIMIT]
    return reason if reason[:1].isalpha() else "Unknown"


def _last_end(pod: ObservedPod) -> str:
    ended = pod.last_termination
    if ended is None:
        return ""
    said = f"its container last ended with {ended.reason} (exit code {ended.exit_code})"
    return f"; {said}; {_point_to_log(pod)}"


def _point_to_log(pod: ObservedPod) -> str:
    return f"its log says more: kubectl logs --previous {pod.name}"
