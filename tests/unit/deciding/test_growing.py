"""Stories in which load grows a fleet, or must not."""

from vibethinker_operator.scaling import Growth, Reason, Rule, ScalingPolicy
from vibethinker_operator.streak import Signal

from tests.unit.deciding.builders import GB, Load, Story, make_sample, scale_events

UP_TO_SIX = ScalingPolicy(min_replicas=1, max_replicas=6)
CALM = Load(kv=2 * GB, waiting=0, running=20, finishing=2.0)


def test_an_idle_fleet_whose_raw_memory_is_at_85_percent_never_grows():
    story = Story(UP_TO_SIX)
    decisions = story.sweeps(600)
    assert {d.desired for d in decisions} == {1}
    assert decisions[-1].message == (
        "below the lines: memory 19 % of 75 %, 0 of 4 requests wait, 0 of 115 run"
    )
    assert decisions[-1].counterfactual == "would grow at memory > 75 %"


def test_a_memory_streak_grows_to_the_right_size_in_one_step():
    story = Story(UP_TO_SIX)
    story.sweeps(30, CALM)
    # 15.5 GB of KV in use: 84 % of the card. 30 wait, each with as much as a running one (155 MB):
    # 20.2 GB of demand, 11.6 GB a replica.
    load = Load(kv=15.5 * GB, waiting=0, running=100, finishing=3.0)
    before = story.sweeps(10, load)
    assert [d.desired for d in before] == [1] * 10
    assert before[4].reason is Reason.LINE_CROSSED
    assert before[4].message == "memory above 75 % (now 84 %) for 4 of 10 s"
    assert before[4].counterfactual == "would grow when memory stays above 75 % for 6 s more"
    decision = story.sweep(load)
    assert (decision.desired, decision.rule) == (2, Rule.MEMORY)
    assert decision.message == (
        "memory stayed above 75 % for 10 s (now 84 %): 2 replicas keep memory below 67.5 %"
    )
    assert decision.counterfactual == "would hold at memory <= 75 % and no refusals"
    assert decision.inputs["memory_need"] == 2.0


def test_requests_that_wait_count_towards_the_memory_that_is_needed():
    story = Story(UP_TO_SIX)
    story.sweeps(30, CALM)
    load = Load(kv=15.5 * GB, waiting=4, running=10)
    decision = story.sweep_until(lambda d: d.desired > 1, load, 20)
    # 15.5 GB and 4 x 1.55 GB are 21.7 GB: two replicas; with 8 more refused a second, more.
    assert decision.desired == 2
    assert decision.inputs["demand_kv_bytes"] == 15.5 * GB + 4 * 1.55 * GB


def test_a_fleet_at_its_ceiling_still_shows_how_much_more_is_wanted():
    story = Story(UP_TO_SIX)
    warm = Load(kv=10 * GB, waiting=0, running=100, finishing=5.0)
    story.sweeps(60, warm)  # 5 a second, 100 at once: 20 s each
    door_held = Load(kv=15.5 * GB, waiting=0, running=100, finishing=5.0, refusing=5.0)
    decision = story.sweep_until(lambda d: d.desired > 1, door_held, 20)
    # 5 refused a second x 20 s are 100 more requests of 155 MB: 31 GB in all.
    assert decision.desired == 3
    assert decision.message == (
        "new sessions were refused for memory (5 a second): 3 replicas keep memory below 67.5 %"
    )


def test_refusing_below_the_line_does_not_silence_scaling():
    story = Story(UP_TO_SIX)
    story.sweeps(30, Load(kv=2 * GB, running=20))
    # The pod left its line at 75 %, refuses down to 65 %, and stands at 66 % meanwhile.
    load = Load(kv=11.3 * GB, waiting=0, running=60, refusing=0.5)
    decision = story.sweep_until(lambda d: d.desired > 1, load, 15)
    assert (decision.desired, decision.rule) == (2, Rule.MEMORY)
    assert decision.message == (
        "new sessions were refused for memory (0.5 a second): one step to 2 replicas"
    )


def test_one_refusal_alone_makes_no_streak():
    story = Story(UP_TO_SIX)
    story.sweeps(30, CALM)
    story.sweep(Load(kv=2 * GB, running=20, refusing=1.0))
    assert {d.desired for d in story.sweeps(60, CALM)} == {1}


def test_a_queue_grows_the_fleet_after_half_of_the_window():
    story = Story(UP_TO_SIX, replicas=2)
    story.sweeps(60, Load(kv=4 * GB, running=200, finishing=2.0))
    waiting = Load(kv=4 * GB, waiting=158, running=200, finishing=2.0)
    decisions = story.sweeps(6, waiting)
    assert [d.desired for d in decisions] == [2, 2, 2, 2, 2, 5]
    # 150 too many, 2 a second each for 30 s: 60 a replica, so three more.
    assert decisions[-1].message == (
        "more than 8 requests waited for 5 s (now 158): 5 replicas clear the queue in 30 s"
    )
    assert decisions[-1].rule is Rule.QUEUE
    assert decisions[-1].counterfactual == "would hold at queue <= 8"


def test_a_queue_at_its_line_does_not_grow_the_fleet_and_says_where_it_would():
    story = Story(UP_TO_SIX, replicas=2)
    decisions = story.sweeps(60, Load(waiting=8, running=100, finishing=2.0))
    assert {d.desired for d in decisions} == {2}
    assert decisions[-1].counterfactual == "would grow at queue >= 9"


def test_without_a_service_rate_a_queue_grows_the_fleet_by_one_step():
    story = Story(UP_TO_SIX)
    story.sweeps(5)
    decision = story.sweep_until(lambda d: d.desired > 1, Load(waiting=60, running=128), 10)
    assert decision.desired == 2
    assert decision.message == (
        "more than 4 requests waited for 5 s (now 60): one step to 2 replicas, as nothing says yet"
        " how fast requests finish"
    )


def test_a_burst_that_has_barely_begun_to_finish_does_not_ask_for_the_whole_cluster():
    story = Story(ScalingPolicy(max_replicas=50))
    story.sweeps(60)
    # 0.3 a second is what finishes at first; at face value: 60 / (0.3 x 30) = 7 replicas more.
    decision = story.sweep_until(
        lambda d: d.desired > 1, Load(waiting=60, running=128, finishing=0.3), 10
    )
    assert decision.desired == 2


def test_running_requests_near_the_engine_limit_grow_the_fleet():
    story = Story(UP_TO_SIX)
    decision = story.sweep_until(
        lambda d: d.desired > 1, Load(kv=3 * GB, running=124, finishing=3.0), 20
    )
    assert (decision.desired, decision.rule) == (2, Rule.CONCURRENCY)
    assert decision.message == (
        "more than 115 requests ran for 10 s (now 124): 2 replicas run no more than 104 each"
    )


def test_a_starting_pod_is_supply_and_is_not_asked_for_twice():
    story = Story(UP_TO_SIX, start_seconds=90)
    load = Load(kv=15.5 * GB, running=60, finishing=3.0)
    decisions = story.sweeps(90, load)
    assert scale_events(story, decisions) == [1, 2]
    assert decisions[-1].reason is Reason.ENOUGH_REPLICAS
    assert decisions[-1].message == (
        "memory stayed above 75 % for 10 s (now 84 %): 2 replicas keep memory below 67.5 %;"
        " 2 replicas are there or on their way"
    )
    assert decisions[-1].counterfactual == "would grow when 3 replicas are needed"


def test_while_a_pod_starts_the_lease_says_when_relief_is_due():
    story = Story(UP_TO_SIX, start_seconds=90)
    load = Load(kv=15.5 * GB, running=60, finishing=3.0)
    story.sweeps(20, load)
    created = max(pod.created for pod in story.pods.values())
    decision = story.sweep(load)
    # The first pod took 100 s from made to Ready: nothing better is known yet.
    assert decision.growth.growth is Growth.CAN_GROW
    assert decision.growth.relief_at == created + 100
    assert decision.growth.message == "1 on their way"


def test_the_time_to_start_is_learned_from_a_pod_that_was_seen_starting():
    story = Story(UP_TO_SIX, start_seconds=45)
    load = Load(kv=15.5 * GB, running=60, finishing=3.0)
    story.sweeps(80, load)
    assert story.state.start_times.seconds == 45


def test_a_pod_that_was_not_ready_for_a_moment_teaches_nothing():
    story = Story(UP_TO_SIX, replicas=2)
    story.sweeps(5, CALM)
    learned = story.state.start_times.seconds
    story.change("p1", ready=False, ready_since=None, unready_since=story.now)
    story.sweeps(3, CALM)
    assert story.state.start_times.seconds == learned


def test_at_max_the_answer_says_what_is_needed_and_that_it_cannot_come():
    story = Story(ScalingPolicy(max_replicas=2), replicas=2)
    story.sweeps(60, Load(kv=4 * GB, running=100, finishing=3.0))
    load = Load(kv=31 * GB, waiting=6, running=150, finishing=3.0)
    decision = story.sweeps(12, load)[-1]
    assert (decision.desired, decision.rule, decision.reason) == (
        2,
        Rule.HOLD,
        Reason.AT_MAX_REPLICAS,
    )
    assert decision.message == (
        "memory stayed above 75 % for 10 s (now 84 %): 3 replicas keep memory below 67.5 %;"
        " maxReplicas is 2"
    )
    assert decision.limited.reason == "TooManyReplicas"
    assert decision.limited.message == "3 replicas are needed, maxReplicas is 2"
    assert decision.growth.growth is Growth.CANNOT_GROW
    assert decision.growth.message == "maxReplicas is 2"
    assert decision.counterfactual == "would grow with maxReplicas above 2"


def test_a_step_past_max_stops_at_max_and_says_so():
    story = Story(ScalingPolicy(max_replicas=2))
    story.sweeps(60, Load(running=100, finishing=2.0))
    load = Load(waiting=158, running=100, finishing=2.0)
    decision = story.sweep_until(lambda d: d.desired > 1, load, 10)
    assert decision.desired == 2
    assert decision.message == (
        "more than 4 requests waited for 5 s (now 158): 4 replicas clear the queue in 30 s;"
        " maxReplicas allows 2"
    )


def test_the_default_of_one_replica_says_that_it_never_asks_for_a_second_gpu():
    story = Story()
    decision = story.sweeps(20, Load(kv=3 * GB, running=20, finishing=2.0))[-1]
    assert decision.desired == 1
    assert decision.limited.status is True
    assert decision.limited.message == (
        "minReplicas and maxReplicas are both 1: never asks for a second GPU;"
        " raise maxReplicas to let it grow"
    )
    assert decision.counterfactual == "would grow only with maxReplicas above 1"
    assert decision.growth.growth is Growth.CANNOT_GROW


def test_policy_reject_adds_no_replicas_and_says_so():
    story = Story(ScalingPolicy(max_replicas=6, grows=False))
    decision = story.sweeps(30, Load(kv=15.5 * GB, running=60, finishing=3.0))[-1]
    assert decision.desired == 1
    assert decision.reason is Reason.OVERLOAD_POLICY_REJECT
    assert decision.message.endswith("; overload.policy is Reject: load adds no replicas")
    assert decision.limited.reason == "OverloadPolicyReject"
    assert decision.growth.growth is Growth.CANNOT_GROW


def test_noise_below_the_line_does_not_end_a_streak():
    story = Story(UP_TO_SIX)
    above = Load(kv=15.5 * GB, running=60, finishing=3.0)
    below = Load(kv=12.0 * GB, running=60, finishing=3.0)
    decisions = [story.sweep(below if second in {3, 7} else above) for second in range(12)]
    assert scale_events(story, decisions) == [1, 2]


def test_the_newest_sweep_must_be_above_the_line():
    story = Story(UP_TO_SIX)
    above = Load(kv=15.5 * GB, running=60, finishing=3.0)
    story.sweeps(10, above)
    assert story.sweep(Load(kv=12.0 * GB, running=60, finishing=3.0)).desired == 1
    assert story.sweep(above).desired == 2


def test_a_load_that_swings_around_the_line_does_not_flap():
    story = Story(UP_TO_SIX)
    high = Load(kv=13.7 * GB, running=60, finishing=3.0)  # 76 %
    low = Load(kv=13.1 * GB, running=60, finishing=3.0)  # 74 %
    decisions = []
    for _ in range(30):
        decisions += story.sweeps(30, high) + story.sweeps(30, low)
    assert scale_events(story, decisions) == [1, 2]


def test_the_line_is_the_fleets_one_hot_pod_is_that_pods_business():
    story = Story(UP_TO_SIX, replicas=3)
    hot = make_sample("p1", kv_used=15.5 * GB, running=60.0)
    for second in range(30):
        sample = make_sample(
            "p1",
            story.now + 1,
            kv_used=hot.kv_used_bytes,
            running=60.0,
            engine_steps_total=float(second),
        )
        decision = story.sweep(readings={"p1": sample})
        assert decision.desired == 3


def test_a_card_whose_weights_alone_are_above_the_line_is_not_grown_for_memory():
    story = Story(ScalingPolicy(max_replicas=6, memory_used_percentage=15))
    decisions = story.sweeps(60, Load(kv=1 * GB, running=10, finishing=1.0))
    assert {d.desired for d in decisions} == {1}
    assert "memory_need" not in decisions[-1].inputs


def test_the_streak_of_the_status_names_signal_and_times():
    story = Story(UP_TO_SIX)
    story.sweep(Load())
    first = story.now + 1
    story.sweeps(5, Load(waiting=3, running=20, kv=15.5 * GB))
    streak = story.state.streak
    assert streak is not None
    assert (streak.signal, streak.since, streak.last_seen) == (Signal.MEMORY, first, story.now)
