"""The three measures, by hand."""

import math
from dataclasses import replace

import pytest
from vibethinker_operator.demand import Demand, fold_demand
from vibethinker_operator.memory import MemoryUse
from vibethinker_operator.needs import (
    MOST_REPLICAS,
    Needs,
    compute_needs,
    concurrency_line,
    find_crossed,
    kv_room_bytes,
    queue_line,
)
from vibethinker_operator.scaling import ScalingPolicy
from vibethinker_operator.signals import Signals
from vibethinker_operator.streak import Signal

from tests.unit.deciding.builders import GB, START

POLICY = ScalingPolicy(max_replicas=10)
# N 4.6 GB, D 24 GB: at 67.5 % a replica holds 11.6 GB of KV.
MEMORY = MemoryUse(0.5, 4.6 * GB, 7.4 * GB, 24 * GB, 15.8 * GB, False)
SIGNALS = Signals(
    time=START,
    pods=(),
    ready=2,
    expected=2,
    known=2,
    memory=MEMORY,
    memory_partial=False,
    running=40.0,
    waiting=0.0,
    refusals_per_second=0.0,
    memory_refusals_per_second=0.0,
    memory_refused=False,
    kv_bytes_per_request=0.1 * GB,
    finished_per_second=2.0,
    seconds_in_system=20.0,
    prefill_backlog_tokens=None,
    max_num_seqs=128.0,
)


def needs(**facts) -> Needs:
    signals = replace(SIGNALS, **facts)
    return compute_needs(POLICY, signals, fold_demand(signals))


def needs_of_kv(gigabytes: float, policy: ScalingPolicy = POLICY, **memory) -> int | None:
    use = replace(MEMORY, **memory)
    demand = Demand(gigabytes * GB, 0.0, 0.0)
    return compute_needs(policy, replace(SIGNALS, memory=use), demand).memory


class TestDemand:
    def test_it_is_what_is_in_use_and_what_waits(self):
        demand = fold_demand(replace(SIGNALS, waiting=10.0))
        assert demand == Demand(8.4 * GB, 10.0, 50.0)

    def test_what_is_refused_counts_for_as_long_as_it_would_have_stayed(self):
        demand = fold_demand(replace(SIGNALS, refusals_per_second=3.0))
        assert demand.kv_bytes == pytest.approx(13.4 * GB)  # 60 requests more
        assert demand.running == 100.0
        assert demand.waiting == 0.0

    def test_without_a_time_in_the_engine_refusals_have_no_size(self):
        signals = replace(SIGNALS, refusals_per_second=3.0, seconds_in_system=None)
        assert fold_demand(signals) == Demand(7.4 * GB, 0.0, 40.0)

    def test_unknown_memory_is_unknown_demand(self):
        assert fold_demand(replace(SIGNALS, memory=None)).kv_bytes is None


class TestMemoryNeed:
    @pytest.mark.parametrize(
        ("gigabytes", "replicas"),
        [(0, 1), (11.6, 1), (11.7, 2), (23.2, 2), (23.3, 3), (58, 5), (116, 10), (117, 11)],
    )
    def test_it_is_the_smallest_fleet_below_90_percent_of_the_line(self, gigabytes, replicas):
        assert needs_of_kv(gigabytes) == replicas
        fleet_ratio = (4.6 + gigabytes / replicas) / 24
        assert fleet_ratio <= 0.675 + 1e-9
        if replicas > 1:
            assert (4.6 + gigabytes / (replicas - 1)) / 24 > 0.675

    def test_the_hpa_formula_would_ask_for_less(self):
        # Eight replicas at 84 %. current x ratio / target scales the weights along with the load.
        used_ratio, held = 0.84, 8 * (0.84 * 24 - 4.6)
        hpa = math.ceil(8 * used_ratio / 0.675)
        assert hpa == 10
        assert (4.6 + held / hpa) / 24 > 0.675
        assert needs_of_kv(held) == 11

    def test_a_pool_smaller_than_the_room_below_the_line_is_the_limit(self):
        # A T4-like card: the pool is full long before the line.
        assert kv_room_bytes(POLICY, replace(MEMORY, pool_bytes=4 * GB)) == 3.6 * GB
        assert needs_of_kv(7.2, pool_bytes=4 * GB) == 2
        assert needs_of_kv(7.3, pool_bytes=4 * GB) == 3

    def test_a_pool_of_unknown_size_limits_nothing(self):
        assert kv_room_bytes(POLICY, replace(MEMORY, pool_bytes=None)) == pytest.approx(11.6 * GB)

    def test_weights_above_the_line_give_no_need_rather_than_an_endless_one(self):
        assert needs_of_kv(5, non_kv_bytes=17 * GB) is None

    def test_hardly_any_room_gives_a_bounded_need(self):
        assert needs_of_kv(50, non_kv_bytes=16.1999 * GB) == MOST_REPLICAS

    def test_unknown_memory_gives_no_need(self):
        assert needs(memory=None).memory is None


class TestQueueNeed:
    @pytest.mark.parametrize(
        ("waiting", "replicas"),
        # Line: 8. A replica clears 2 a second x 30 s.
        [(0, 1), (2, 1), (3, 2), (8, 2), (9, 3), (68, 3), (69, 4), (128, 4), (129, 5)],
    )
    def test_new_replicas_clear_what_is_too_much_in_30_seconds(self, waiting, replicas):
        assert needs(waiting=float(waiting)).queue == replicas

    def test_without_a_rate_it_is_one_step(self):
        assert needs(waiting=900.0, finished_per_second=None).queue == 3

    def test_a_rate_near_nothing_gives_a_bounded_need(self):
        assert needs(waiting=900.0, finished_per_second=1e-9).queue == MOST_REPLICAS

    def test_unknown_waiting_gives_no_need(self):
        assert needs(waiting=None).queue is None
        assert needs(ready=0).queue is None


class TestConcurrencyNeed:
    @pytest.mark.parametrize(
        ("running", "replicas"), [(0, 1), (103, 1), (104, 2), (207, 2), (208, 3)]
    )
    def test_replicas_run_at_most_81_percent_of_what_they_can(self, running, replicas):
        assert needs(running=float(running)).concurrency == replicas

    def test_what_waits_and_what_is_refused_would_run_too(self):
        assert needs(running=100.0, waiting=8.0).concurrency == 2
        assert needs(running=100.0, refusals_per_second=6.0).concurrency == 3

    def test_an_engine_that_does_not_say_its_limit_gives_no_need(self):
        assert needs(max_num_seqs=None).concurrency is None
        assert needs(running=None).concurrency is None


class TestHighest:
    def test_it_is_the_largest_and_says_which(self):
        assert Needs(3, 5, 2).highest == (Signal.QUEUE, 5)

    def test_memory_is_named_first_on_a_tie(self):
        assert Needs(3, 3, 3).highest == (Signal.MEMORY, 3)

    def test_what_is_unknown_is_left_out(self):
        assert Needs(None, None, 2).highest == (Signal.CONCURRENCY, 2)
        assert Needs(None, None, None).highest is None


class TestLines:
    @pytest.mark.parametrize(("ratio", "crossed"), [(0.75, False), (0.7501, True), (0.2, False)])
    def test_memory_is_crossed_above_its_line(self, ratio, crossed):
        signals = replace(SIGNALS, memory=replace(MEMORY, used_ratio=ratio))
        assert find_crossed(POLICY, signals, fold_demand(signals))[Signal.MEMORY] is crossed

    def test_a_refusal_for_memory_is_the_line_crossed_whatever_the_ratio(self):
        for memory in (MEMORY, None):
            signals = replace(SIGNALS, memory=memory, memory_refused=True)
            assert find_crossed(POLICY, signals, fold_demand(signals))[Signal.MEMORY] is True

    def test_unknown_memory_is_neither_above_nor_below(self):
        signals = replace(SIGNALS, memory=None)
        assert find_crossed(POLICY, signals, fold_demand(signals))[Signal.MEMORY] is None

    def test_weights_above_the_line_cross_nothing(self):
        memory = replace(MEMORY, used_ratio=0.8, non_kv_bytes=17 * GB)
        signals = replace(SIGNALS, memory=memory)
        assert find_crossed(POLICY, signals, fold_demand(signals))[Signal.MEMORY] is None

    @pytest.mark.parametrize(("waiting", "crossed"), [(8, False), (9, True), (None, None)])
    def test_the_queue_is_crossed_above_its_line_per_ready_replica(self, waiting, crossed):
        assert queue_line(POLICY, SIGNALS) == 8
        signals = replace(SIGNALS, waiting=waiting)
        assert find_crossed(POLICY, signals, fold_demand(signals))[Signal.QUEUE] is crossed

    @pytest.mark.parametrize(("running", "crossed"), [(230, False), (231, True), (None, None)])
    def test_concurrency_is_crossed_above_90_percent(self, running, crossed):
        assert concurrency_line(SIGNALS) == pytest.approx(230.4)
        signals = replace(SIGNALS, running=running)
        assert find_crossed(POLICY, signals, fold_demand(signals))[Signal.CONCURRENCY] is crossed

    def test_without_an_engine_limit_there_is_no_line(self):
        signals = replace(SIGNALS, max_num_seqs=None)
        assert concurrency_line(signals) is None
        assert find_crossed(POLICY, signals, fold_demand(signals))[Signal.CONCURRENCY] is None
