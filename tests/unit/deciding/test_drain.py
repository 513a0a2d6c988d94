"""Shrinking without cutting what was admitted."""

from dataclasses import replace

import pytest
from vibethinker_operator.drain import (
    SETTLE_SECONDS,
    DrainStep,
    Idle,
    Mark,
    Shrink,
    Undo,
    Wait,
    find_unexpected_victims,
    next_drain_step,
)
from vibethinker_operator.observed import Observed, ObservedPod

from tests.unit.deciding.builders import (
    START,
    make_observed,
    make_pending,
    make_pod,
    make_sample,
    make_starting,
)

DEADLINE = 200.0
A, B, C = (make_pod(uid) for uid in "abc")


def step(
    observed: Observed, desired: int, *, now: float = START, **in_flight: float | None
) -> DrainStep:
    samples = {uid: make_sample(uid, now, in_flight=count) for uid, count in in_flight.items()}
    return next_drain_step(observed, samples, desired, deadline_seconds=DEADLINE, now=now)


def draining(pod: ObservedPod, ago: float) -> ObservedPod:
    return replace(pod, draining_since=START - ago, ready=False, ready_since=None)


class TestChoice:
    def test_a_fleet_of_the_right_size_is_left_alone(self):
        assert step(make_observed(A, B), 2) == Idle()

    def test_growing_is_not_a_drain(self):
        assert step(make_observed(A), 3) == Idle()

    def test_the_pod_with_the_fewest_requests_goes(self):
        assert step(make_observed(A, B, C), 2, a=3, b=1, c=2) == Mark(B)

    def test_of_equals_the_youngest_goes(self):
        young = replace(B, created=START - 50)
        assert step(make_observed(A, young, C), 2, a=1, b=1, c=1) == Mark(young)

    def test_of_twins_always_the_same_one(self):
        assert step(make_observed(A, B), 1, a=0, b=0) == Mark(A)
        assert step(make_observed(B, A), 1, a=0, b=0) == Mark(A)

    def test_a_pod_of_which_nothing_is_known_goes_last(self):
        assert step(make_observed(A, B), 1, b=90) == Mark(B)
        assert step(make_observed(A, B), 1, a=None, b=90) == Mark(B)

    def test_one_at_a_time_however_many_are_too_many(self):
        assert step(make_observed(A, B, C), 0, a=1, b=2, c=3) == Mark(A)
        assert isinstance(step(make_observed(draining(A, 3), B, C), 0, a=1, b=2, c=3), Wait)

    def test_where_nobody_serves_and_nobody_is_free_nothing_is_done(self):
        busy = replace(A, ready=False, ready_since=None)
        assert step(make_observed(busy), 0, a=4) == Idle()


class TestFreeFirst:
    def test_a_pod_without_a_node_goes_at_once(self):
        pending = make_pending("p", created=START - 5)
        assert step(make_observed(A, B, pending), 2, a=1, b=1) == Shrink(
            2, (pending,), "3 to 2: vt-p served nobody"
        )

    def test_a_pod_that_is_not_ready_goes_before_a_drained_one(self):
        starting = make_starting("s", created=START - 5)
        observed = make_observed(draining(A, 60), B, starting)
        assert step(observed, 2, a=0, b=1) == Shrink(2, (starting,), "3 to 2: vt-s served nobody")

    def test_as_many_as_are_too_many_in_the_controllers_order(self):
        starting = make_starting("s", created=START - 5)
        pending = make_pending("p", created=START - 50)
        older = make_starting("o", created=START - 99)
        observed = make_observed(A, older, starting, pending)
        assert step(observed, 2, a=1) == Shrink(
            2, (pending, starting), "4 to 2: vt-p, vt-s served nobody"
        )

    def test_replicas_that_were_never_made_go_without_a_trace(self):
        observed = make_observed(A, B, replicas=4)
        assert step(observed, 2, a=1, b=1) == Shrink(
            2, (), "4 to 2: replicas that were never made served nobody"
        )

    def test_a_pod_that_is_not_ready_for_a_moment_but_has_requests_is_not_free(self):
        hiccup = replace(B, ready=False, ready_since=None)
        assert step(make_observed(A, hiccup), 1, a=2, b=5) == Mark(A)


class TestWaiting:
    def follow(self, ago: float, in_flight: float | None, *, known: bool = True) -> DrainStep:
        observed = make_observed(A, draining(B, ago))
        return step(observed, 1, a=5, b=in_flight) if known else step(observed, 1, a=5)

    def test_for_ten_seconds_everything_is_still_answered(self):
        for ago in (0.0, SETTLE_SECONDS - 0.1):
            assert self.follow(ago, 0) == Wait(
                draining(B, ago), "vt-b still answers, endpoints change for 10 s"
            )

    def test_then_the_last_request_is_waited_for(self):
        assert self.follow(10, 3) == Wait(
            draining(B, 10), "vt-b finishes its requests: 3 in flight, 190 s left"
        )

    def test_and_with_none_left_the_fleet_shrinks(self):
        assert self.follow(10, 0) == Shrink(1, (draining(B, 10),), "2 to 1: vt-b is drained")

    def test_at_the_deadline_it_shrinks_and_says_what_is_cut(self):
        assert self.follow(DEADLINE, 2) == Shrink(
            1, (draining(B, 200),), "2 to 1: vt-b reached its deadline of 200 s, 2 in flight"
        )

    @pytest.mark.parametrize("known", [True, False])
    def test_a_silent_pod_is_waited_for_until_the_deadline(self, known):
        waiting = self.follow(199, None, known=known)
        assert waiting == Wait(
            draining(B, 199),
            "vt-b finishes its requests: nobody knows how many are in flight, 1 s left",
        )
        assert isinstance(self.follow(200, None, known=known), Shrink)

    def test_a_mark_of_tomorrow_counts_from_now(self):
        assert isinstance(self.follow(-86_400, 0), Wait)

    def test_a_restart_in_between_changes_nothing(self):
        # Everything is read from the pod: the same observation gives the same step.
        assert self.follow(50, 3) == self.follow(50, 3)

    def test_the_longest_drain_is_followed(self):
        observed = make_observed(draining(A, 20), draining(B, 60), C)
        assert step(observed, 1, a=0, b=0, c=1) == Shrink(
            2, (draining(B, 60),), "3 to 2: vt-b is drained"
        )


class TestUndo:
    def test_when_load_returns_the_pod_serves_again(self):
        assert step(make_observed(A, draining(B, 50)), 2) == Undo((draining(B, 50),))

    def test_when_the_fleet_is_to_grow_too(self):
        assert step(make_observed(A, draining(B, 50)), 5) == Undo((draining(B, 50),))

    def test_of_two_drains_only_the_later_is_undone_if_one_is_still_wanted(self):
        observed = make_observed(draining(A, 20), draining(B, 60), C)
        assert step(observed, 2) == Undo((draining(A, 20),))

    def test_a_pod_that_is_on_its_way_out_cannot_be_undone(self):
        gone = replace(draining(B, 50), terminating=True)
        assert step(make_observed(A, gone, replicas=1), 1) == Idle()


class TestVictims:
    def test_the_one_that_was_drained_is_expected(self):
        before = make_observed(A, draining(B, 60))
        assert find_unexpected_victims(before, make_observed(A), (B,)) == ()

    def test_another_one_is_not(self):
        before = make_observed(A, draining(B, 60), C)
        after = make_observed(A, replace(B, terminating=False), replace(C, terminating=True))
        assert find_unexpected_victims(before, after, (B,)) == (C,)

    def test_pods_that_served_nobody_are_nobodys_loss(self):
        before = make_observed(A, make_pending("p", created=START))
        assert find_unexpected_victims(before, make_observed(A), ()) == ()


def test_a_whole_drain_from_mark_to_shrink():
    observed, told = make_observed(A, B), []
    for second in range(40):
        in_flight = max(0, 25 - second)
        now = START + second
        found = step(observed, 1, now=now, a=30, b=in_flight)
        told.append(type(found).__name__)
        if isinstance(found, Mark):
            marked = replace(found.pod, draining_since=now, ready=False, ready_since=None)
            observed = make_observed(A, marked)
        if isinstance(found, Shrink):
            observed = make_observed(A)
    assert told == ["Mark"] + ["Wait"] * 24 + ["Shrink"] + ["Idle"] * 14
