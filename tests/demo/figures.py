"""Figures beside the claims: one replica idle, full and idle again; refusals; what was cut."""

from collections import Counter

from tests.demo.claim import Figure
from tests.demo.floors import Floors
from tests.demo.recording import OK, TOO_MANY_REQUESTS, Recording, is_complete
from tests.demo.rows import Sample

Pair = dict[str, Figure]


def measure_memory_pair(recording: Recording, floors: Floors) -> Pair | None:
    """Live and raw ratio of the replica that stayed: idle, full, idle again after the load.

    None where no replica was seen from idle to idle again. `held` says that live memory idled below
    the floor, went above the line and came back, while the raw ratio stood above the line.
    """
    if not recording.sweeps:
        return None
    stayed = recording.sweeps[-1][-1].pod
    rows = [
        row
        for row in recording.samples
        if row.pod == stayed and row.ready and row.live is not None and row.raw is not None
    ]
    if not rows:
        return None
    full = max(rows, key=_live)
    before = [row for row in rows if row.time <= full.time]
    idle, again = min(before, key=_live), rows[-1]
    three = (idle, full, again)
    return {
        "pod": stayed,
        **{f"{name}_live": row.live for name, row in zip(_NAMES, three, strict=True)},
        **{f"{name}_raw": row.raw for name, row in zip(_NAMES, three, strict=True)},
        "held": _live(idle) < floors.idle_live
        and _live(full) > floors.line
        and _live(again) < floors.idle_live
        and all((row.raw or 0.0) > floors.line for row in three),
    }


_NAMES = ("idle", "full", "idle_again")


def _live(row: Sample) -> float:
    return row.live or 0.0


def measure_traffic(recording: Recording) -> dict[str, Figure]:
    """Counts of the whole run: requests by outcome, and the longest wait for a first byte."""
    requests = recording.requests
    outcomes = Counter(str(request.status) for request in requests)
    reasons = Counter(r.rejected_reason for r in requests if r.status == TOO_MANY_REQUESTS)
    waits = sorted(r.first_byte - r.sent for r in requests if r.first_byte is not None)
    return {
        "requests": len(requests),
        "sessions": len({request.session for request in requests}),
        "sessions_admitted": len(recording.admitted_at),
        **{f"status_{status}": count for status, count in sorted(outcomes.items())},
        **{f"refused_{reason or 'no_reason'}": n for reason, n in sorted(reasons.items())},
        "streams_cut": sum(r.status == OK and not is_complete(r) for r in requests),
        "first_byte_seconds_p50": waits[len(waits) // 2] if waits else None,
        "first_byte_seconds_p99": waits[int(len(waits) * 0.99)] if waits else None,
        "seconds": recording.samples[-1].time - recording.samples[0].time if waits else None,
    }
