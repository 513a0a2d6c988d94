"""What holds whatever the load, the readings and the pods do."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from vibethinker_operator.scaling import Mode, Reason, Rule, ScalingPolicy

from tests.unit.deciding.builders import GB, POOL, Load, Story

LOADS = st.builds(
    Load,
    kv=st.floats(0, 6 * POOL),
    waiting=st.floats(0, 300),
    running=st.floats(0, 700),
    finishing=st.floats(0, 5),
    refusing=st.floats(0, 5),
)
SPELLS = st.lists(st.tuples(LOADS, st.integers(1, 40)), min_size=1, max_size=5)
POLICIES = st.builds(
    lambda least, more, sustained, window: ScalingPolicy(
        min_replicas=least,
        max_replicas=least + more,
        sustained_seconds=sustained,
        stabilization_seconds=window,
    ),
    st.integers(1, 4),
    st.integers(0, 6),
    st.sampled_from([1, 5, 10]),
    st.sampled_from([0, 10, 60]),
)
SIZES = st.integers(1, 8)


def play(story: Story, spells):
    return [d for load, seconds in spells for d in story.sweeps(seconds, load)]


@settings(max_examples=30, deadline=None)
@given(POLICIES, SIZES, SPELLS)
def test_always_within_bounds_and_always_with_words(policy, size, spells):
    for decision in play(Story(policy, replicas=size, start_seconds=8), spells):
        assert policy.min_replicas <= decision.desired <= policy.max_replicas
        assert decision.message
        assert decision.counterfactual
        assert decision.desired == decision.recommended


@settings(max_examples=30, deadline=None)
@given(POLICIES, SPELLS, st.data())
def test_never_down_on_partial_data(policy, spells, data):
    size = data.draw(st.integers(policy.min_replicas, policy.max_replicas))
    story = Story(policy, replicas=size, start_seconds=8)
    silent = data.draw(st.sets(st.sampled_from([f"p{n + 1}" for n in range(size)]), min_size=1))
    for load, seconds in spells:
        for decision in story.sweeps(seconds, load, silent=silent):
            assert decision.desired >= decision.replicas


@settings(max_examples=20, deadline=None)
@given(POLICIES, SPELLS, st.lists(st.integers(0, 90), max_size=4))
def test_no_restart_shrinks_anything_within_a_window(policy, spells, gaps):
    policy = replace(policy, stabilization_seconds=300)
    size = policy.max_replicas
    story = Story(policy, replicas=size, start_seconds=8)
    for gap in [*gaps, 0]:
        assert all(d.desired == size for d in play(story, spells))
        story.restart(gap_seconds=gap)


@settings(max_examples=60, deadline=None)
@given(LOADS, st.floats(1, 4), st.integers(1, 4))
def test_more_of_the_same_load_never_asks_for_fewer(load, factor, size):
    policy = ScalingPolicy(max_replicas=12)
    # Finishing and refusing stay: the more a replica is seen to finish, the fewer are needed.
    heavier = replace(
        load, kv=load.kv * factor, waiting=load.waiting * factor, running=load.running * factor
    )
    light, heavy = (
        Story(policy, replicas=size, applies=False).sweeps(15, kind)[-1] for kind in (load, heavier)
    )
    assert heavy.desired >= light.desired


@settings(max_examples=12, deadline=None)
@given(st.floats(0, 5.5 * 11.6), st.integers(0, 500), st.integers(1, 6))
def test_a_constant_load_makes_the_fleet_settle(kv, running, size):
    policy = ScalingPolicy(max_replicas=6, stabilization_seconds=30)
    story = Story(policy, replicas=size, start_seconds=5)
    load = Load(kv=kv * GB, running=float(running), finishing=2.0)
    story.sweeps(330, load)
    assert len({d.desired for d in story.sweeps(120, load)}) == 1


@settings(max_examples=12, deadline=None)
@given(st.floats(0, 5.5 * 11.6), st.floats(0, 0.02), st.integers(2, 60))
def test_a_load_that_swings_by_two_percent_grows_at_most_then_shrinks_no_more(kv, swing, period):
    policy = ScalingPolicy(max_replicas=6)
    story = Story(policy, replicas=6, start_seconds=5)
    sizes = [6]
    for second in range(900):
        factor = 1 + swing * (1 if (second // period) % 2 else -1)
        decision = story.sweep(Load(kv=kv * GB * factor, running=30, finishing=2.0))
        if decision.desired != sizes[-1]:
            sizes.append(decision.desired)
    assert sizes == sorted(sizes, reverse=True)


@settings(max_examples=30, deadline=None)
@given(SPELLS, SIZES, st.integers(0, 9), st.sampled_from([Mode.ADVISORY, Mode.MANUAL]))
def test_what_is_not_ours_stays_as_written(spells, size, written, mode):
    policy = ScalingPolicy(mode=mode, written_replicas=written, max_replicas=8)
    story = Story(policy, replicas=size, applies=False)
    assert {d.desired for d in play(story, spells)} == {written}


@settings(max_examples=30, deadline=None)
@given(SPELLS)
def test_a_fleet_told_to_reject_never_grows(spells):
    story = Story(ScalingPolicy(max_replicas=8, grows=False), replicas=2)
    decisions = play(story, spells)
    assert max(d.desired for d in decisions) <= 2
    growing = {Rule.MEMORY, Rule.QUEUE, Rule.CONCURRENCY}
    assert not growing & {d.rule for d in decisions}


@settings(max_examples=30, deadline=None)
@given(SPELLS)
def test_one_cause_one_step_until_its_pods_are_there(spells):
    story = Story(ScalingPolicy(max_replicas=40), start_seconds=1e9)
    story.sweeps(5)
    for decision in play(story, spells):
        if decision.reason is Reason.ENOUGH_REPLICAS:
            assert decision.desired == decision.replicas
