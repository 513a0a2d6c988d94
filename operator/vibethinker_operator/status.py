"""The view of a fleet as `status`, and when it is worth writing. Pure."""

from datetime import UTC, datetime
from typing import Final

from pydantic.alias_generators import to_camel

from vibethinker_operator import names
from vibethinker_operator.api.status import (
    DecisionStatus,
    EngineStatus,
    FitSource,
    FitStatus,
    MemoryStatus,
    StartPhase,
    StartStatus,
    Status,
    StreakStatus,
)
from vibethinker_operator.conditions import render_conditions, render_invalid_spec
from vibethinker_operator.effective import resolve_engine
from vibethinker_operator.fit import Fit, assess_fit, gibibytes, read_figures
from vibethinker_operator.fleet import Fleet
from vibethinker_operator.fleet_view import FleetView
from vibethinker_operator.observed import Observed, ObservedPod
from vibethinker_operator.preparation import PreparationState
from vibethinker_operator.resources import render_url
from vibethinker_operator.samples import Sample
from vibethinker_operator.scaling import Decision, Rule, ScalingState
from vibethinker_operator.signals import Signals
from vibethinker_operator.streak import Signal, Streak

WRITE_SECONDS: Final = 10.0
"""Shortest time between two writes (design, section 3)."""

STREAK_WRITE_SECONDS: Final = 5.0
"""The same while a streak lasts: a restart resumes from the last one written."""

MEMORY_STEP: Final = 5
"""Memory is told in steps of five points, so that noise is no change."""

ADVICE: Final = "recommendedReplicas"
"""Among a decision's inputs where mode Advisory keeps the fleet from what is decided."""

PHASE_ORDER: Final = tuple(StartPhase)


def render_status(view: FleetView, previous: Status, now: float) -> Status:
    """Returns the whole status; what did not change keeps its times from `previous`."""
    metadata = view.fleet.resource.metadata
    observed, signals = view.fleet.observed, view.signals
    return Status(
        observed_generation=metadata.generation,
        conditions=render_conditions(view, previous.conditions or (), now),
        replicas=len(observed.active) if observed else 0,
        desired_replicas=view.decision.desired if view.decision else None,
        ready_replicas=sum(pod.ready for pod in observed.active) if observed else 0,
        selector=",".join(f"{k}={v}" for k, v in names.selector_labels(metadata.name).items()),
        url=render_url(view.fleet.resource),
        engine=_render_engine(view.fleet),
        memory=_render_memory(signals) if signals else None,
        fit=_render_fit(
            assess_fit(view.fleet.resource.spec, read_figures(signals)), view, previous
        ),
        request_queue_length=_rounded(signals.waiting) if signals else None,
        decision=_render_decision(view.decision, previous.decision, now),
        streak=_render_streak(view.decision.state.streak if view.decision else None),
        start=_render_preparing(view, previous.start, now)
        or (_render_start(observed, signals, previous.start, now) if observed else None),
    )


def render_invalid(generation: int, message: str, previous: Status, now: float) -> Status:
    """Returns the status of a resource that cannot be obeyed: what is known stays as it was."""
    conditions = render_invalid_spec(generation, message, previous.conditions or (), now)
    return previous.model_copy(update={"observed_generation": generation, "conditions": conditions})


def is_write_due(status: Status, written: Status, written_at: float | None, now: float) -> bool:
    """Returns whether `status` says something new and the last write is old enough.

    A fleet that changes its size says so at once: the decision that did it would else be followed
    by the next one, which holds, before anybody could read it.
    """
    if status == written:
        return False
    if status.desired_replicas != written.desired_replicas:
        return True
    pause = STREAK_WRITE_SECONDS if status.streak is not None else WRITE_SECONDS
    return written_at is None or now - written_at >= pause


def resume_scaling(status: Status) -> ScalingState:
    """Returns the scaling state that a status of an earlier process keeps."""
    streak = status.streak
    if streak is None or streak.since is None or streak.last_seen is None:
        return ScalingState.resume(None)
    if streak.signal not in set(Signal):
        return ScalingState.resume(None)
    since, last_seen = streak.since.timestamp(), streak.last_seen.timestamp()
    return ScalingState.resume(Streak(Signal(streak.signal), since, last_seen))


def _render_engine(fleet: Fleet) -> EngineStatus:
    engine = resolve_engine(fleet.resource.spec)
    return EngineStatus(
        image=fleet.choice.images.engine,
        package_image=fleet.choice.images.package,
        model=engine.model,
        device=engine.device,
        dtype=engine.dtype,
        block_size=engine.block_size,
        max_model_len=engine.max_model_len,
        max_num_seqs=engine.max_num_seqs,
        max_num_batched_tokens=engine.max_num_batched_tokens,
        kv_cache_memory_bytes=engine.kv_cache_memory_bytes,
        gpu_memory_utilization_percentage=engine.gpu_memory_utilization_percentage,
    )


def _render_memory(signals: Signals) -> MemoryStatus:
    raw = [
        load.sample.device_memory_used_ratio
        for load in signals.pods
        if load.missing is None and load.sample is not None
    ]
    known = [ratio for ratio in raw if ratio is not None]
    return MemoryStatus(
        used_percentage=_stepped(signals.memory.used_ratio) if signals.memory else None,
        raw_percentage=_stepped(sum(known) / len(known)) if known else None,
        known_pods=signals.known,
    )


def _render_fit(fit: Fit, view: FleetView, previous: Status) -> FitStatus | None:
    same_spec = previous.observed_generation == view.fleet.resource.metadata.generation
    was_measured = previous.fit is not None and previous.fit.source is FitSource.MEASURED
    if same_spec and was_measured and fit.source is FitSource.SPEC:
        # What an engine told is truer than what is expected while no pod is there to tell.
        return previous.fit
    if not fit.is_known:
        return None
    return FitStatus(
        source=fit.source,
        weights=None if fit.weights_bytes is None else gibibytes(fit.weights_bytes),
        kv_bytes_per_token=fit.kv_token_bytes,
        tokens=fit.tokens,
        sequences=fit.sequences,
    )


def _render_decision(
    decision: Decision | None, previous: DecisionStatus | None, now: float
) -> DecisionStatus | None:
    if decision is None:
        return previous
    inputs = _render_inputs(decision)
    told = (decision.rule.value, decision.reason.value, decision.desired, inputs.get(ADVICE))
    if previous and told == (
        previous.rule,
        previous.reason,
        previous.desired_replicas,
        (previous.inputs or {}).get(ADVICE),
    ):
        return previous
    return DecisionStatus(
        rule=decision.rule.value,
        reason=decision.reason.value,
        message=f"{decision.message}; {decision.counterfactual}"[:1024],
        desired_replicas=decision.desired,
        time=_time(now),
        inputs=inputs,
    )


def _render_inputs(decision: Decision) -> dict[str, str]:
    inputs = {to_camel(name): f"{value:.6g}" for name, value in decision.inputs.items()}
    if decision.desired != decision.recommended and decision.rule is not Rule.MANUAL:
        # In mode Advisory the advice is the news: the size stays whatever is decided.
        inputs[ADVICE] = str(decision.recommended)
    return inputs


def _render_streak(streak: Streak | None) -> StreakStatus | None:
    if streak is None:
        return None
    return StreakStatus(
        signal=streak.signal.value, since=_time(streak.since), last_seen=_time(streak.last_seen)
    )


def _render_start(
    observed: Observed, signals: Signals | None, previous: StartStatus | None, now: float
) -> StartStatus | None:
    phases = [
        (phase, pod.name)
        for pod in observed.active
        if not pod.ready and (phase := _find_phase(pod, signals)) is not None
    ]
    if not phases:
        return None
    phase, pod_name = min(phases, key=lambda found: (PHASE_ORDER.index(found[0]), found[1]))
    if previous and (previous.pod, previous.phase) == (pod_name, phase):
        return previous
    return StartStatus(pod=pod_name, phase=phase, since=_time(now))


def _render_preparing(
    view: FleetView, previous: StartStatus | None, now: float
) -> StartStatus | None:
    preparation = view.fleet.preparation
    if preparation is None or preparation.pod is None:
        return None
    if preparation.state is not PreparationState.RUNNING:
        return None
    phase, ratio = _find_own_phase(preparation.pod, view.preparing), None
    if view.preparing is not None and phase is StartPhase.PREPARING_MODEL:
        ratio = view.preparing.prepared_ratio
    since = _time(now)
    if previous and (previous.pod, previous.phase) == (preparation.pod.name, phase):
        since = previous.since or since
    return StartStatus(
        pod=preparation.pod.name,
        phase=phase,
        since=since,
        progress_percentage=None if ratio is None else _stepped(ratio),
    )


def _find_phase(pod: ObservedPod, signals: Signals | None) -> StartPhase | None:
    samples = {load.pod.uid: load.sample for load in signals.pods} if signals else {}
    return _find_own_phase(pod, samples.get(pod.uid))


def _find_own_phase(pod: ObservedPod, sample: Sample | None) -> StartPhase | None:
    if pod.unschedulable_message is not None:
        return StartPhase.UNSCHEDULABLE
    if pod.pulling:
        return StartPhase.PULLING_IMAGE
    told = sample.start_phase if sample else None
    return StartPhase(told) if told in set(StartPhase) else None


def _stepped(ratio: float) -> int:
    return MEMORY_STEP * round(ratio * 100 / MEMORY_STEP)


def _rounded(value: float | None) -> int | None:
    return None if value is None else round(value)


def _time(now: float) -> datetime:
    # To the second, as it is written: what is compared must be what is read back.
    return datetime.fromtimestamp(int(now), UTC)
