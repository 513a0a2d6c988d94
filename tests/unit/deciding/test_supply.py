"""Pods there and coming."""

from dataclasses import replace

import pytest
from vibethinker_operator.observed import DeploymentCondition, Observed, Termination
from vibethinker_operator.scaling import ScalingPolicy, StartTimes, Withdrawal
from vibethinker_operator.supply import (
    Supply,
    count_supply,
    describe_lost,
    find_relief,
    learn_start,
    withdraw_late,
)

from tests.unit.deciding.builders import (
    START,
    make_deployment,
    make_observed,
    make_pending,
    make_pod,
    make_starting,
)

POLICY = ScalingPolicy(
    max_replicas=9, startup_deadline_seconds=100, provisioning_deadline_seconds=50
)
READY = make_pod("a")


def count(observed: Observed, now: float = START) -> Supply:
    return count_supply(POLICY, observed, now)


def test_a_starting_pod_counts_until_its_deadline():
    observed = make_observed(READY, make_starting("b", created=START - 99))
    assert (count(observed).counted, len(count(observed).coming)) == (2, 1)
    late = count(observed, START + 1)
    assert (late.counted, [pod.uid for pod in late.late], late.coming) == (1, ["b"], ())


def test_a_pod_without_a_node_counts_until_the_other_deadline():
    observed = make_observed(READY, make_pending("b", created=START - 49, message="no gpu"))
    assert count(observed).counted == 2
    assert count(observed).coming == ()
    assert count(observed).obstacle == "pod vt-b has no node: no gpu"
    assert count(observed, START + 1).counted == 1


def test_a_pod_that_waited_long_for_its_node_has_its_whole_start_from_then_on():
    pod = make_starting("b", created=START - 500, scheduled_since=START - 10)
    assert count(make_observed(READY, pod)).counted == 2


def test_a_pod_that_was_ready_is_late_only_from_when_it_was_not():
    pod = make_starting("b", created=START - 9000, unready_since=START - 99)
    assert count(make_observed(READY, pod)).counted == 2
    assert count(make_observed(READY, pod), START + 1).counted == 1


def test_a_drained_pod_is_neither_coming_nor_late():
    drained = make_pod("b", ready=False, draining_since=START - 5000, unready_since=START - 5000)
    supply = count(make_observed(READY, drained))
    assert (supply.coming, supply.late, supply.counted) == ((), (), 2)


def test_pods_on_their_way_out_or_finished_do_not_count_as_made():
    gone = replace(make_pod("b"), terminating=True)
    evicted = replace(make_pod("c"), finished=True)
    assert count(make_observed(READY, gone, evicted, replicas=2)).missing == 1


def failing(since: float | None) -> Observed:
    condition = DeploymentCondition("ReplicaFailure", "True", "FailedCreate", "quota", since)
    return Observed(make_deployment(3, condition), (READY,))


def test_replicas_that_may_not_be_made_are_an_obstacle_and_then_late():
    assert count(failing(START - 49)).obstacle == "quota"
    assert count(failing(START - 49)).counted == 3
    assert count(failing(START - 50)).missing_late == 2
    assert count(failing(START - 50)).counted == 1
    assert count(failing(None)).counted == 3


def test_replicas_just_asked_for_are_missing_and_not_late():
    supply = count(make_observed(READY, replicas=4), START + 9999)
    assert (supply.missing, supply.missing_late, supply.obstacle) == (3, 0, None)


@pytest.mark.parametrize(
    ("pod", "words"),
    [
        (
            make_pending("b", created=0, message="0/1 nodes"),
            "1 replica found no node in time: 0/1 nodes",
        ),
        (
            make_pending("b", created=0),
            "1 replica found no node in time: the scheduler has not said why",
        ),
        (
            make_starting("b", created=0, waiting_reason="ImagePullBackOff"),
            "1 replica did not get Ready in time: ImagePullBackOff",
        ),
        (
            make_starting("b", created=0, last_termination=Termination("OOMKilled", 137)),
            "1 replica did not get Ready in time: it ended with OOMKilled (exit code 137)",
        ),
        (
            make_starting("b", created=0),
            "1 replica did not get Ready in time: nothing says why",
        ),
    ],
)
def test_what_was_late_is_said_with_its_reason(pod, words):
    assert describe_lost(count(make_observed(READY, pod))) == words


def test_replicas_that_were_never_made_are_said_too():
    assert describe_lost(count(failing(START - 60))) == "2 replicas could not be made: quota"


class TestWithdrawal:
    late = count(make_observed(READY, make_starting("b", created=START - 500)))
    fine = count(make_observed(READY))

    def after(
        self, supply: Supply, before: Withdrawal | None, now: float, event: float | None = None
    ) -> Withdrawal | None:
        return withdraw_late(supply, before, room_event_at=event, now=now)

    def test_a_late_pod_withdraws_the_step_once(self):
        first = self.after(self.late, None, START)
        assert first == Withdrawal(
            START, frozenset({"b"}), "1 replica did not get Ready in time: nothing says why"
        )
        assert self.after(self.late, first, START + 5) is first
        assert self.after(self.late, first, START + 5000) is first  # still late: not withdrawn anew

    def test_it_is_over_after_ten_minutes(self):
        first = self.after(self.late, None, START)
        assert self.after(self.fine, first, START + 599) is first
        assert self.after(self.fine, first, START + 600) is None

    def test_or_when_room_was_made_after_it(self):
        first = self.after(self.late, None, START)
        assert self.after(self.fine, first, START + 9, START - 1) is first
        assert self.after(self.fine, first, START + 9, START + 5) is None
        assert self.after(self.fine, first, START + 9, START + 99) is first  # not yet: a clock

    def test_another_late_pod_withdraws_again(self):
        first = self.after(self.late, None, START)
        two = count(
            make_observed(READY, *(make_starting(uid, created=START - 500) for uid in ("b", "c")))
        )
        again = self.after(two, first, START + 50)
        assert again is not None
        assert (again.at, again.pods) == (START + 50, frozenset({"b", "c"}))

    def test_nothing_late_withdraws_nothing(self):
        assert self.after(self.fine, None, START) is None


class TestStartTimes:
    def test_a_pod_that_was_seen_starting_teaches(self):
        start = learn_start(
            StartTimes(), make_observed(READY, make_starting("b", created=START - 40))
        )
        assert (start.seconds, start.witnessed) == (100.0, False)
        ready = make_pod("b", created=START - 40, ready_since=START + 5)
        start = learn_start(start, make_observed(READY, ready))
        assert (start.seconds, start.witnessed) == (45.0, True)

    def test_after_a_restart_the_quickest_is_believed(self):
        slow = make_pod("b", created=START - 9000, ready_since=START - 10)  # a readiness hiccup
        assert learn_start(StartTimes(), make_observed(READY, slow)).seconds == 100.0

    def test_a_readiness_hiccup_teaches_nothing(self):
        start = learn_start(StartTimes(45.0, True), make_observed(READY))
        hiccup = replace(READY, ready=False, ready_since=None, unready_since=START)
        start = learn_start(start, make_observed(hiccup))
        start = learn_start(start, make_observed(replace(READY, ready_since=START + 2)))
        assert start.seconds == 45.0

    def test_with_nobody_ready_nothing_is_known(self):
        start = learn_start(StartTimes(), make_observed(make_starting("b", created=START)))
        assert start.seconds is None

    def test_pods_that_are_gone_are_forgotten(self):
        start = learn_start(StartTimes(), make_observed(READY))
        assert learn_start(start, make_observed(make_pod("z"))).been_ready == {"z"}


class TestRelief:
    def test_it_is_due_when_the_next_pod_will_be_ready(self):
        starting = [make_starting(uid, created=START - age) for uid, age in (("b", 30), ("c", 10))]
        assert find_relief(count(make_observed(READY, *starting)), 45.0, START) == START + 15

    def test_a_pod_that_takes_longer_is_due_now(self):
        starting = make_starting("b", created=START - 80)
        assert find_relief(count(make_observed(READY, starting)), 45.0, START) == START

    def test_a_pod_that_is_stuck_is_no_relief(self):
        stuck = make_starting("b", created=START - 30, waiting_reason="CrashLoopBackOff")
        assert find_relief(count(make_observed(READY, stuck)), 45.0, START) == START + 45

    def test_with_none_on_its_way_it_is_that_of_one_asked_for_now(self):
        assert find_relief(count(make_observed(READY)), 45.0, START) == START + 45

    def test_before_any_pod_was_ready_nobody_can_say(self):
        assert find_relief(count(make_observed(READY)), None, START) is None
