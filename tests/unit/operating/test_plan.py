"""What is to be done this second, in order."""

from dataclasses import replace

import pytest
from vibethinker_operator.drain import (
    VICTIM_DELETION_COST,
    DrainStep,
    Idle,
    Mark,
    Shrink,
    Undo,
    Wait,
)
from vibethinker_operator.observed import Observed
from vibethinker_operator.plan import (
    Action,
    MarkPod,
    SetReplicas,
    StartDrain,
    StopDrain,
    UnmarkPod,
    build_plan,
)

from tests.unit.deciding.builders import START, Story, make_observed, make_pod, make_sample

A, B, C = (make_pod(uid) for uid in "abc")
DRAINED = make_pod("b", draining_since=START - 30, deletion_cost=VICTIM_DELETION_COST)
HOLDS = replace(Story(replicas=2).sweep(), message="the load fell")


def plan(
    observed: Observed, desired: int, step: DrainStep, **draining: bool | None
) -> tuple[Action, ...]:
    samples = {uid: make_sample(uid, draining=is_so) for uid, is_so in draining.items()}
    return build_plan(observed, replace(HOLDS, desired=desired), step, samples, START)


def test_a_fleet_of_the_right_size_is_left_alone():
    assert plan(make_observed(A, B), 2, Idle(), a=False, b=False) == ()


def test_growing_is_one_write_at_once():
    assert plan(make_observed(A, B), 5, Idle()) == (SetReplicas(2, 5, "the load fell"),)


def test_fewer_replicas_alone_write_nothing_before_a_drain_has_ended():
    assert plan(make_observed(A, B), 1, Wait(B, "3 in flight")) == ()
    assert plan(make_observed(A, B), 1, Mark(B)) == (MarkPod(B, START),)


def test_a_drained_pod_is_asked_to_go_by_name_of_its_deletion_cost():
    step = Shrink(1, (DRAINED,), "2 to 1: vt-b is drained")
    said = "the load fell; 2 to 1: vt-b is drained"
    assert plan(make_observed(A, DRAINED), 1, step, b=True) == (
        SetReplicas(2, 1, said, (DRAINED,)),
    )


def test_a_pod_that_serves_nobody_is_marked_before_the_write_but_not_drained():
    step = Shrink(1, (B,), "2 to 1: vt-b served nobody")
    marked, written = plan(make_observed(A, B), 1, step)
    assert marked == MarkPod(B, None)
    assert isinstance(written, SetReplicas)


def test_replicas_that_were_never_made_are_taken_back_without_a_mark():
    step = Shrink(2, (), "4 to 2: replicas that were never made served nobody")
    (written,) = plan(make_observed(A, B, replicas=4), 2, step)
    assert isinstance(written, SetReplicas)
    assert (written.current, written.replicas, written.victims) == (4, 2, ())


def test_where_both_are_asked_for_growing_comes_before_a_shrink_that_is_out_of_date():
    step = Shrink(1, (DRAINED,), "2 to 1: vt-b is drained")
    assert plan(make_observed(A, DRAINED), 3, step, b=True) == (SetReplicas(2, 3, "the load fell"),)


def test_marks_come_off_every_pod_that_is_wanted_again():
    assert plan(make_observed(A, B, C), 3, Undo((B, C))) == (UnmarkPod(B), UnmarkPod(C))


@pytest.mark.parametrize(
    ("pod", "drains", "action"),
    [
        pytest.param(DRAINED, False, StartDrain(DRAINED), id="marked and still serving"),
        pytest.param(DRAINED, True, None, id="marked and draining"),
        pytest.param(DRAINED, None, None, id="marked and silent about it"),
        pytest.param(B, True, StopDrain(B), id="draining and not marked"),
        pytest.param(B, False, None, id="as it should be"),
    ],
)
def test_what_a_pod_does_is_brought_to_what_its_mark_says(pod, drains, action):
    wait = Wait(DRAINED, "3 in flight")
    assert plan(make_observed(A, pod), 2, wait, b=drains) == ((action,) if action else ())


def test_a_pod_that_is_not_heard_is_told_nothing():
    assert plan(make_observed(A, DRAINED), 2, Wait(DRAINED, "nobody knows")) == ()


def test_a_pod_on_its_way_out_is_told_nothing():
    leaving = replace(DRAINED, terminating=True)
    assert plan(make_observed(A, leaving), 1, Idle(), b=False) == ()
