"""How far the weights are that a fleet's Job prepares: seen, never asked for. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from vibethinker_operator import names
from vibethinker_operator.observed import ObservedPod, parse_pod
from vibethinker_operator.prepared_model import PreparedModel

Body = Mapping[str, Any]


class PreparationState(Enum):
    """Where a Job has got to."""

    MISSING = "Missing"
    RUNNING = "Running"
    FAILED = "Failed"
    COMPLETE = "Complete"


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """The weights that a fleet waits for, or has.

    Attributes:
        model: What is written.
        job: Name of the Job that writes it.
        state: Where that Job has got to.
        pod: Its newest pod; None: none yet.
        message: Why it failed, in the words of its pod or of its controller; else empty.
    """

    model: PreparedModel
    job: str
    state: PreparationState
    pod: ObservedPod | None = None
    message: str = ""

    @property
    def complete(self) -> bool:
        """Whether pods may read the weights."""
        return self.state is PreparationState.COMPLETE


def read_preparation(
    fleet: str, model: PreparedModel, jobs: Iterable[Body], pods: Iterable[Body]
) -> Preparation:
    """Returns how far `model` is, as the watches show the Jobs of `fleet` and their pods."""
    name = names.prepare_job(fleet, model.digest)
    job = next((job for job in jobs if job["metadata"]["name"] == name), None)
    if job is None:
        return Preparation(model=model, job=name, state=PreparationState.MISSING)
    uid = job["metadata"]["uid"]
    ours = sorted(
        (parse_pod(pod) for pod in pods if _is_of(pod, uid)), key=lambda pod: (pod.created, pod.uid)
    )
    newest = ours[-1] if ours else None
    state, said = _read_state(job)
    return Preparation(
        model=model, job=name, state=state, pod=newest, message=_last_words(newest) or said
    )


def _is_of(pod: Body, job_uid: str) -> bool:
    owners = pod["metadata"].get("ownerReferences") or ()
    return any(owner.get("uid") == job_uid for owner in owners)


def _read_state(job: Body) -> tuple[PreparationState, str]:
    conditions = (job.get("status") or {}).get("conditions") or ()
    true = {c.get("type"): c for c in conditions if c.get("status") == "True"}
    if "Complete" in true:
        return PreparationState.COMPLETE, ""
    if "Failed" in true:
        return PreparationState.FAILED, str(true["Failed"].get("message") or "no reason given")
    return PreparationState.RUNNING, ""


def _last_words(pod: ObservedPod | None) -> str:
    ended = pod.last_termination if pod else None
    return ended.message if ended else ""
