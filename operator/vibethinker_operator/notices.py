"""What changed in a fleet that a person wants to be told once: notices for Events. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from vibethinker_operator.api import Mode
from vibethinker_operator.api.status import Condition, ConditionStatus, Status
from vibethinker_operator.events import Notice
from vibethinker_operator.fleet_view import FleetView
from vibethinker_operator.plan import Action, MarkPod, SetReplicas, UnmarkPod

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


@dataclass(frozen=True)
class NewsMemory:
    """What must be remembered to tell news from what was told.

    Attributes:
        written_replicas: `spec.replicas` as last seen; None before the first tick.
        refused_at: When a request was last refused for load, in unix seconds.
        refusing: Whether the fleet was last said to refuse.
    """

    written_replicas: int | None = None
    refused_at: float | None = None
    refusing: bool = False


def build_notices(
    view: FleetView,
    done: Iterable[Action],
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
    notices = (
        *_tell_actions(done),
        *_tell_transitions(before.conditions or (), after.conditions or ()),
        *_tell_refusals(view, memory.refusing, refusing),
        *_tell_ignored_replicas(spec.scaling.mode, spec.replicas, memory.written_replicas),
    )
    return notices, NewsMemory(spec.replicas, refused_at, refusing)


def _tell_actions(done: Iterable[Action]) -> Iterator[Notice]:
    for action in done:
        match action:
            case SetReplicas(current, replicas, message):
                reason = "ScaledOut" if replicas > current else "ScaledIn"
                yield Notice("Normal", reason, f"{current} to {replicas} replicas: {message}")
            case MarkPod(pod, since) if since is not None:
                said = f"{pod.name} takes nothing new, ends what it runs, and then goes"
                yield Notice("Normal", "DrainStarted", said)
            case UnmarkPod(pod):
                said = f"{pod.name} serves again: load came back before it went"
                yield Notice("Normal", "DrainUndone", said)


def _tell_transitions(before: Iterable[Condition], after: Iterable[Condition]) -> Iterator[Notice]:
    earlier = {condition.type: condition.status for condition in before}
    for condition in after:
        welcome = WELCOME.get(condition.type)
        # A first answer is news only where it is unwelcome.
        known = {earlier.get(condition.type, welcome), ConditionStatus.UNKNOWN}
        if welcome is not None and condition.status not in known:
            good = condition.status is welcome
            yield Notice("Normal" if good else "Warning", condition.reason, condition.message)


def _tell_refusals(view: FleetView, before: bool, refusing: bool) -> Iterator[Notice]:
    if refusing and not before and view.signals and view.decision:
        rate = view.signals.refusals_per_second
        said = f"{rate:.1f} requests a second are refused: {view.decision.growth.message}"
        yield Notice("Warning", "RejectingRequests", said)
    if before and not refusing:
        yield Notice("Normal", "AcceptingRequests", "no request has been refused for a minute")


def _tell_ignored_replicas(mode: Mode, written: int, before: int | None) -> Iterator[Notice]:
    if mode is Mode.AUTO and before is not None and written != before:
        yield Notice(
            "Warning",
            "ReplicasIgnored",
            f"spec.replicas is now {written}, but scaling.mode is Auto and does not read it: "
            "set scaling.minReplicas, or scaling.mode to Manual",
        )
