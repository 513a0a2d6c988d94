"""Stories in which a fleet shrinks, or must not."""

from dataclasses import replace
from itertools import pairwise

from vibethinker_operator.samples import Sample
from vibethinker_operator.scaling import Reason, Rule, ScalingPolicy

from tests.unit.deciding.builders import GB, START, Load, Story, scale_events

WIDE = ScalingPolicy(min_replicas=1, max_replicas=6)
QUIET = Load(kv=3 * GB, running=20, finishing=2.0)


def test_a_fleet_shrinks_only_after_a_whole_window_of_less_need():
    story = Story(WIDE, replicas=3)
    decisions = story.sweeps(300, QUIET)
    assert {d.desired for d in decisions} == {3}
    assert decisions[100].reason is Reason.STABILIZING
    assert decisions[100].message == (
        "1 replica would do now, but the last 300 s have not all been seen"
    )
    assert decisions[100].counterfactual == "would shrink to 2 in 200 s if no more is needed"
    decision = story.sweep(QUIET)
    assert (decision.desired, decision.rule) == (2, Rule.SCALE_IN)
    assert decision.message == ("no more than 1 replica was needed in the last 300 s: 3 become 2")
    assert decision.counterfactual == "would hold at a need of 3"


def test_replicas_go_one_at_a_time_and_each_step_is_looked_at():
    story = Story(WIDE, replicas=4)
    decisions = story.sweeps(450, QUIET)
    assert scale_events(story, decisions) == [4, 3, 2, 1]
    steps = [i for i, d in enumerate(decisions) if d.desired < d.replicas]
    assert [b - a for a, b in pairwise(steps)] == [31, 31]
    assert decisions[steps[0] + 1].message == (
        "1 replica would do now, but the last replica went only a moment ago"
    )


def test_one_busy_moment_in_the_window_keeps_the_fleet():
    story = Story(WIDE, replicas=3)
    story.sweeps(200, QUIET)
    story.sweeps(3, Load(kv=30 * GB, running=200, finishing=2.0))
    decisions = story.sweeps(300, QUIET)
    assert {d.desired for d in decisions} == {3}
    assert decisions[150].message == (
        "1 replica would do now, but 3 were needed within the last 300 s"
    )
    assert story.sweep(QUIET).desired == 2


def test_a_fleet_is_not_shrunk_to_where_the_line_would_be_crossed_again():
    # 24 GB of KV on three cards: 53 %. On two: 69 %, below the line but above 90 % of it.
    story = Story(WIDE, replicas=3)
    decisions = story.sweeps(700, Load(kv=24 * GB, running=100, finishing=2.0))
    assert {d.desired for d in decisions} == {3}


def test_a_shrunk_fleet_does_not_grow_again_under_the_same_load():
    story = Story(WIDE, replicas=3)
    decisions = story.sweeps(1500, Load(kv=23 * GB, running=100, finishing=2.0))
    assert scale_events(story, decisions) == [3, 2]


def test_a_standing_queue_keeps_the_replicas_that_share_it():
    story = Story(WIDE, replicas=3)
    decisions = story.sweeps(700, Load(waiting=9, running=100, finishing=2.0))
    assert {d.desired for d in decisions} == {3}


def test_never_below_min():
    story = Story(ScalingPolicy(min_replicas=2, max_replicas=6), replicas=3)
    decisions = story.sweeps(1000)
    assert scale_events(story, decisions) == [3, 2]
    assert decisions[-1].limited.reason == "TooFewReplicas"
    assert decisions[-1].limited.message == "1 replica would do, minReplicas is 2"


def test_a_restart_at_three_of_one_to_six_stays_at_three():
    story = Story(WIDE, replicas=3)
    story.sweeps(290, QUIET)
    story.restart(gap_seconds=20)
    decisions = story.sweeps(300, QUIET)
    assert {d.desired for d in decisions} == {3}
    assert story.sweep(QUIET).desired == 2


def test_a_pause_of_the_whole_machine_starts_the_window_anew():
    story = Story(WIDE, replicas=3)
    story.sweeps(290, QUIET)
    story.now += 600
    assert {d.desired for d in story.sweeps(300, QUIET)} == {3}


def test_nothing_shrinks_while_one_pod_cannot_be_read():
    story = Story(WIDE, replicas=3)
    decisions = story.sweeps(1000, QUIET, silent={"p2"})
    assert {d.desired for d in decisions} == {3}
    assert decisions[-1].message == (
        "1 replica would do now, but nothing shrinks while a replica cannot be read"
    )
    assert decisions[-1].counterfactual == "would shrink when every replica can be read"


def test_after_a_pod_could_not_be_read_a_whole_window_passes_again():
    story = Story(WIDE, replicas=3)
    story.sweeps(280, QUIET)
    story.sweeps(10, QUIET, silent={"p2"})
    assert {d.desired for d in story.sweeps(300, QUIET)} == {3}
    assert story.sweep(QUIET).desired == 2


def test_one_missed_answer_is_not_yet_a_missing_pod():
    story = Story(WIDE, replicas=3)
    story.sweeps(200, QUIET)
    story.sweeps(2, QUIET, silent={"p2"})
    assert story.sweeps(99, QUIET)[-1].desired == 2


def test_nothing_shrinks_during_a_rollout():
    story = Story(WIDE, replicas=3)
    story.change("p3", template_hash="h2")
    decisions = story.sweeps(400, QUIET)
    assert {d.desired for d in decisions} == {3}
    assert decisions[-1].reason is Reason.ROLLOUT_IN_PROGRESS
    assert decisions[-1].message == (
        "pods of more than one template run: nothing shrinks until the rollout is done"
    )
    assert decisions[-1].counterfactual == "would shrink when the rollout is done"


def test_a_drain_under_way_goes_on_after_a_restart():
    story = Story(WIDE, replicas=3, applies=False)
    story.change("p3", draining_since=START - 5, ready=False)
    decision = story.sweep(QUIET)
    assert (decision.desired, decision.rule) == (2, Rule.SCALE_IN)
    assert decision.message == (
        "no more than 1 replica was needed in the time since the restart: 3 become 2"
    )


def test_a_drain_under_way_is_given_up_when_load_returns():
    story = Story(WIDE, replicas=3, applies=False)
    story.change("p3", draining_since=START - 5, ready=False)
    story.sweep(QUIET)
    decision = story.sweep(Load(kv=26 * GB, running=200, finishing=2.0))
    assert decision.desired == 3


def test_requests_that_a_drained_pod_still_runs_are_demand():
    story = Story(WIDE, replicas=2, applies=False)
    story.sweeps(5, QUIET)
    story.change("p2", draining_since=story.now, ready=False, ready_since=None)
    sample = story.windows.readings["p2"][-1].sample
    running = {"p2": _with_load(sample, story.now + 1)}
    story.sweep(Load(kv=2 * GB, running=10), readings=running)
    assert story.signals is not None
    assert story.signals.memory is not None
    assert story.signals.memory.kv_used_bytes == 11 * GB
    assert story.signals.running == 50


def test_lowering_max_acts_at_once():
    story = Story(ScalingPolicy(max_replicas=2), replicas=5)
    decision = story.sweep(Load(kv=60 * GB, running=400))
    assert (decision.desired, decision.rule) == (2, Rule.MAX_REPLICAS)
    assert decision.message == "5 replicas of at most 2 (maxReplicas): drained one by one"
    assert decision.counterfactual == "would hold with maxReplicas at 5"


def test_lowering_max_waits_for_a_rollout():
    story = Story(ScalingPolicy(max_replicas=2), replicas=3)
    story.change("p3", template_hash="h2")
    assert story.sweep().desired == 3


def test_raising_min_acts_at_once_and_without_readings():
    story = Story(ScalingPolicy(min_replicas=3, max_replicas=6))
    decision = story.sweep(silent={"p1"})
    assert (decision.desired, decision.rule) == (3, Rule.MIN_REPLICAS)
    assert decision.message == "1 replica of at least 3 (minReplicas)"
    assert decision.counterfactual == "would hold with minReplicas at 1"


def test_pods_on_their_way_go_first_when_they_are_not_needed_any_more():
    story = Story(WIDE, replicas=1, start_seconds=1e9)
    story.sweeps(12, Load(kv=15.5 * GB, running=60))
    assert story.replicas == 2
    story.sweeps(310, QUIET)
    assert [pod.uid for pod in story.pods.values()] == ["p1"]


def _with_load(sample: Sample, time: float) -> Sample:
    return replace(sample, time=time, kv_used_bytes=9 * GB, running=40.0, engine_steps_total=1e6)
