"""What is to be done this second, as ordered values: nothing is done here. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vibethinker_operator.drain import VICTIM_DELETION_COST, DrainStep, Mark, Shrink, Undo
from vibethinker_operator.observed import Observed, ObservedPod
from vibethinker_operator.samples import Sample
from vibethinker_operator.scaling import Decision


@dataclass(frozen=True)
class SetReplicas:
    """Write the fleet's size, if it still is what the decision saw; `victims` are to go."""

    current: int
    replicas: int
    message: str
    victims: tuple[ObservedPod, ...] = ()


@dataclass(frozen=True)
class MarkPod:
    """Note on the pod that it is the one to go, and since when it drains (unix seconds).

    A pod that serves nobody goes without a drain: `since` is then None.
    """

    pod: ObservedPod
    since: float | None


@dataclass(frozen=True)
class UnmarkPod:
    """Take that note back: the pod is wanted again."""

    pod: ObservedPod


@dataclass(frozen=True)
class StartDrain:
    """Tell a marked pod to take nothing new."""

    pod: ObservedPod


@dataclass(frozen=True)
class StopDrain:
    """Tell a pod that is marked no longer to serve again."""

    pod: ObservedPod


Action = SetReplicas | MarkPod | UnmarkPod | StartDrain | StopDrain


def build_plan(
    observed: Observed,
    decision: Decision,
    step: DrainStep,
    samples: Mapping[str, Sample],
    now: float,
) -> tuple[Action, ...]:
    """Returns the actions of this tick, in the order in which they are to be done."""
    return (
        *_plan_marks(step, now),
        *_plan_replicas(observed, decision, step),
        *_plan_drain_calls(observed, samples),
    )


def _plan_replicas(observed: Observed, decision: Decision, step: DrainStep) -> Iterator[Action]:
    current = observed.spec_replicas
    if decision.desired > current:
        yield SetReplicas(current, decision.desired, decision.message)
    elif isinstance(step, Shrink) and step.to < current:
        message = f"{decision.message}; {step.message}"
        yield SetReplicas(current, step.to, message, step.victims)


def _plan_marks(step: DrainStep, now: float) -> Iterator[Action]:
    match step:
        case Mark(pod):
            yield MarkPod(pod, now)
        case Undo(pods):
            yield from (UnmarkPod(pod) for pod in pods)
        case Shrink(_, victims, _):
            # Before the write: one that gets Ready this very moment would stand equal to all.
            yield from (MarkPod(pod, None) for pod in victims if not _is_priced(pod))


def _is_priced(pod: ObservedPod) -> bool:
    return pod.deletion_cost == VICTIM_DELETION_COST


def _plan_drain_calls(observed: Observed, samples: Mapping[str, Sample]) -> Iterator[Action]:
    # The annotation is what is wanted, the sample is what the pod does: each tick closes the gap,
    # so a lost call or a restarted operator changes nothing.
    for pod in observed.active:
        draining = samples[pod.uid].draining if pod.uid in samples else None
        if pod.draining_since is not None and draining is False:
            yield StartDrain(pod)
        elif pod.draining_since is None and draining is True:
            yield StopDrain(pod)
