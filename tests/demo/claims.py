"""The demo's six claims, computed from samples.csv and requests.csv alone.

Each claim is a list of checks in words. It holds if there are checks and every one of them does.
A claim that this cluster could not show says so with the reason: it is neither held nor refuted.
"""

from collections.abc import Callable, Mapping, Sequence

from tests.demo.claim import Claim, Findings, NotShownError
from tests.demo.floors import FLOORS, Floors
from tests.demo.growth_claims import (
    idle_fleet_did_not_grow,
    new_replica_took_load,
    scaled_out_on_memory,
)
from tests.demo.protection_claims import rejected_new_sessions_at_max, served_known_sessions
from tests.demo.recording import Recording
from tests.demo.rows import Request, Sample
from tests.demo.shrink_claims import scaled_in_without_cut

_CLAIMS: Mapping[str, Callable[[Recording, Floors], Findings]] = {
    "idle_fleet_did_not_grow": idle_fleet_did_not_grow,
    "scaled_out_on_memory": scaled_out_on_memory,
    "new_replica_took_load": new_replica_took_load,
    "rejected_new_sessions_at_max": rejected_new_sessions_at_max,
    "served_known_sessions": served_known_sessions,
    "scaled_in_without_cut": scaled_in_without_cut,
}


def judge(
    samples: Sequence[Sample], requests: Sequence[Request], floors: Floors = FLOORS
) -> list[Claim]:
    """Every claim on a recording, in the order of the story."""
    recording = Recording(samples, requests)
    return [_judge_one(name, find, recording, floors) for name, find in _CLAIMS.items()]


def _judge_one(
    name: str, find: Callable[[Recording, Floors], Findings], recording: Recording, floors: Floors
) -> Claim:
    try:
        checks, figures = find(recording, floors)
    except NotShownError as reason:
        return Claim(name, not_shown=str(reason))
    return Claim(name, checks, figures)
