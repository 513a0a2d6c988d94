"""Sizes by what the engines' own counters say of their speed."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vibethinker_operator.demand import MOST_FORECAST, fold_demand
from vibethinker_operator.needs import (
    LOAD_MARGIN,
    Needs,
    compute_needs,
    find_crossed,
)
from vibethinker_operator.signals import Signals
from vibethinker_operator.step_model import Flow, StepModel
from vibethinker_operator.streak import Signal

from tests.unit.deciding.builders import GB
from tests.unit.deciding.test_needs import POLICY, SIGNALS

# An L4 by its data sheet, and an hour of conversations six times over: 2.6 replicas' work.
CARD = StepModel(0.015, 50e-6, 0.0, 4.2e-12)
FLOW = Flow(30_000, 6800, 3.6e7)
BUSY = replace(SIGNALS, ready=5, flow=FLOW, running=170.0, kv_bytes_per_request=3.6e7)


def needs(signals: Signals, model: StepModel | None = CARD) -> Needs:
    return compute_needs(POLICY, signals, fold_demand(signals), model)


def concurrency_need(signals: Signals, model: StepModel | None = CARD) -> int:
    return needs(signals, model).concurrency or 0


def crossed(signals: Signals, model: StepModel | None = CARD) -> bool | None:
    return find_crossed(POLICY, signals, fold_demand(signals), model)[Signal.CONCURRENCY]


def test_a_fleet_is_not_shrunk_to_what_cannot_carry_its_load():
    # 170 requests run on five: their ratio would say two, and three would drown.
    assert concurrency_need(BUSY, None) == 2
    assert concurrency_need(BUSY) == 4


def test_memory_counts_what_fewer_replicas_would_hold():
    each = 0.2 * GB
    large = replace(BUSY, kv_bytes_per_request=each, flow=FLOW._replace(kv_bytes_each=each))
    quick = replace(CARD, kv_byte_seconds=0.0)
    assert (needs(large, quick).memory or 0) > (needs(large, None).memory or 0)


def test_a_load_that_will_fill_the_seats_crosses_the_line_before_they_are_full():
    three = replace(BUSY, ready=3, running=200.0)
    assert crossed(three, None) is False
    assert crossed(three) is True


def test_a_forecast_says_nothing_of_a_fleet_with_half_of_its_seats_free():
    three = replace(BUSY, ready=3, running=0.45 * 3 * 128 * 0.9)
    assert crossed(three) is False
    assert crossed(replace(three, running=0.55 * 3 * 128 * 0.9)) is True


def test_a_few_streams_that_keep_an_engine_busy_ask_for_no_second_one():
    # A CPU: each token takes its time, however many are computed in a step.
    cpu = StepModel(0.01, 4e-4, 0.02, 0.0)
    flow = Flow(100, 90, 3.6e7)
    few = replace(BUSY, ready=2, running=24.0, flow=flow)
    assert cpu.busy_replicas(flow) > 1.5
    assert concurrency_need(few, cpu) == 1
    # Nor by what they hold, where one replica has room for it.
    assert needs(replace(few, kv_bytes_per_request=0.4 * GB), cpu).memory == 1
    assert concurrency_need(replace(few, running=120.0), cpu) == 3


def test_without_tokens_or_without_a_model_the_ratio_holds():
    assert concurrency_need(replace(BUSY, flow=None)) == concurrency_need(BUSY, None)


def test_a_rise_is_carried_forward_as_far_as_a_start_takes():
    rising = replace(BUSY, arrivals_ratio=1.2, seconds_in_system=60.0)
    flows = [fold_demand(rising, horizon_seconds=seconds).flow for seconds in (0, 30, 60, 600)]
    generated = [flow.generated_tokens / FLOW.generated_tokens for flow in flows if flow]
    assert generated == pytest.approx([1.0, 1.1, 1.2, 1.2])
    assert all(flow and flow.prompt_tokens == FLOW.prompt_tokens for flow in flows)


def test_a_wrong_forecast_costs_no_more_than_a_quarter():
    wild = replace(BUSY, arrivals_ratio=50.0, refusals_per_second=900.0, waiting=5000.0)
    flow = fold_demand(wild, horizon_seconds=600.0).flow
    assert flow is not None
    assert flow.generated_tokens == pytest.approx(FLOW.generated_tokens * (1 + MOST_FORECAST))


@settings(max_examples=300, deadline=None)
@given(st.floats(0.1, 2), st.floats(1, 2), st.integers(1, 10))
def test_more_load_never_needs_fewer_and_what_is_needed_carries_it(times, more, ready):
    light = replace(BUSY, ready=ready, running=500.0, flow=FLOW.times(times, times))
    heavy = replace(light, flow=FLOW.times(times * more, times * more))
    need = concurrency_need(light)
    assert concurrency_need(heavy) >= need
    scaled = FLOW.times(times * LOAD_MARGIN, times * LOAD_MARGIN)
    assert CARD.running_each(scaled, need) <= 0.9 * 128 + 1e-6
