"""Claims on the largest fleet: newcomers are refused, known sessions are served."""

from collections import Counter
from collections.abc import Sequence

from tests.demo.claim import Check, Findings, NotShownError
from tests.demo.floors import Floors
from tests.demo.recording import TOO_MANY_REQUESTS, Recording, Turn, is_complete


def rejected_new_sessions_at_max(recording: Recording, floors: Floors) -> Findings:
    """At the largest fleet new sessions were refused, each told when to come again."""
    if recording.at_max is None:
        raise NotShownError("the fleet never stood at its largest with every replica Ready")
    refused = recording.refused_at_max
    sessions = {request.session for request in refused}
    every = [r for r in recording.requests if r.status == TOO_MANY_REQUESTS]
    lawful = [r for r in every if _is_lawful_wait(r.retry_after, floors)]
    for_memory = sum(request.rejected_reason == "memory_line" for request in refused)
    first, last = recording.at_max
    over = [
        row
        for row in recording.samples
        if first <= row.time <= last and row.live is not None and row.live > floors.line
    ]
    pods_over = {row.pod for row in over}
    wanted = floors.refused_sessions
    checks = [
        Check(len(sessions) >= wanted, f"{len(sessions)} newcomers refused, at least {wanted}"),
        Check(
            len(lawful) == len(every),
            f"{len(lawful)} of {len(every)} refusals say to wait a whole 1 to 60 s",
        ),
        Check(for_memory > 0, f"{for_memory} of {len(refused)} refusals name the memory line"),
        Check(bool(pods_over), f"{len(pods_over)} replicas stood above the line then"),
    ]
    return checks, {
        "refused_sessions": len(sessions),
        "refusals": len(refused),
        "refusals_for_memory": for_memory,
    }


def _is_lawful_wait(retry_after: str, floors: Floors) -> bool:
    shortest, longest = floors.shortest_retry_seconds, floors.longest_retry_seconds
    return retry_after.isdigit() and shortest <= int(retry_after) <= longest


def served_known_sessions(recording: Recording, floors: Floors) -> Findings:
    """While newcomers were refused, sessions that were let in before went on as if alone."""
    refused = recording.refused_at_max
    if not refused:
        raise NotShownError("nobody was refused, so nobody was protected")
    begin, end = min(r.sent for r in refused), max(r.end for r in refused)
    turns = [
        turn
        for turn in recording.turns
        if begin <= turn.sent <= end and recording.is_known(turn.attempts[0])
    ]
    at_first = sum(is_complete(turn.attempts[0]) for turn in turns)
    share = at_first / len(turns) if turns else 0.0
    failed = [t for t in turns if not t.answered or len(t.attempts) > floors.most_attempts]
    served = _count_served(turns, end, floors)
    wanted = floors.known_sessions
    checks = [
        Check(
            served >= wanted,
            f"{served} sessions had {floors.known_turns} turns answered "
            f"while others were refused, at least {wanted}",
        ),
        Check(
            share >= floors.first_try_share,
            f"{share:.1%} of {len(turns)} turns answered at the first try",
        ),
        Check(not failed, f"{len(failed)} turns not answered after one more try"),
    ]
    return checks, {
        "refusing_seconds": end - begin,
        "known_sessions_served": served,
        "known_turns": len(turns),
        "first_try_share": share,
    }


def _count_served(turns: Sequence[Turn], end: float, floors: Floors) -> int:
    inside = Counter(turn.session for turn in turns if turn.answered and turn.end <= end)
    return sum(count >= floors.known_turns for count in inside.values())
