"""A made-up recording of a run in which everything goes right, for tests to break one at a time.

Seconds of the story: Ready at 0, first request at 30, above the line from 60, growth at 75, second
replica Ready at 130, refusals 170 to 250, a replica marked at 330 and gone at 365, end at 375.
"""

import math
from dataclasses import replace

from tests.demo.rows import Request, Sample

START = 1_800_000_000.0
OLD, NEW = "vibethinker-5d9-aaaaa", "vibethinker-5d9-bbbbb"
GROWN, NEW_READY, REFUSED_FROM, REFUSED_TO, MARKED, GONE, END = 75, 130, 170, 250, 330, 365, 375


def _old_live(t: int) -> float:
    if t < 30:
        return 0.42
    if t < 60:
        return 0.42 + 0.38 * (t - 30) / 30
    if t < NEW_READY:
        return 0.79 + 0.012 * math.sin(t / 3)
    if t < REFUSED_FROM:
        dip = 0.2 * math.exp(-((t - 145) ** 2) / 90)
        return 0.79 - dip + 0.01 * math.sin(t / 3)
    if t < 255:
        return 0.79 + 0.015 * math.sin(t / 4)
    return 0.52 if t < 370 else 0.43


def _new_live(t: int) -> float:
    if t < 135:
        return 0.42
    if t < REFUSED_FROM:
        return 0.42 + 0.37 * (t - 135) / 35
    if t < 255:
        return 0.79 + 0.015 * math.sin(t / 5)
    return 0.51


def _phase(t: int) -> str:
    bounds = (
        (30, "idle"),
        (GROWN, "fill"),
        (NEW_READY, "grow"),
        (255, "overload"),
        (370, "shrink"),
    )
    return next((name for end, name in bounds if t < end), "rest")


def make_samples() -> list[Sample]:
    rows = []
    for t in range(END + 1):
        desired = 2 if GROWN <= t < 350 else 1
        both_ready = NEW_READY <= t < MARKED + 2
        grew = t >= GROWN + 2
        fleet = Sample(
            time=START + t,
            pod=OLD,
            live=_old_live(t),
            raw=0.91 + (0.004 if t > 60 else 0.0),
            kv_use=(_old_live(t) - 0.41) / 0.5,
            queue=1 if 30 <= t < 255 else 0,
            running=0 if t < 30 or t > 370 else 20,
            ready=True,
            phase=_phase(t),
            replicas=2 if GROWN < t < GONE else 1,
            ready_replicas=2 if both_ready else 1,
            desired=desired,
            max_replicas=2,
            decision_desired=desired if grew else 1,
            decision_rule="Memory" if grew else "",
            decision_reason="AboveLine" if grew else "WithinLimits",
            decision_message="live memory 0.80 for 10 s" if grew else "",
            memory_need=2 if grew else 1,
            queue_need=1,
        )
        rows.append(fleet)
        if GROWN < t < GONE:
            ready = t >= NEW_READY
            rows.append(
                replace(
                    fleet,
                    pod=NEW,
                    live=_new_live(t) if ready else None,
                    raw=0.912 if ready else None,
                    kv_use=(_new_live(t) - 0.41) / 0.5 if ready else None,
                    ready=ready and t < MARKED + 2,
                    draining=t >= MARKED,
                    drain_since=START + MARKED if t >= MARKED else None,
                    waiting="" if ready else "NotReady",
                )
            )
    return rows


def answer(
    session: str, turn: int, pod: str, sent: float, seconds: float, **more: object
) -> Request:
    row = Request(
        id=0,
        session=session,
        turn=turn,
        known=turn > 1,
        pod=pod,
        sent=START + sent,
        first_byte=START + sent + 0.8,
        end=START + sent + seconds,
        status=200,
        finish_reason="length",
        retry_after="",
    )
    return replace(row, **more)  # type: ignore[arg-type]


def refusal(session: str, sent: float, **more: object) -> Request:
    row = answer(
        session,
        1,
        OLD,
        sent,
        0.01,
        first_byte=None,
        status=429,
        finish_reason="",
        retry_after="7",
        rejected_reason="memory_line",
    )
    return replace(row, **more)  # type: ignore[arg-type]


def make_requests() -> list[Request]:
    rows = []
    for number in range(40):
        session, turn, sent = f"s{number:03d}", 1, 30.0 + number
        while sent < 255:
            pod = NEW if number % 2 and sent > NEW_READY + 5 else OLD
            rows.append(answer(session, turn, pod, sent, 11.5))
            turn, sent = turn + 1, sent + 12
        if number < 16:
            while sent < 372:
                pod = NEW if number % 2 and sent < MARKED + 10 else OLD
                rows.append(answer(session, turn, pod, sent, 24.5))
                turn, sent = turn + 1, sent + 25
    rows += [refusal(f"n{number:03d}", REFUSED_FROM + number * 1.3) for number in range(60)]
    rows.sort(key=lambda row: row.sent)
    return [replace(row, id=number) for number, row in enumerate(rows, start=1)]
