"""What changed in a fleet that a person wants to be told once: notices for Events. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from vibethinker_operator.api import Mode, Spec
from vibethinker_operator.api.status import Condition, ConditionStatus, Status
from vibethinker_operator.condition_reasons import ConditionReason as Why
from vibethinker_operator.diagnosis import describe_death
from vibethinker_operator.drain import find_unexpected_victims
from vibethinker_operator.events import News, Notice
from vibethinker_operator.fleet_view import FleetView
from vibethinker_operator.observed import Observed, ObservedPod
from vibethinker_operator.plan import Action, MarkPod, SetReplicas, UnmarkPod
from vibethinker_operator.preparation import Preparation, PreparationState
from vibethinker_operator.scaling import Reason

ACCEPTING_AFTER_SECONDS: Final = 60.0
"""Without a refusal for so long, the fleet is said to accept again."""

WELCOME: Final[Mapping[str, ConditionStatus]] = {
    "Ready": ConditionStatus.TRUE,
    "ScalingActive": ConditionStatus.TRUE,
    "ScalingLimited": ConditionStatus.FALSE,
    "MemoryLineReachable": ConditionStatus.TRUE,
    "EngineSupported": ConditionStatus.TRUE,
}
"""Conditions whose transitions are told, and the status that is good news."""

ORDINARY: Final[frozenset[str]] = frozenset(
    {
        Why.ADVISORY_MODE,
        Why.CREATING,
        Why.FIXED_REPLICAS,
        Why.PREPARING_MODEL,
        Why.SCALED_TO_ZERO,
        Why.STARTING,
        Reason.MANUAL_MODE,
        Reason.NO_REPLICA_READY,
    }
)
"""Reasons that every fleet has for a while on its way up, or that its owner wrote: no news."""


End = tuple[float | None, int]
"""When a container ended, and after how many restarts: the same for as long as it is that end."""


@dataclass(frozen=True)
class Shrinkage:
    """The fleet when it was asked to shrink, and the pods that were to go."""

    before: Observed
    victims: tuple[ObservedPod, ...]


@dataclass(frozen=True)
class NewsMemory:
    """What must be remembered to tell news from what was told.

    Attributes:
        written_replicas: `spec.replicas` as last seen; None before the first tick.
        refused_at: When a request was last refused for load, in unix seconds.
        refusing: Whether the fleet was last said to refuse.
        shrinkage: The last shrink, until it is seen who went.
        preparation: Where the Job that writes the weights was last seen.
        ends: When a container of each pod last ended, by the pod's uid; None before the first tick.
    """

    written_replicas: int | None = None
    refused_at: float | None = None
    refusing: bool = False
    shrinkage: Shrinkage | None = None
    preparation: PreparationState | None = None
    ends: Mapping[str, End] | None = None


def build_notices(
    view: FleetView,
    done: tuple[Action, ...],
    *,
    before: Status,
    after: Status,
    memory: NewsMemory,
    now: float,
) -> tuple[tuple[Notice, ...], NewsMemory]:
    """Returns this tick's news, and what to remember for the next."""
    refused_at = now if view.signals and view.signals.refusals_per_second else memory.refused_at
    refusing = refused_at is not None and now - refused_at < ACCEPTING_AFTER_SECONDS
    spec = view.fleet.resource.spec
    observed = view.fleet.observed
    notices = (
        *_tell_actions(done),
        *_tell_deaths(observed, spec, memory.ends),
        *_tell_unexpected_victims(memory.shrinkage, observed),
        *tell_transitions(before, after),
        *_tell_preparation(view.fleet.preparation, memory.preparation),
        *_tell_refusals(view, memory.refusing, refusing),
        *_tell_ignored_replicas(spec.scaling.mode, spec.replicas, memory.written_replicas),
    )
    shrinkage = _follow_shrinkage(memory.shrinkage, done, observed)
    preparation = view.fleet.preparation.state if view.fleet.preparation else None
    return notices, NewsMemory(
        written_replicas=spec.replicas,
        refused_at=refused_at,
        refusing=refusing,
        shrinkage=shrinkage,
        preparation=preparation,
        ends=_note_ends(observed),
    )


def _tell_actions(done: Iterable[Action]) -> Iterator[Notice]:
    for action in done:
        match action:
            case SetReplicas(current, replicas, message, _):
                news = News.SCALED_OUT if replicas > current else News.SCALED_IN
                yield Notice.of(news, f"{current} to {replicas} replicas: {message}")
            case MarkPod(pod, since) if since is not None:
                said = f"{pod.name} takes nothing new, ends what it runs, and then goes"
                yield Notice.of(News.DRAIN_STARTED, said)
            case UnmarkPod(pod):
                said = f"{pod.name} serves again: load came back before it went"
                yield Notice.of(News.DRAIN_UNDONE, said)


def _tell_preparation(
    preparation: Preparation | None, before: PreparationState | None
) -> Iterator[Notice]:
    if preparation is None or preparation.state is before:
        return
    # Of a Job that was there before this process, nobody knows what was told.
    seen = before is not None
    match preparation.state:
        case PreparationState.RUNNING if seen:
            said = f"job {preparation.job} writes {preparation.model.path}"
            yield Notice.of(News.PREPARATION_STARTED, said)
        case PreparationState.COMPLETE if seen:
            said = f"job {preparation.job} wrote {preparation.model.path}"
            yield Notice.of(News.MODEL_PREPARED, said)
        case PreparationState.FAILED:
            said = f"job {preparation.job}: {preparation.message}"
            yield Notice.of(News.PREPARATION_FAILED, said)


def _tell_deaths(
    observed: Observed | None, spec: Spec, known: Mapping[str, End] | None
) -> Iterator[Notice]:
    # Before the first tick nothing is known: what is seen then may have been told long ago.
    for pod in observed.active if observed is not None and known is not None else ():
        ended = pod.last_termination
        if ended is None or (known or {}).get(pod.uid) == _identify_end(pod):
            continue
        said = describe_death(pod, spec) or (
            f"pod {pod.name}: container {ended.container} ended with {ended.reason} (exit code"
            f" {ended.exit_code}); kubectl logs --previous {pod.name} says more"
        )
        yield Notice.of(News.ENGINE_DIED, said)


def _note_ends(observed: Observed | None) -> Mapping[str, End]:
    pods = observed.pods if observed is not None else ()
    return {pod.uid: _identify_end(pod) for pod in pods if pod.last_termination is not None}


def _identify_end(pod: ObservedPod) -> End:
    # Where the kubelet says no time, another end shows by the restart after it.
    ended = pod.last_termination
    at = None if ended is None else ended.ended_at
    return (at, 0) if at is not None else (None, pod.restarts)


def _tell_unexpected_victims(
    shrinkage: Shrinkage | None, observed: Observed | None
) -> Iterator[Notice]:
    if shrinkage is None or observed is None:
        return
    for pod in find_unexpected_victims(shrinkage.before, observed, shrinkage.victims):
        chosen = ", ".join(victim.name for victim in shrinkage.victims) or "none of the serving"
        said = f"{pod.name} went, though {chosen} was to go: what it ran may have been cut"
        yield Notice.of(News.UNEXPECTED_VICTIM, said)


def _follow_shrinkage(
    shrinkage: Shrinkage | None, done: Iterable[Action], observed: Observed | None
) -> Shrinkage | None:
    if observed is None:
        return None
    for action in done:
        if isinstance(action, SetReplicas) and action.replicas < action.current:
            return Shrinkage(observed, action.victims)
    if shrinkage is None:
        return None
    # Done with once as many have gone as were to go, whoever they were.
    gone = len(shrinkage.before.active) - len(observed.active)
    return shrinkage if gone < max(1, len(shrinkage.victims)) else None


def tell_transitions(before: Status, after: Status) -> Iterator[Notice]:
    """Yields the news among the conditions."""
    earlier = {condition.type: condition for condition in before.conditions or ()}
    for condition in after.conditions or ():
        welcome = WELCOME.get(condition.type)
        if welcome is None or condition.status is ConditionStatus.UNKNOWN:
            continue
        good = condition.status is welcome
        if _is_news(earlier.get(condition.type), condition, good=good):
            yield Notice("Normal" if good else "Warning", condition.reason, condition.message)


def _is_news(before: Condition | None, after: Condition, *, good: bool) -> bool:
    if good:
        # That all is well is news only after it was not.
        return before is not None and before.status not in {after.status, ConditionStatus.UNKNOWN}
    told = before is not None and (before.status, before.reason) == (after.status, after.reason)
    return not told and after.reason not in ORDINARY


def _tell_refusals(view: FleetView, before: bool, refusing: bool) -> Iterator[Notice]:
    if refusing and not before and view.signals and view.decision:
        rate = view.signals.refusals_per_second
        said = f"{rate:.1f} requests a second are refused: {view.decision.growth.message}"
        yield Notice.of(News.REJECTING_REQUESTS, said)
    if before and not refusing:
        yield Notice.of(News.ACCEPTING_REQUESTS, "no request has been refused for a minute")


def _tell_ignored_replicas(mode: Mode, written: int, before: int | None) -> Iterator[Notice]:
    if mode is Mode.AUTO and before is not None and written != before:
        yield Notice.of(
            News.REPLICAS_IGNORED,
            f"spec.replicas is now {written}, but scaling.mode is Auto and does not read it: "
            "set scaling.minReplicas, or scaling.mode to Manual",
        )
