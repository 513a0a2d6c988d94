"""Schedules of someone who knows the trace."""

import pytest
from vibethinker_simulator.blueprint import build_blueprint
from vibethinker_simulator.trace import Request, Trace

from tests.bench.sim.clairvoyant import (
    Knobs,
    build_schedule,
    fluid_bound_hours,
    offered_work,
)
from tests.bench.sim.scenarios import STEADY, build_resource

KNOBS = Knobs(1.0, smooth_seconds=1, hold_seconds=20)


def schedule(work: list[float], least: int = 1) -> list[int]:
    return build_schedule(work, KNOBS, start_seconds=5.0, least=least, most=8)


def test_a_replica_is_asked_for_a_start_before_it_is_needed():
    sizes = schedule([0.5] * 60 + [2.5] * 60)
    assert sizes.index(3) == 60 - 6
    assert sizes[:54] == [1] * 54


def test_short_valleys_are_filled_and_long_ones_are_not():
    short = schedule([2.5] * 60 + [0.5] * 10 + [2.5] * 60)
    assert set(short[:125]) == {3}
    long = schedule([2.5] * 60 + [0.5] * 90 + [2.5] * 60)
    assert 1 in long[60:140]


def test_bounds_hold():
    assert set(schedule([50.0] * 30)) == {8}
    assert set(schedule([0.0] * 30, least=2)) == {2}


def test_the_work_of_a_trace_is_its_tokens_by_the_cards_constants():
    blueprint = build_blueprint(build_resource(STEADY[0], {}))
    requests = tuple(Request(float(second), 1000, 200, second) for second in range(100))
    work = offered_work(Trace("even", requests, 400.0), blueprint)
    speed = blueprint.speed
    prompt = speed.token * 1000 + speed.prompt_pair * 1000 * 1000 / 2
    answer = 200 * (speed.kv_token * 1100 + speed.sequence)
    assert sum(work) == pytest.approx(100 * (prompt + answer), rel=0.01)
    # One replica at least, however little there is to do.
    assert fluid_bound_hours(work, 1) == pytest.approx(len(work) / 3600, rel=0.01)
