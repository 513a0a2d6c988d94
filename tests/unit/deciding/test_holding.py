"""Stories in which nothing is known, nothing fits, or it is not ours to decide."""

from dataclasses import replace

import pytest
from vibethinker_operator.observed import DeploymentCondition, Termination
from vibethinker_operator.samples import OUT_OF_RANGE, Sample, SampleRefused
from vibethinker_operator.scaling import Growth, Mode, Reason, Rule, ScalingPolicy
from vibethinker_operator.streak import Signal, Streak

from tests.unit.deciding.builders import GB, START, Load, Story, make_sample

WIDE = ScalingPolicy(min_replicas=1, max_replicas=6)
FULL = Load(kv=15.5 * GB, running=60, finishing=3.0)
QUIET = Load(kv=2 * GB, running=20, finishing=2.0)
NO_GPU = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."
QUOTA = 'pods "vt-x" is forbidden: exceeded quota: gpus, requested: 1, used: 2, limited: 2'


class TestMissingReadings:
    def test_with_nobody_to_read_the_fleet_stays_and_scaling_is_not_active(self):
        story = Story(WIDE, replicas=3)
        story.sweeps(20, FULL)
        decision = story.sweeps(4, FULL, silent={"p1", "p2", "p3"})[-1]
        assert (decision.desired, decision.rule) == (3, Rule.METRICS_UNAVAILABLE)
        assert decision.active.status is False
        assert decision.active.reason == "MetricsUnavailable"
        assert decision.message == (
            "0 of 3 ready replicas can be read (vt-p1 stale, vt-p2 stale, vt-p3 stale):"
            " too few to decide, the fleet stays as it is"
        )
        assert decision.counterfactual == "would decide when 2 replicas can be read"
        assert decision.growth.growth is Growth.CANNOT_GROW

    def test_silence_is_noticed_within_three_sweeps(self):
        story = Story(WIDE)
        story.sweeps(20, QUIET)
        rules = [d.rule for d in story.sweeps(3, silent={"p1"})]
        assert rules == [Rule.HOLD, Rule.HOLD, Rule.METRICS_UNAVAILABLE]

    def test_ten_minutes_of_silence_never_end_at_min(self):
        story = Story(WIDE, replicas=5)
        story.sweeps(20, QUIET)
        silent = {f"p{n}" for n in range(1, 6)}
        assert {d.desired for d in story.sweeps(600, silent=silent)} == {5}

    def test_half_of_the_replicas_are_enough_to_decide(self):
        story = Story(WIDE, replicas=4)
        story.sweeps(60, QUIET)
        load = Load(waiting=200, running=400, finishing=2.0)
        decisions = story.sweeps(10, load, silent={"p1", "p2"})
        assert decisions[-1].desired > 4

    def test_less_than_half_are_not(self):
        story = Story(WIDE, replicas=4)
        story.sweeps(60, QUIET)
        load = Load(waiting=200, running=400, finishing=2.0)
        decisions = story.sweeps(10, load, silent={"p1", "p2", "p3"})
        assert decisions[-1].rule is Rule.METRICS_UNAVAILABLE

    def test_a_silent_pod_counts_as_idle_for_growing(self):
        # Three replicas may hold 12 waiting requests; the two that answer have 11.
        story = Story(WIDE, replicas=3)
        story.sweeps(60, QUIET)
        load = Load(waiting=16, running=60, finishing=2.0)  # 5.3 each
        decisions = story.sweeps(30, load, silent={"p3"})
        assert {d.desired for d in decisions} == {3}

    def test_a_frozen_engine_is_a_missing_pod(self):
        story = Story(WIDE)
        story.sweeps(5, QUIET)
        stuck = [story.sweep(readings={"p1": _stuck(story.now + 1)}) for _ in range(11)]
        assert [d.rule for d in stuck[:10]] == [Rule.HOLD] * 10
        assert stuck[10].rule is Rule.METRICS_UNAVAILABLE
        assert "vt-p1 frozen" in stuck[10].message

    def test_a_pod_that_lies_is_a_missing_pod(self):
        story = Story(WIDE, replicas=2)
        story.sweeps(20, QUIET)
        for _ in range(3):
            lie = SampleRefused("p2", story.now + 1, OUT_OF_RANGE, "memory_used_ratio is 1e+308")
            decision = story.sweep(QUIET, readings={"p2": lie})
        assert story.signals is not None
        assert (story.signals.known, story.signals.expected) == (1, 2)
        assert decision.desired == 2
        assert story.windows.refused["p2"].reason == OUT_OF_RANGE

    def test_the_first_readings_after_ready_are_left_out(self):
        story = Story(WIDE)
        story.change("p1", ready_since=START)
        decisions = story.sweeps(4, FULL)
        assert [d.reason for d in decisions[:3]] == [Reason.NO_REPLICA_READY] * 3
        assert decisions[0].message == "no replica has been Ready for 4 s yet"
        assert decisions[3].rule is Rule.HOLD

    def test_a_new_pod_that_warms_up_does_not_make_the_fleet_unreadable(self):
        story = Story(WIDE)
        story.sweeps(60, QUIET)
        story.policy = replace(WIDE, min_replicas=3)
        story.start_seconds = 5
        rules = {d.rule for d in story.sweeps(30, QUIET)}
        assert Rule.METRICS_UNAVAILABLE not in rules

    def test_a_fleet_whose_first_pod_starts_says_so(self):
        story = Story(WIDE)
        story.change("p1", ready=False, ready_since=None, unready_since=START, created=START)
        decision = story.sweep()
        assert decision.message == "no replica is Ready"
        assert decision.reason is Reason.NO_REPLICA_READY
        assert decision.counterfactual == "would decide when a replica is Ready"

    def test_without_memory_the_queue_decides_alone(self):
        story = Story(WIDE)
        for second in range(60):
            sample = make_sample(
                "p1",
                story.now + 1,
                device_memory_bytes=None,
                running=20.0,
                engine_steps_total=float(second),
                queue_length=30.0 if second > 40 else 0.0,
            )
            decision = story.sweep(readings={"p1": sample})
        assert story.replicas == 2
        assert "memory_used_ratio" not in decision.inputs


class TestPlacement:
    def test_nothing_more_is_asked_for_before_the_first_is_placed(self):
        story = Story(WIDE, applies=False)
        story.replicas = 2
        story.add_pending(NO_GPU)
        load = Load(kv=15.5 * GB, waiting=300, running=60, finishing=3.0)
        decision = story.sweeps(30, load)[-1]
        assert decision.desired == 2
        assert decision.reason is Reason.WAITING_FOR_PLACEMENT
        assert decision.message.endswith(
            f"; nothing more is asked for: pod vt-p2 has no node: {NO_GPU}"
        )
        assert decision.limited.message == f"pod vt-p2 has no node: {NO_GPU}"
        assert decision.counterfactual == "would grow when what was asked for has its place"

    def test_a_pod_without_a_node_is_no_relief(self):
        story = Story(WIDE, applies=False)
        story.replicas = 2
        story.add_pending(NO_GPU)
        decision = story.sweep(QUIET)
        assert decision.growth.growth is Growth.CANNOT_GROW
        assert decision.growth.message == f"pod vt-p2 has no node: {NO_GPU}"

    def test_a_pod_that_cannot_pull_its_image_is_no_relief(self):
        story = Story(WIDE, start_seconds=1e9)
        story.sweeps(12, FULL)
        story.change("p2", waiting_reason="ImagePullBackOff")
        decision = story.sweep(FULL)
        assert decision.growth.growth is Growth.CANNOT_GROW
        assert decision.growth.message == "pod vt-p2 waits: ImagePullBackOff"

    def test_a_step_that_finds_no_node_is_withdrawn_at_its_deadline(self):
        story = Story(replace(WIDE, provisioning_deadline_seconds=120))
        story.sweeps(30, QUIET)
        story.replicas = 2
        story.add_pending(NO_GPU)
        decisions = story.sweeps(120, FULL)
        assert {d.desired for d in decisions[:119]} == {2}
        assert (decisions[119].desired, decisions[119].rule) == (1, Rule.WITHDRAW)
        assert decisions[119].message == (
            f"1 replica found no node in time: {NO_GPU}; back to 1, tried again in ten minutes"
        )
        assert [pod.uid for pod in story.pods.values()] == ["p1"]

    def test_a_withdrawn_step_is_not_retried_for_ten_minutes(self):
        story = _withdrawn()
        decisions = story.sweeps(597, FULL)
        assert {d.desired for d in decisions} == {1}
        assert decisions[-1].reason is Reason.STEP_WITHDRAWN
        assert decisions[-1].message.endswith(
            f"; not tried again yet: 1 replica found no node in time: {NO_GPU}"
        )
        assert decisions[-1].limited.reason == "StepWithdrawn"
        assert decisions[-1].counterfactual == (
            "would try again in 2 s, or when a node or a quota changes"
        )
        assert decisions[-1].growth.growth is Growth.CANNOT_GROW
        assert story.sweeps(2, FULL)[-1].desired == 2

    def test_a_new_node_lets_it_be_retried_at_once(self):
        story = _withdrawn()
        story.sweeps(30, FULL)
        story.room_event_at = story.now
        assert story.sweep(FULL).desired == 2

    def test_a_node_that_came_before_the_withdrawal_changes_nothing(self):
        story = _withdrawn()
        story.room_event_at = story.now - 100
        assert {d.desired for d in story.sweeps(30, FULL)} == {1}

    def test_a_pod_that_never_gets_ready_is_withdrawn_and_said(self):
        story = Story(replace(WIDE, startup_deadline_seconds=60), start_seconds=1e9)
        story.sweeps(11, FULL)
        story.change("p2", last_termination=Termination("Error", 1))
        decisions = story.sweeps(60, FULL)
        assert decisions[-1].message == (
            "1 replica did not get Ready in time: it ended with Error (exit code 1);"
            " back to 1, tried again in ten minutes"
        )
        assert story.replicas == 1

    def test_a_pod_that_was_ready_has_its_deadline_from_when_it_was_not(self):
        story = Story(replace(WIDE, startup_deadline_seconds=60), replicas=2)
        story.sweeps(5, QUIET)
        story.start_seconds = 1e9
        story.change("p2", ready=False, ready_since=None, unready_since=story.now)
        assert {d.desired for d in story.sweeps(59, QUIET)} == {2}

    def test_nothing_is_withdrawn_below_min(self):
        policy = ScalingPolicy(min_replicas=2, max_replicas=6, provisioning_deadline_seconds=60)
        story = Story(policy, applies=False)
        story.replicas = 2
        story.add_pending(NO_GPU)
        decision = story.sweeps(90, QUIET)[-1]
        assert decision.desired == 2
        assert decision.limited.status is True

    def test_a_fleet_grows_around_a_pod_that_stays_broken(self):
        policy = ScalingPolicy(min_replicas=2, max_replicas=6, startup_deadline_seconds=60)
        story = Story(policy, replicas=2)
        story.start_seconds = 1e9
        story.change("p2", ready=False, ready_since=None, unready_since=START - 55)
        story.sweeps(30, FULL)
        assert story.replicas == 2
        assert story.sweeps(600, FULL)[-1].replicas == 3

    def test_a_quota_is_told_and_the_step_withdrawn(self):
        failure = DeploymentCondition("ReplicaFailure", "True", "FailedCreate", QUOTA, START)
        story = Story(replace(WIDE, provisioning_deadline_seconds=120), conditions=(failure,))
        story.replicas = 2
        decisions = story.sweeps(120, FULL)
        assert decisions[20].limited.message == QUOTA
        assert decisions[20].growth.message == QUOTA
        assert {d.desired for d in decisions[:119]} == {2}
        assert decisions[119].message == (
            f"1 replica could not be made: {QUOTA}; back to 1, tried again in ten minutes"
        )

    def test_an_old_failure_of_a_fleet_that_is_whole_limits_nothing(self):
        failure = DeploymentCondition("ReplicaFailure", "True", "FailedCreate", QUOTA, START)
        story = Story(WIDE, conditions=(failure,))
        assert story.sweep(QUIET).limited.reason == "DesiredWithinRange"

    def test_nothing_is_withdrawn_during_a_rollout(self):
        story = Story(replace(WIDE, provisioning_deadline_seconds=60), replicas=2, applies=False)
        story.replicas = 3
        story.add_pending(NO_GPU)
        story.change("p3", template_hash="h2")
        assert {d.desired for d in story.sweeps(90, QUIET)} == {3}


class TestModes:
    def test_advisory_decides_and_reports_but_leaves_replicas_as_written(self):
        policy = replace(WIDE, mode=Mode.ADVISORY, written_replicas=1)
        decision = Story(policy).sweeps(12, FULL)[-1]
        assert (decision.desired, decision.recommended) == (1, 2)
        assert decision.rule is Rule.MEMORY
        assert decision.message == (
            "mode is Advisory: 2 replicas advised, 1 as written; memory stayed above 75 % for"
            " 10 s (now 84 %): 2 replicas keep memory below 67.5 %"
        )
        assert decision.active.reason == "AdvisoryMode"
        assert decision.growth.growth is Growth.NOT_OURS

    def test_manual_follows_what_is_written_past_every_bound(self):
        policy = ScalingPolicy(mode=Mode.MANUAL, written_replicas=9, max_replicas=2)
        decision = Story(policy).sweep(QUIET)
        assert (decision.desired, decision.rule) == (9, Rule.MANUAL)
        assert decision.message == "mode is Manual: 9 replicas, as spec.replicas says"
        assert decision.counterfactual == "would change with spec.replicas"
        assert decision.active.reason == "ManualMode"
        assert decision.growth.growth is Growth.NOT_OURS

    def test_manual_shrinks_when_asked_to_whatever_is_known(self):
        policy = ScalingPolicy(mode=Mode.MANUAL, written_replicas=1)
        assert Story(policy, replicas=3).sweep(silent={"p1", "p2", "p3"}).desired == 1

    @pytest.mark.parametrize("mode", [Mode.ADVISORY, Mode.MANUAL])
    @pytest.mark.parametrize("grows", [True, False])
    def test_where_it_is_not_ours_the_overload_policy_changes_nothing(self, mode, grows):
        policy = replace(WIDE, mode=mode, written_replicas=2, grows=grows)
        decision = Story(policy, replicas=2).sweeps(12, FULL)[-1]
        assert decision.desired == 2
        assert decision.growth.growth is Growth.NOT_OURS


class TestRestarts:
    def test_a_streak_cut_at_70_percent_resumes_at_70_percent(self):
        story = Story(WIDE)
        story.sweeps(20, QUIET)
        story.sweeps(8, FULL)  # seven seconds from the first to the last
        story.restart(gap_seconds=5)
        decisions = story.sweeps(4, FULL)
        assert [d.desired for d in decisions] == [1, 1, 1, 2]

    def test_the_gap_is_not_counted(self):
        story = Story(WIDE)
        story.sweeps(20, QUIET)
        story.sweeps(3, FULL)
        story.restart(gap_seconds=55)
        decisions = story.sweeps(8, FULL)
        assert [d.desired for d in decisions] == [1] * 8
        assert story.sweep(FULL).desired == 2

    def test_after_a_long_gap_the_streak_starts_anew(self):
        story = Story(WIDE)
        story.sweeps(20, QUIET)
        story.sweeps(9, FULL)
        story.restart(gap_seconds=60)
        assert {d.desired for d in story.sweeps(10, FULL)} == {1}
        assert story.sweep(FULL).desired == 2

    def test_a_streak_is_dropped_if_the_first_sweeps_do_not_confirm_it(self):
        story = Story(WIDE)
        story.sweeps(20, QUIET)
        story.sweeps(9, FULL)
        story.restart(gap_seconds=2)
        story.sweeps(2, FULL)
        assert story.sweep(QUIET).state.streak is None
        assert {d.desired for d in story.sweeps(10, FULL)} == {1}

    def test_a_streak_that_somebody_wrote_into_the_status_grows_nothing_by_itself(self):
        story = Story(WIDE)
        story.state = type(story.state).resume(Streak(Signal.MEMORY, since=-5.0, last_seen=9e12))
        assert {d.desired for d in story.sweeps(30, QUIET)} == {1}

    def test_twenty_restarts_under_steady_load_change_nothing(self):
        story = Story(WIDE, replicas=3)
        load = Load(kv=24 * GB, running=150, finishing=2.0)
        seen = set()
        for kill in range(20):
            seen |= {d.desired for d in story.sweeps(5 + kill, load)}
            story.restart(gap_seconds=kill)
        assert seen == {3}


def _stuck(time: float) -> Sample:
    return make_sample("p1", time, running=5.0, engine_steps_total=700.0, kv_used=2 * GB)


def _withdrawn() -> Story:
    story = Story(replace(WIDE, provisioning_deadline_seconds=120))
    story.sweeps(30, QUIET)
    story.replicas = 2
    story.add_pending(NO_GPU)
    story.sweeps(121, FULL)
    assert story.replicas == 1
    return story
