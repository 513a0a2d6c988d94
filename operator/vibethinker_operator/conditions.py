"""The answers of `status.conditions`, each by one pure function of the fleet's view."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from vibethinker_operator import names
from vibethinker_operator.api import Backend
from vibethinker_operator.api.status import Condition, ConditionStatus
from vibethinker_operator.causes import Cause, find_cause, find_preparation_cause
from vibethinker_operator.condition_reasons import ConditionReason as Why
from vibethinker_operator.engine_version import TESTED_VERSIONS, is_tested
from vibethinker_operator.fit import assess_fit, describe_fit, read_figures
from vibethinker_operator.fleet_view import FleetView
from vibethinker_operator.kv import assess_memory_line
from vibethinker_operator.observed import Observed
from vibethinker_operator.scaling import Verdict

MESSAGE_LIMIT: Final = 4096
"""What the CRD takes; the cluster's own words, which are copied, can be longer."""

STALLED: Final = "Stalled"
"""Stands in the status only while it is True: so kstatus, and with it Flux and kpt, tells a fleet
that waits for a person from one that is on its way."""

NEEDS_A_PERSON: Final = frozenset(
    {Why.NAME_TAKEN, Why.WRITE_FORBIDDEN, Why.WRITE_REFUSED, Why.PREPARATION_FAILED}
)
"""Problems that no amount of waiting ends."""

TRUE, FALSE, UNKNOWN = ConditionStatus.TRUE, ConditionStatus.FALSE, ConditionStatus.UNKNOWN


@dataclass(frozen=True)
class Answer:
    """Status, reason and message of one condition."""

    status: ConditionStatus
    reason: str
    message: str


def answer_ready(view: FleetView) -> Answer:
    """Returns whether somebody serves, or what stands in the way."""
    observed = view.fleet.observed
    if observed is None:
        return _unless(view.problem, _answer_unmade(view, FALSE))
    serving, wanted = len(observed.serving), observed.spec_replicas
    if serving:
        return Answer(TRUE, Why.SERVING, f"{serving} of {wanted} replicas serve")
    if not wanted:
        return Answer(FALSE, Why.SCALED_TO_ZERO, "nobody serves: spec.replicas is 0")
    cause = find_cause(observed, view.fleet.resource.spec)
    if cause is not None:
        return Answer(FALSE, cause.reason, cause.message)
    said = f"none of {wanted} replicas serves yet{_describe_sandbox(observed)}"
    return Answer(FALSE, Why.STARTING, said)


def answer_progressing(view: FleetView) -> Answer:
    """Returns whether the fleet is on its way to what is wanted."""
    observed = view.fleet.observed
    if observed is None:
        return _unless(view.problem, _answer_unmade(view, TRUE))
    cause = find_cause(observed, view.fleet.resource.spec)
    if cause is not None:
        return Answer(FALSE, cause.reason, cause.message)
    if view.fleet.waits_for_weights:
        return _unless(view.problem, _answer_preparing(view, TRUE))
    return _unless(view.problem, _answer_movement(observed))


def answer_scaling_active(view: FleetView) -> Answer:
    """Returns whether the load is known well enough to scale by it."""
    return _of(view.decision.active if view.decision else None)


def answer_scaling_limited(view: FleetView) -> Answer:
    """Returns whether a bound keeps the fleet from the size that its load asks for."""
    return _of(view.decision.limited if view.decision else None)


def answer_memory_line(view: FleetView) -> Answer:
    """Returns whether live memory can get to its line at all, and what fits before it does."""
    spec, told = view.fleet.resource.spec, read_figures(view.signals)
    reach, fit = assess_memory_line(spec, told), assess_fit(spec, told)
    if fit.obstacle is not None:
        return Answer(FALSE, Why.DOES_NOT_FIT, fit.obstacle)
    said = "; ".join(filter(None, (reach.message, describe_fit(spec, fit))))
    match reach.reachable:
        case None:
            return Answer(UNKNOWN, Why.MEMORY_UNKNOWN, said)
        case True:
            return Answer(TRUE, Why.LINE_REACHABLE, said)
    return Answer(FALSE, Why.QUEUE_DECIDES, said)


def answer_engine_supported(view: FleetView) -> Answer:
    """Returns whether the engine's version is one that we test against."""
    image, tested = view.fleet.choice.images.engine, ", ".join(TESTED_VERSIONS)
    if view.fleet.resource.spec.engine.backend is Backend.LLAMA_CPP:
        said = f"{image} is llama.cpp's server, whose tag names no version that we could know"
        return Answer(UNKNOWN, Why.VERSION_UNKNOWN, said)
    match is_tested(image):
        case None:
            said = f"the tag of {image} names no vLLM version; tested are {tested}"
            return Answer(UNKNOWN, Why.VERSION_UNKNOWN, said)
        case False:
            said = f"{image} is not one of the tested {tested}"
            return Answer(FALSE, Why.VERSION_UNTESTED, said)
    return Answer(TRUE, Why.VERSION_TESTED, f"{image} is one of the tested {tested}")


def answer_update_available(view: FleetView) -> Answer:
    """Returns whether the operator would make new pods otherwise than the running ones."""
    choice, name = view.fleet.choice, view.fleet.resource.metadata.name
    if not choice.update_available:
        return Answer(FALSE, Why.UP_TO_DATE, "the pods are made as this operator makes them")
    said = (
        f"this operator would run {choice.offered_images.engine} with the package of "
        f"{choice.offered_images.package}; nothing restarts until it is accepted: kubectl annotate "
        f"{names.SHORT_NAME} {name} {names.ANNOTATION_ACCEPT_UPDATE}={choice.offer} --overwrite"
    )
    return Answer(TRUE, Why.NEWER_TEMPLATE, said)


ANSWERS: Final[Mapping[str, Callable[[FleetView], Answer]]] = {
    "Ready": answer_ready,
    "Progressing": answer_progressing,
    "ScalingActive": answer_scaling_active,
    "ScalingLimited": answer_scaling_limited,
    "MemoryLineReachable": answer_memory_line,
    "EngineSupported": answer_engine_supported,
    "UpdateAvailable": answer_update_available,
}
"""Every condition, in the order in which the status lists them."""


def answer_stalled(view: FleetView) -> Answer | None:
    """Returns what keeps the fleet from what is wanted until a person acts; None: nothing does."""
    problem = view.problem or _find_preparation_cause(view)
    if problem is None or problem.reason not in NEEDS_A_PERSON:
        return None
    return Answer(TRUE, problem.reason, problem.message)


def render_conditions(
    view: FleetView, previous: Iterable[Condition], now: float
) -> tuple[Condition, ...]:
    """Returns every condition; one keeps its transition time as long as its status stays."""
    generation = view.fleet.resource.metadata.generation
    before = {condition.type: condition for condition in previous}
    answers = {type_: answer(view) for type_, answer in ANSWERS.items()}
    stalled = answer_stalled(view)
    if stalled is not None:
        answers[STALLED] = stalled
    return tuple(
        _render(type_, answer, before.get(type_), generation, now)
        for type_, answer in answers.items()
    )


def render_invalid_spec(
    generation: int, message: str, previous: Iterable[Condition], now: float
) -> tuple[Condition, ...]:
    """Returns the conditions of a resource that cannot be obeyed as written."""
    before = {condition.type: condition for condition in previous}
    fresh = {
        type_: _render(
            type_, Answer(status, Why.INVALID_SPEC, message), before.get(type_), generation, now
        )
        for type_, status in (("Ready", FALSE), ("Progressing", FALSE), (STALLED, TRUE))
    }
    return tuple((before | fresh).values())


def _render(
    type_: str, answer: Answer, before: Condition | None, generation: int, now: float
) -> Condition:
    stays = before is not None and before.status is answer.status
    changed_at = datetime.fromtimestamp(int(now), UTC)
    return Condition(
        type=type_,
        status=answer.status,
        observed_generation=generation,
        last_transition_time=before.last_transition_time if before and stays else changed_at,
        reason=answer.reason,
        message=answer.message[:MESSAGE_LIMIT],
    )


def _answer_unmade(view: FleetView, status: ConditionStatus) -> Answer:
    if view.fleet.waits_for_weights:
        return _answer_preparing(view, status)
    return Answer(status, Why.CREATING, "the Deployment is being made")


def _answer_preparing(view: FleetView, status: ConditionStatus) -> Answer:
    cause, preparation = _find_preparation_cause(view), view.fleet.preparation
    if cause is not None:
        return Answer(FALSE, cause.reason, cause.message)
    named = f"job {preparation.job} writes" if preparation else "a Job writes"
    kept = "" if view.fleet.observed is None else "; until then the pods stay as they are"
    return Answer(status, Why.PREPARING_MODEL, f"{named} the weights that the pods will read{kept}")


def _find_preparation_cause(view: FleetView) -> Cause | None:
    preparation = view.fleet.preparation
    spec = view.fleet.resource.spec
    return None if preparation is None else find_preparation_cause(preparation, spec)


def _answer_movement(observed: Observed) -> Answer:
    starting = [pod.name for pod in observed.active if not pod.ready and not pod.draining_since]
    if observed.draining:
        pods = ", ".join(pod.name for pod in observed.draining)
        return Answer(TRUE, Why.DRAINING, f"{pods} takes nothing new and ends what it runs")
    if observed.replica_set_count_with_pods > 1:
        return Answer(TRUE, Why.ROLLING_OUT, "pods of an older template are being replaced")
    if starting or len(observed.active) < observed.spec_replicas:
        named = ", ".join(starting) or "a pod that is not made yet"
        return Answer(TRUE, Why.STARTING, f"{named}: on the way up{_describe_sandbox(observed)}")
    return Answer(FALSE, Why.COMPLETE, f"{len(observed.active)} replicas, as wanted")


def _describe_sandbox(observed: Observed) -> str:
    # Ordinary for seconds; for good where a Secret is missing. The pod itself never says which:
    # only its Events do, and those we may not read.
    for pod in observed.active:
        if not pod.ready and pod.scheduled and pod.sandbox_message is not None:
            return (
                f"; {pod.name} has a node, but its volumes are not mounted or its network is not"
                f" up ({pod.sandbox_message}): if that lasts, kubectl describe pod {pod.name} says"
                " why"
            )
    return ""


def _unless(problem: Cause | None, answer: Answer) -> Answer:
    return answer if problem is None else Answer(FALSE, problem.reason, problem.message)


def _of(verdict: Verdict | None) -> Answer:
    if verdict is None:
        said = "nothing is decided before there is a Deployment"
        return Answer(UNKNOWN, Why.NO_DEPLOYMENT, said)
    return Answer(TRUE if verdict.status else FALSE, verdict.reason, verdict.message)
