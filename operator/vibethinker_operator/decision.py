"""How many replicas: one pure function, called once a sweep.

    decide(policy, observed, signals, state, now) -> Decision

Nothing is kept here: what the next sweep needs is in the `state` of the decision.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, replace

from vibethinker_operator import rules
from vibethinker_operator.case import Answer, Case
from vibethinker_operator.counterfactual import describe_counterfactual
from vibethinker_operator.demand import fold_demand
from vibethinker_operator.needs import Needs, compute_needs, find_crossed
from vibethinker_operator.observed import Observed
from vibethinker_operator.scaling import (
    Decision,
    Mode,
    Reason,
    Rule,
    ScalingPolicy,
    ScalingState,
)
from vibethinker_operator.signals import Signals
from vibethinker_operator.step_model import StepFit
from vibethinker_operator.streak import Signal, Track, fold_sweep
from vibethinker_operator.supply import Supply, count_supply, learn_start, withdraw_late
from vibethinker_operator.verdicts import judge_active, judge_growth, judge_limited
from vibethinker_operator.wording import count_replicas


def decide(
    policy: ScalingPolicy, observed: Observed, signals: Signals, state: ScalingState, now: float
) -> Decision:
    """Returns how many replicas the fleet should have, and why.

    Args:
        policy: What the resource asks.
        observed: The fleet as the cluster shows it.
        signals: Its load in this sweep.
        state: What the last decision left; after a restart `ScalingState.resume(streak)`.
        now: Unix seconds.
    """
    fit = _fold_fit(signals, state, now)
    model, start = fit.solve(), state.start_times.seconds
    supply = count_supply(policy, observed, now)
    demand = fold_demand(signals, horizon_seconds=start or 0.0)
    needs = compute_needs(policy, signals, demand, model)
    tracks = _fold_tracks(find_crossed(policy, signals, demand, model), policy, signals, state, now)
    need = _find_need(signals, needs, tracks, supply)
    window = policy.stabilization_seconds
    state = replace(
        _note_change(state, supply, now),
        tracks=tracks,
        history=state.history.record(need, window_seconds=window, now=now),
        withdrawal=withdraw_late(
            supply, state.withdrawal, room_event_at=observed.room_event_at, now=now
        ),
        start_times=learn_start(state.start_times, observed),
        fit=fit,
        decided_at=now,
    )
    return _answer(Case(policy, observed, signals, supply, demand, needs, model, state, now))


def _answer(case: Case) -> Decision:
    found = rules.answer(case)
    chosen = _apply_mode(case, found)
    return Decision(
        desired=chosen.replicas,
        recommended=found.replicas,
        replicas=case.replicas,
        rule=chosen.rule,
        reason=chosen.reason,
        message=chosen.message,
        inputs=_name_inputs(case),
        counterfactual=describe_counterfactual(case, chosen),
        growth=judge_growth(case, found),
        limited=judge_limited(case),
        active=judge_active(case, found),
        state=case.state,
    )


def _fold_fit(signals: Signals, state: ScalingState, now: float) -> StepFit:
    elapsed = 0.0 if state.decided_at is None else max(0.0, now - state.decided_at)
    return state.fit.record(signals.work, elapsed_seconds=elapsed)


def _fold_tracks(
    crossed: Mapping[Signal, bool | None],
    policy: ScalingPolicy,
    signals: Signals,
    state: ScalingState,
    now: float,
) -> tuple[Track, ...]:
    return tuple(
        fold_sweep(
            track,
            crossed[track.signal] if signals.known else None,
            window_seconds=policy.window_seconds(track.signal),
            now=now,
        )
        for track in state.tracks
    )


def _find_need(signals: Signals, needs: Needs, tracks: tuple[Track, ...], supply: Supply) -> int:
    # Where something is not known, or a line is crossed, the fleet counts as needed as it is: a
    # whole window must then pass again before it shrinks.
    highest = needs.highest
    if highest is None or not signals.known:
        return supply.replicas
    if signals.partial or any(track.since is not None for track in tracks):
        return max(highest[1], supply.replicas)
    return highest[1]


def _note_change(state: ScalingState, supply: Supply, now: float) -> ScalingState:
    # The fleet itself says when it was scaled: a write may have failed, or not have been ours.
    before, after = state.replicas_seen, supply.replicas
    if before is None or before == after:
        return replace(state, replicas_seen=after)
    fell_at = now if after < before else state.last_scale_in_at
    return replace(state, replicas_seen=after, last_scale_at=now, last_scale_in_at=fell_at)


def _apply_mode(case: Case, found: Answer) -> Answer:
    written = case.policy.written_replicas
    if case.policy.mode is Mode.MANUAL:
        message = f"mode is Manual: {count_replicas(written)}, as spec.replicas says"
        return Answer(written, Rule.MANUAL, Reason.MANUAL_MODE, message)
    if case.policy.mode is Mode.ADVISORY:
        advised = count_replicas(found.replicas)
        advice = f"mode is Advisory: {advised} advised, {written} as written"
        return replace(found, replicas=written, message=f"{advice}; {found.message}")
    return found


def _name_inputs(case: Case) -> Mapping[str, float]:
    signals, memory = case.signals, case.signals.memory
    numbers: dict[str, float | None] = {
        "ready_replicas": signals.ready,
        "known_replicas": signals.known,
        "coming_replicas": len(case.supply.coming),
        "demand_kv_bytes": case.demand.kv_bytes,
        "request_queue_length": signals.waiting,
        "requests_running": signals.running,
        "refusals_per_second": signals.refusals_per_second,
        "finished_per_second_per_replica": signals.finished_per_second,
        "seconds_in_system": signals.seconds_in_system,
        "prefill_backlog_tokens": signals.prefill_backlog_tokens,
        "requests_running_expected": _finite(case.running_expected),
        "memory_need": case.needs.memory,
        "queue_need": case.needs.queue,
        "concurrency_need": case.needs.concurrency,
        "highest_need": case.history.highest,
    }
    if memory is not None:
        numbers |= {
            "memory_used_ratio": memory.used_ratio,
            "non_kv_bytes": memory.non_kv_bytes,
            "kv_used_bytes": memory.kv_used_bytes,
            "device_bytes": memory.device_bytes,
        }
    if case.model is not None:
        numbers |= asdict(case.model)
        if case.demand.flow is not None:
            numbers["busy_replicas"] = case.model.busy_replicas(case.demand.flow)
    return {name: float(number) for name, number in numbers.items() if number is not None}


def _finite(number: float | None) -> float | None:
    # A status is JSON, which has no infinity.
    return None if number is None or math.isinf(number) else number
