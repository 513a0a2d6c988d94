"""The fast engine against a plain one, and what holds of it at any time."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vibethinker_simulator.iteration import IterationModel
from vibethinker_simulator.replica import EngineShape, Replica
from vibethinker_simulator.sequence import KNOWN, NEWCOMER, Sequence

from tests.unit.simulator.reference_engine import Asked, ReferenceEngine

# No step ends at the very moment at which a request comes: which went first would be chance.
SPEED = IterationModel(0.00713, 0.0000317, 0.00000019, 0.0000131, 0.0000000071, "made up")
GAP = 0.0137


@dataclass(frozen=True)
class Workload:
    shape: EngineShape
    requests: tuple[Asked, ...]


@st.composite
def workloads(draw: st.DrawFn) -> Workload:
    block = draw(st.sampled_from([1, 2, 4, 16]))
    longest = draw(st.integers(2, 60))
    shape = EngineShape(
        max_num_seqs=draw(st.integers(1, 6)),
        max_num_batched_tokens=draw(st.integers(7, 64)),
        block_size=block,
        num_blocks=draw(st.integers(-(-2 * longest // block) + 1, 8 * longest // block + 2)),
    )
    asked = draw(
        st.lists(
            st.tuples(
                st.integers(1, 30),
                st.sampled_from([KNOWN, NEWCOMER]),
                st.integers(1, longest),
                st.integers(1, longest),
            ),
            min_size=1,
            max_size=14,
        )
    )
    time, requests = 0.0, []
    for number, (gaps, rank, prompt, output) in enumerate(asked):
        time += gaps * GAP
        requests.append(Asked(number, time, rank, prompt, output))
    return Workload(shape, tuple(requests))


def play(workload: Workload, every: float = 1e9) -> Replica:
    """Plays to the end, looking `every` so many seconds, as a sweep does."""
    replica = Replica(workload.shape, SPEED, 0.0)
    looks = 0.0
    for one in workload.requests:
        while looks < one.arrival:
            look(replica, looks)
            looks += every
        look(replica, one.arrival)
        replica.submit(Sequence(one.number, one.arrival, one.rank, one.prompt, one.output))
    while replica.inside:
        looks = max(looks, replica.now) + every
        look(replica, looks)
    return replica


def look(replica: Replica, until: float) -> None:
    replica.advance(until)
    assert 0 <= replica.blocks_used <= replica.shape.num_blocks
    assert replica.now <= max(until, replica.now)
    assert replica.running <= replica.shape.max_num_seqs


@settings(max_examples=400)
@given(workloads(), st.sampled_from([0.05, 1.0, 1e9]))
def test_steps_taken_at_once_are_the_steps_taken_one_by_one(workload: Workload, every: float):
    replica = play(workload, every)
    reference = ReferenceEngine(workload.shape, SPEED, workload.requests)
    reference.play()
    first = {sequence.number: at for at, sequence in replica.started}
    ends = {sequence.number: at for at, sequence in replica.finished}
    preempted = {sequence.number: sequence.preemptions for _, sequence in replica.finished}
    for one in workload.requests:
        assert preempted[one.number] == one.preemptions, one
        assert first[one.number] == pytest.approx(one.first_token_at, rel=1e-9), one
        assert ends[one.number] == pytest.approx(one.ended_at, rel=1e-9), one
    assert reference.most_blocks <= workload.shape.num_blocks


@settings(max_examples=100)
@given(workloads())
def test_nothing_is_left_at_the_end(workload: Workload):
    replica = play(workload, 0.05)
    assert (replica.blocks_used, replica.kv_tokens, replica.backlog_tokens) == (0, 0, 0)
    assert (replica.running, replica.waiting, replica.kv_usage_ratio) == (0, 0, 0.0)
    assert all(sequence.generated == sequence.output_tokens for _, sequence in replica.finished)


@settings(max_examples=100)
@given(workloads())
def test_how_often_one_looks_changes_nothing(workload: Workload):
    seldom, often = play(workload), play(workload, 0.011)
    ends = [[at for at, _ in replica.finished] for replica in (seldom, often)]
    assert ends[0] == pytest.approx(ends[1], rel=1e-9)
    assert seldom.steps == often.steps


@settings(max_examples=100)
@given(workloads())
def test_before_quiet_until_nothing_happens(workload: Workload):
    replica = Replica(workload.shape, SPEED, 0.0)
    for one in workload.requests:
        replica.advance(one.arrival)
        replica.submit(Sequence(one.number, one.arrival, one.rank, one.prompt, one.output))
        replica.advance(one.arrival)
        events = len(replica.started) + len(replica.finished)
        if replica.quiet_until < 1e9:
            replica.advance(replica.quiet_until * (1 - 1e-9))
            assert len(replica.started) + len(replica.finished) == events


def test_the_newest_of_the_lower_class_is_preempted_first():
    shape = EngineShape(max_num_seqs=4, max_num_batched_tokens=64, block_size=1, num_blocks=40)
    replica = Replica(shape, SPEED, 0.0)
    for number, rank in enumerate((NEWCOMER, NEWCOMER, KNOWN, KNOWN)):
        replica.submit(Sequence(number, 0.0, rank, 8, 12))
    replica.advance(1e9)
    preempted = {sequence.number: sequence.preemptions for _, sequence in replica.finished}
    assert preempted[2] == preempted[3] == 0
    assert preempted[1] > 0
    assert len(preempted) == 4


def test_a_known_session_is_seated_before_a_newcomer_that_came_first():
    shape = EngineShape(max_num_seqs=1, max_num_batched_tokens=64, block_size=16, num_blocks=40)
    replica = Replica(shape, SPEED, 0.0)
    replica.submit(Sequence(0, 0.0, NEWCOMER, 8, 4))
    replica.advance(0.001)
    replica.submit(Sequence(1, 0.001, NEWCOMER, 8, 4))
    replica.submit(Sequence(2, 0.001, KNOWN, 8, 4))
    replica.advance(1e9)
    assert [sequence.number for _, sequence in replica.finished] == [0, 2, 1]


def test_a_first_token_comes_with_the_last_chunk_of_its_prompt():
    shape = EngineShape(max_num_seqs=4, max_num_batched_tokens=10, block_size=16, num_blocks=40)
    replica = Replica(shape, SPEED, 0.0)
    replica.submit(Sequence(0, 0.0, NEWCOMER, 25, 1))
    replica.advance(1e9)
    assert replica.steps == 3
    assert replica.started[0][0] == pytest.approx(SPEED.alone(25, 10), rel=1e-12)
    assert replica.finished[0][0] == replica.started[0][0]
