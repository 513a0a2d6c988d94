"""Figures of runs that were written down by hand."""

import math

import pytest
from vibethinker_simulator.outcome import Fate, Outcome, count_reversals, summarize

NAN = math.nan


@pytest.mark.parametrize(
    ("replicas", "reversals"),
    [
        pytest.param([], 0, id="nothing"),
        pytest.param([2] * 50, 0, id="one size"),
        pytest.param([1, 2, 3, 4], 0, id="up"),
        pytest.param([1, 2, 1], 1, id="up and down"),
        pytest.param([1, 2, 1, 2], 2, id="up, down, up"),
        pytest.param([1] + [2] * 600 + [1], 1, id="turned after ten minutes"),
        pytest.param([1] + [2] * 601 + [1], 0, id="turned later"),
    ],
)
def test_a_turn_within_ten_minutes_is_a_reversal(replicas: list[int], reversals: int):
    assert count_reversals(replicas) == reversals


def make_outcome() -> Outcome:
    fates = [Fate.ANSWERED, Fate.ANSWERED, Fate.REFUSED, Fate.TOO_LONG, Fate.DROPPED]
    outcome = Outcome.of(len(fates))
    outcome.fates = fates
    outcome.first_token_seconds = [0.5, 3.0, NAN, NAN, 0.2]
    outcome.answer_tokens = [10, 20, 30, 40, 50]
    outcome.serving = [2, 2]
    outcome.above_line_seconds = 1
    outcome.pod_seconds = 7200.0
    outcome.preemptions = [1, 4]
    return outcome


def test_figures_of_a_run_by_hand():
    attainable = [True, True, True, True, True]
    figures = summarize(make_outcome(), objective_seconds=1.0, attainable=attainable)
    assert figures.requests == 4
    assert figures.gpu_hours == 2.0
    assert figures.in_time == 1 / 4
    assert figures.admitted_in_time == 1 / 3
    assert figures.goodput_tokens == 10
    assert (figures.refused, figures.dropped) == (1, 1)
    assert (figures.preempted_known, figures.preempted) == (1, 5)
    assert (figures.first_token_p50_seconds, figures.first_token_p99_seconds) == (0.5, 3.0)
    assert figures.above_line_share == 1 / 4


def test_what_no_replica_could_make_in_time_is_told_apart():
    attainable = [True, False, False, False, False]
    figures = summarize(make_outcome(), objective_seconds=1.0, attainable=attainable)
    assert figures.attainable_in_time == figures.admitted_in_time == 1.0


def test_shares_of_nothing_are_no_number():
    figures = summarize(Outcome.of(0), objective_seconds=1.0, attainable=[])
    assert math.isnan(figures.in_time)
    assert math.isnan(figures.first_token_p99_seconds)
