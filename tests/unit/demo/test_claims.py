from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.demo.claim import Claim
from tests.demo.claims import judge
from tests.demo.rows import Request, Sample
from tests.unit.demo.made_up_recording import (
    GONE,
    GROWN,
    MARKED,
    NEW,
    NEW_READY,
    OLD,
    REFUSED_FROM,
    REFUSED_TO,
    START,
    answer,
    make_requests,
    make_samples,
    refusal,
)

Edit = Callable[[list[Sample], list[Request]], tuple[list[Sample], list[Request]]]


def judge_one(name: str, samples: list[Sample], requests: list[Request]) -> Claim:
    return next(claim for claim in judge(samples, requests) if claim.name == name)


def edit_samples(change: Callable[[Sample], Sample | None]) -> Edit:
    def edit(samples: list[Sample], requests: list[Request]):
        changed = [change(sample) for sample in samples]
        return [sample for sample in changed if sample is not None], requests

    return edit


def edit_requests(change: Callable[[Request], Request | None]) -> Edit:
    def edit(samples: list[Sample], requests: list[Request]):
        changed = [change(request) for request in requests]
        return samples, [request for request in changed if request is not None]

    return edit


def at(row: Sample) -> float:
    return row.time - START


def refused(row: Request) -> bool:
    return row.status == 429


def between(request: Request, begin: float, end: float) -> bool:
    return begin <= request.sent - START <= end


def is_victims_stream(request: Request) -> bool:
    mark = START + MARKED
    return request.pod == NEW and (request.first_byte or mark + 1) <= mark < request.end


def keep_victim_streams(wanted: int) -> Edit:
    def edit(samples: list[Sample], requests: list[Request]):
        streams = [request for request in requests if is_victims_stream(request)]
        return samples, [r for r in requests if r not in streams[wanted:]]

    return edit


def keep_known_sessions(wanted: int) -> Edit:
    return edit_requests(lambda r: r if refused(r) or int(r.session[1:]) < wanted else None)


def keep_turns_while_refusing(wanted: int) -> Edit:
    def edit(samples: list[Sample], requests: list[Request]):
        seen: dict[str, int] = {}
        kept = []
        for request in requests:
            if not refused(request) and between(request, REFUSED_FROM, REFUSED_TO):
                seen[request.session] = seen.get(request.session, 0) + 1
                if seen[request.session] > wanted:
                    continue
            kept.append(request)
        return samples, kept

    return edit


def fail_first_tries(wanted: int) -> Edit:
    def edit(samples: list[Sample], requests: list[Request]):
        known = [r for r in requests if r.turn > 1 and between(r, REFUSED_FROM, REFUSED_TO - 20)][
            :wanted
        ]
        retried = [replace(r, status=503, finish_reason="", attempt=1) for r in known]
        again = [replace(r, sent=r.sent + 1, attempt=2, id=10_000 + r.id) for r in known]
        return samples, [r for r in requests if r not in known] + retried + again

    return edit


def add(*rows: Request) -> Edit:
    return lambda samples, requests: (samples, [*requests, *rows])


def both(first: Edit, second: Edit) -> Edit:
    return lambda samples, requests: second(*first(samples, requests))


KNOWN_AFTER_MARK = answer("s000", 90, OLD, MARKED + 12, 3.0)

FLOORS = {
    "idle_fleet_did_not_grow": {
        "idle is shorter than twice the sustained seconds": edit_requests(
            lambda r: replace(r, sent=START + 19) if r.id == 1 else r
        ),
        "raw memory was not above the line": edit_samples(
            lambda s: replace(s, raw=0.74) if at(s) == 12 else s
        ),
        "live memory was above the line": edit_samples(
            lambda s: replace(s, live=0.76) if at(s) == 12 else s
        ),
        "more replicas were asked for": edit_samples(
            lambda s: replace(s, desired=2) if 20 < at(s) < 26 else s
        ),
        "nothing was recorded for six seconds": edit_samples(
            lambda s: None if 10 <= at(s) < 16 else s
        ),
    },
    "scaled_out_on_memory": {
        "the decision names another rule": edit_samples(
            lambda s: replace(s, decision_rule=s.decision_rule and "Queue")
        ),
        "the queue alone would have grown the fleet": edit_samples(
            lambda s: replace(s, queue_need=2)
        ),
        "the queue's need is unknown": edit_samples(lambda s: replace(s, queue_need=None)),
        "memory alone would not have grown the fleet": edit_samples(
            lambda s: replace(s, memory_need=1)
        ),
        "the status never named the decision": edit_samples(lambda s: replace(s, decision_rule="")),
        "the decision came too late": edit_samples(
            lambda s: replace(s, decision_desired=1) if at(s) <= GROWN + 16 else s
        ),
        "memory stood above the line for too little of the time": edit_samples(
            lambda s: replace(s, live=0.74) if GROWN - 9 <= at(s) < GROWN - 5 else s
        ),
        "more requests waited than the limit": edit_samples(
            lambda s: replace(s, queue=5) if at(s) == GROWN - 3 else s
        ),
        "nobody counted the waiting requests": edit_samples(lambda s: replace(s, queue=None)),
        "raw memory moved": edit_samples(lambda s: replace(s, raw=0.80) if at(s) < 10 else s),
        "nothing was recorded before the growth": edit_samples(
            lambda s: None if GROWN - 8 <= at(s) < GROWN - 1 else s
        ),
    },
    "new_replica_took_load": {
        "its share is too small": edit_requests(
            lambda r: replace(r, pod=OLD) if r.pod == NEW and r.id % 2 else r
        ),
        "it answered too few": edit_requests(
            lambda r: (
                None
                if between(r, NEW_READY, NEW_READY + 60) and r.session not in {"s001", "s000"}
                else r
            )
        ),
        "what it began it did not end": edit_requests(
            lambda r: replace(r, finish_reason="") if r.pod == NEW else r
        ),
    },
    "rejected_new_sessions_at_max": {
        "49 newcomers were refused": edit_requests(
            lambda r: None if refused(r) and int(r.session[1:]) >= 49 else r
        ),
        "the same few were refused again and again": edit_requests(
            lambda r: replace(r, session=f"n{r.id % 20:03d}") if refused(r) else r
        ),
        "a refusal names no time": edit_requests(
            lambda r: replace(r, retry_after="") if r.session == "n007" else r
        ),
        "a refusal names a fraction": edit_requests(
            lambda r: replace(r, retry_after="1.5") if r.session == "n007" else r
        ),
        "a refusal names 0 s": edit_requests(
            lambda r: replace(r, retry_after="0") if r.session == "n007" else r
        ),
        "a refusal names 61 s": edit_requests(
            lambda r: replace(r, retry_after="61") if r.session == "n007" else r
        ),
        "they were refused for another reason": edit_requests(
            lambda r: replace(r, rejected_reason="queue_full") if refused(r) else r
        ),
        "the fleet was not at its largest then": edit_requests(
            lambda r: replace(r, sent=r.sent - 130, end=r.end - 130) if refused(r) else r
        ),
        "no replica was above the line": edit_samples(
            lambda s: replace(s, live=0.7) if at(s) >= NEW_READY else s
        ),
        "they had been let in before": both(
            add(*(answer(f"n{n:03d}", 0, OLD, 100, 2) for n in range(60))), lambda s, r: (s, r)
        ),
    },
    "served_known_sessions": {
        "only 23 sessions went on": keep_known_sessions(23),
        "each had two turns": keep_turns_while_refusing(2),
        "too many needed a second try": fail_first_tries(8),
        "one needed a third try": add(
            *(
                answer("s001", 70, OLD, 200 + n, 0.5, status=503, finish_reason="", attempt=n + 1)
                for n in range(2)
            ),
            answer("s001", 70, OLD, 203, 2, attempt=3),
        ),
        "one was never answered": add(
            answer("s001", 70, OLD, 200, 1, status=429, finish_reason="", retry_after="3")
        ),
        "one was cut": add(answer("s001", 70, OLD, 200, 1, finish_reason="")),
    },
    "scaled_in_without_cut": {
        "three streams ran on the victim": keep_victim_streams(3),
        "one of them was cut": edit_requests(
            lambda r: replace(r, finish_reason="") if is_victims_stream(r) else r
        ),
        "a stream elsewhere was cut": add(replace(KNOWN_AFTER_MARK, finish_reason="")),
        "a request got no answer": add(
            replace(KNOWN_AFTER_MARK, status=None, finish_reason="", pod="", error="reset")
        ),
        "a known session was turned away": add(
            replace(KNOWN_AFTER_MARK, status=503, finish_reason="")
        ),
        "two replicas were there at the end": edit_samples(
            lambda s: replace(s, time=s.time + 30) if s.pod == NEW else s
        ),
        "two were still asked for": edit_samples(
            lambda s: replace(s, desired=2) if at(s) > GONE else s
        ),
        "the other replica went": edit_samples(
            lambda s: replace(s, pod=NEW) if at(s) >= GONE else s
        ),
        "nobody was marked": edit_samples(lambda s: replace(s, draining=False, drain_since=None)),
    },
}

CASES = [
    pytest.param(name, edit, id=f"{name}: {why}")
    for name, edits in FLOORS.items()
    for why, edit in edits.items()
]


def test_every_claim_holds_on_a_good_recording():
    held = {claim.name: claim.held for claim in judge(make_samples(), make_requests())}
    assert held == dict.fromkeys(FLOORS, True)


@pytest.mark.parametrize(("name", "edit"), CASES)
def test_a_claim_fails_below_its_floor(name: str, edit: Edit):
    assert judge_one(name, *edit(make_samples(), make_requests())).held is False


@pytest.mark.parametrize(
    ("name", "edit"),
    [
        ("rejected_new_sessions_at_max", edit_requests(
            lambda r: None if refused(r) and int(r.session[1:]) >= 50 else r)),
        ("served_known_sessions", keep_known_sessions(24)),
        ("served_known_sessions", keep_turns_while_refusing(3)),
        ("served_known_sessions", fail_first_tries(4)),
        ("scaled_in_without_cut", keep_victim_streams(4)),
        ("idle_fleet_did_not_grow", edit_requests(
            lambda r: replace(r, sent=START + 21) if r.id == 1 else r)),
    ],
)  # fmt: skip
def test_a_claim_holds_at_its_floor(name: str, edit: Edit):
    assert judge_one(name, *edit(make_samples(), make_requests())).held is True


@pytest.mark.parametrize(
    ("name", "edit", "reason"),
    [
        (
            "idle_fleet_did_not_grow",
            edit_samples(lambda s: replace(s, live=None)),
            "live memory is unknown",
        ),
        (
            "idle_fleet_did_not_grow",
            edit_samples(lambda s: replace(s, ready=False, waiting="ImagePullBackOff")),
            "ImagePullBackOff",
        ),
        (
            "scaled_out_on_memory",
            edit_samples(lambda s: replace(s, desired=1, live=0.31)),
            "live memory reached 0.31",
        ),
        (
            "new_replica_took_load",
            edit_samples(
                lambda s: (
                    replace(s, ready=False, waiting="Unschedulable: 0/1 nodes fit")
                    if s.pod == NEW
                    else s
                )
            ),
            "Unschedulable: 0/1 nodes fit",
        ),
        (
            "rejected_new_sessions_at_max",
            edit_samples(lambda s: None if s.pod == NEW else s),
            "never stood at its largest",
        ),
        ("served_known_sessions", edit_requests(lambda r: None if refused(r) else r), "nobody"),
    ],
)
def test_what_a_cluster_cannot_show_is_named(name: str, edit: Edit, reason: str):
    claim = judge_one(name, *edit(make_samples(), make_requests()))
    assert claim.held is None
    assert reason in claim.not_shown


def test_an_empty_recording_shows_nothing():
    assert {claim.held for claim in judge([], [])} == {None}


def test_known_is_computed_and_not_believed():
    rows = [replace(r, known=True) if refused(r) else r for r in make_requests()]
    assert judge_one("rejected_new_sessions_at_max", make_samples(), rows).held is True


def test_a_fleet_that_never_grew_although_full_is_a_failure():
    samples = [replace(sample, desired=1) for sample in make_samples() if sample.pod == OLD]
    assert judge_one("scaled_out_on_memory", samples, make_requests()).held is False


def test_a_refused_newcomer_that_is_let_in_later_counts_as_refused_once():
    later = [*make_requests(), refusal("n000", REFUSED_TO - 10)]
    claim = judge_one("rejected_new_sessions_at_max", make_samples(), later)
    assert claim.figures["refused_sessions"] == 60
    assert claim.figures["refusals"] == 61
