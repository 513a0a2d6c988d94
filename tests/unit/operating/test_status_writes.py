"""When a status is worth a write, and what an earlier process left in it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vibethinker_operator.api import parse_status
from vibethinker_operator.api.status import Status, StreakStatus
from vibethinker_operator.scaling import ScalingState
from vibethinker_operator.status import is_write_due, render_status, resume_scaling
from vibethinker_operator.streak import Signal, Streak, start_tracks

from tests.unit.deciding.builders import START, make_observed, make_pod, make_starting
from tests.unit.operating.views import decide_once, make_view, read_once

NINE = "2027-01-15T09:00:00Z"
CALM, BUSY = Status(replicas=1), Status(replicas=2)
STREAK = StreakStatus(signal="Memory", since=datetime.fromtimestamp(START, UTC))


def test_it_reads_back_as_it_was_written():
    observed = make_observed(make_pod("a"), make_starting("b", created=START - 9, pulling=True))
    decision = replace(
        decide_once(), state=ScalingState.resume(Streak(Signal.QUEUE, START - 7.7, START))
    )
    view = make_view(observed, signals=read_once(observed), decision=decision)
    status = render_status(view, Status(), START + 0.123)
    body = status.model_dump(mode="json", exclude_none=True)
    assert parse_status(body) == status
    assert body["readyReplicas"] == 1
    assert body["streak"]["lastSeen"] == "1970-01-12T13:46:40Z"
    assert not is_write_due(parse_status(body), status, None, START)


@pytest.mark.parametrize(
    ("status", "written", "age", "due"),
    [
        (CALM, CALM, 999.0, False),
        (BUSY, CALM, None, True),
        (BUSY, CALM, 9.9, False),
        (BUSY, CALM, 10.0, True),
        (Status(streak=STREAK), CALM, 4.9, False),
        (Status(streak=STREAK), CALM, 5.0, True),
        (CALM, Status(replicas=1, streak=STREAK), 9.9, False),
        (Status(desired_replicas=2), Status(desired_replicas=1), 1.0, True),
    ],
)
def test_news_waits_ten_seconds_or_five_in_a_streak_and_another_size_not(status, written, age, due):
    written_at = None if age is None else START - age
    assert is_write_due(status, written, written_at, START) is due


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(Signal), st.integers(0, 10**9), st.integers(0, 10**6))
def test_a_streak_comes_back_as_it_was_written(signal, since, lasted):
    streak = Streak(signal, float(since), float(since + lasted))
    decision = replace(decide_once(), state=ScalingState(tracks=start_tracks(streak)))
    status = render_status(make_view(decision=decision), Status(), START)
    body = status.model_dump(mode="json", exclude_none=True)
    assert resume_scaling(parse_status(body)).streak == streak


@pytest.mark.parametrize(
    "streak",
    [
        None,
        {"signal": "Memory"},
        {"signal": "Memory", "since": NINE},
        {
            "signal": "Temperature",
            "since": "2027-01-15T08:00:00Z",
            "lastSeen": "2027-01-15T09:00:00Z",
        },
        {"signal": "Memory", "since": "soon", "lastSeen": "later"},
        "Memory",
    ],
)
def test_a_streak_that_says_nothing_usable_counts_as_none(streak):
    assert resume_scaling(parse_status({"streak": streak})).streak is None
