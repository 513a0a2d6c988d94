"""Claims on growth: not while idle, on memory when full, and the new replica works."""

from tests.demo.claim import Check, Findings, NotShownError, gap_check, listed
from tests.demo.floors import Floors
from tests.demo.recording import Recording, is_complete
from tests.demo.rows import Sample


def idle_fleet_did_not_grow(recording: Recording, floors: Floors) -> Findings:
    """Raw memory stood above the line, nobody asked anything, and the fleet stayed as it was."""
    first_request = min((request.sent for request in recording.requests), default=float("inf"))
    ready_at = min((row.time for row in recording.samples if row.ready), default=None)
    if ready_at is None:
        raise NotShownError(_why_never_ready(recording))
    idle = [row for row in recording.samples if ready_at <= row.time < first_request and row.ready]
    known = [row for row in idle if row.live is not None and row.raw is not None]
    if not known:
        raise NotShownError("no pod told its memory: live memory is unknown on this cluster")
    times = sorted({row.time for row in known})
    seconds = times[-1] - times[0]
    wanted = floors.idle_sustained_times * floors.sustained_seconds
    raw = min(row.raw or 0.0 for row in known)
    live = max(row.live or 0.0 for row in known)
    desired = {row.desired for row in idle}
    checks = [
        Check(seconds >= wanted, f"idle for {seconds:.0f} s, at least {wanted:.0f}"),
        gap_check(times, floors.longest_gap_seconds),
        Check(raw > floors.line, f"raw ratio stayed at {raw:.3f} or more, above {floors.line}"),
        Check(live < floors.line, f"live ratio stayed at {live:.3f} or less, below {floors.line}"),
        Check(len(desired) == 1, f"replicas asked for: {listed(desired)}"),
    ]
    return checks, {"idle_seconds": seconds, "idle_raw_min": raw, "idle_live_max": live}


def scaled_out_on_memory(recording: Recording, floors: Floors) -> Findings:
    """Live memory stayed above the line, and that alone made the fleet grow."""
    grown = recording.grown_at
    if grown is None:
        highest = max((row.live for row in recording.samples if row.live is not None), default=None)
        if highest is None or highest <= floors.line:
            reached = "is unknown" if highest is None else f"reached {highest:.2f} at most"
            raise NotShownError(f"this load did not fill a replica: live memory {reached}")
        return [Check(False, "the fleet never grew")], {}
    decision = _growing_decision(recording, grown, floors)
    before = [
        row
        for row in recording.samples
        if grown - floors.sustained_seconds <= row.time <= grown and row.live is not None
    ]
    above = sum((row.live or 0.0) > floors.line for row in before)
    share = above / len(before) if before else 0.0
    waiting = max((row.queue for row in before if row.queue is not None), default=None)
    current = min((row.replicas for row in before if row.replicas is not None), default=None)
    raw = _raw_span(recording, grown)
    checks = [
        Check(share >= floors.above_line_share, f"{share:.0%} of the readings above the line"),
        gap_check(sorted({row.time for row in before}), floors.longest_gap_seconds),
        Check(
            waiting is not None and waiting <= floors.queue_limit,
            f"at most {waiting} requests waited, limit {floors.queue_limit}",
        ),
        Check(
            raw is not None and raw <= floors.raw_moves,
            f"raw ratio moved by {'?' if raw is None else round(raw, 3)}",
        ),
        *_decision_checks(decision, current),
    ]
    return checks, {
        "above_line_share": share,
        "waiting_max": waiting,
        "raw_moved": raw,
        "memory_need": decision.memory_need if decision else None,
        "queue_need": decision.queue_need if decision else None,
        "message": decision.decision_message if decision else None,
    }


def _decision_checks(decision: Sample | None, current: int | None) -> list[Check]:
    if decision is None or current is None:
        return [Check(False, "no decision in the status asks for the replicas that came")]
    need = decision.queue_need
    return [
        Check(
            decision.decision_rule.lower() == "memory",
            f"the growing decision names rule {decision.decision_rule}",
        ),
        Check(
            need is not None and need <= current,
            f"queue need {need} at {current} replicas: the queue alone would not have grown it",
        ),
        Check(
            decision.memory_need is not None and decision.memory_need > current,
            f"memory need {decision.memory_need} at {current} replicas",
        ),
    ]


def _growing_decision(recording: Recording, grown: float, floors: Floors) -> Sample | None:
    """The first reading from the growth on whose decision asks for the replicas that came."""
    asked = next((row.desired for row in recording.samples if row.time == grown), None)
    for sweep in recording.sweeps:
        row = sweep[0]
        if grown <= row.time <= grown + floors.decision_late_seconds and (
            row.decision_desired == asked and row.decision_rule
        ):
            return row
    return None


def _raw_span(recording: Recording, grown: float) -> float | None:
    """How far the raw ratio of the first replica moved between Ready and growth."""
    old = {row.pod for row in recording.samples if row.time < grown and row.ready}
    raw = [
        row.raw
        for row in recording.samples
        if row.pod in old and row.time <= grown and row.ready and row.raw is not None
    ]
    return max(raw) - min(raw) if raw else None


def new_replica_took_load(recording: Recording, floors: Floors) -> Findings:
    """Within a minute of Ready the new replica answered its part of the requests."""
    pod = recording.new_pod
    if recording.grown_at is None or pod is None:
        raise NotShownError("no replica was added")
    ready = recording.ready_at(pod)
    if ready is None:
        raise NotShownError(f"the new replica never became Ready: {_last_wait(recording, pod)}")
    until = ready + floors.new_replica_seconds
    answered = [
        request
        for request in recording.requests
        if ready <= request.sent <= until and is_complete(request)
    ]
    own = sum(request.pod == pod for request in answered)
    share = own / len(answered) if answered else 0.0
    live = [row.live for row in recording.samples if row.pod == pod and row.live is not None]
    window = f"{floors.new_replica_seconds:.0f} s after Ready"
    checks = [
        Check(own >= floors.new_replica_requests, f"it answered {own} requests sent {window}"),
        Check(share >= floors.new_replica_share, f"that is {share:.0%} of {len(answered)}"),
    ]
    return checks, {
        "new_replica_requests": own,
        "new_replica_share": share,
        "seconds_to_ready": ready - recording.grown_at,
        "new_replica_live_max": max(live, default=None),
    }


def _why_never_ready(recording: Recording) -> str:
    waits = [row.waiting for row in recording.samples if row.waiting]
    return f"no replica became Ready: {waits[-1] if waits else 'no pod was seen'}"


def _last_wait(recording: Recording, pod: str) -> str:
    waits = [row.waiting for row in recording.samples if row.pod == pod and row.waiting]
    return waits[-1] if waits else "no reason was given"
