"""Traces by name, copies of a trace, and sessions where a trace leaves them out."""

from collections import Counter
from statistics import fmean

import pytest
from vibethinker_simulator.builtin_traces import (
    NAMES,
    OUTPUT_TOKENS,
    PROMPT_TOKENS,
    azure_conv,
    daily,
    find_trace,
    ramp,
    step,
)
from vibethinker_simulator.servegen import draw_day
from vibethinker_simulator.trace import Request, Trace, assign_sessions, superpose


def count(trace: Trace, begin: float, end: float) -> int:
    return sum(begin <= request.time < end for request in trace.requests)


def is_well_formed(trace: Trace) -> bool:
    times = [request.time for request in trace.requests]
    positive = all(r.prompt_tokens > 0 and r.output_tokens > 0 for r in trace.requests)
    return times == sorted(times) and times[0] >= 0 and times[-1] < trace.seconds and positive


def test_azures_hour_is_the_published_one():
    trace = azure_conv()
    assert (trace.name, len(trace.requests)) == ("azure-conv", 19_366)
    assert 3500 < trace.seconds <= 3600
    # Of the published file: mean prompt 1154.7 and answer 211.1 tokens.
    assert fmean(r.prompt_tokens for r in trace.requests) == pytest.approx(1154.7, rel=0.001)
    assert fmean(r.output_tokens for r in trace.requests) == pytest.approx(211.1, rel=0.001)
    assert is_well_formed(trace)


def test_a_day_of_deepseek_r1_has_the_rate_asked_for():
    trace = draw_day(4.0)
    assert (trace.name, trace.seconds) == ("deepseek-r1 at 4/s", 86_400)
    # Each client's ten minutes begin with a request: the fewer there are, the more that adds.
    assert len(trace.requests) / 86_400 == pytest.approx(4.0, rel=0.05)
    assert is_well_formed(trace)


def test_a_seed_makes_the_day():
    assert draw_day(0.05) == draw_day(0.05)
    assert draw_day(0.05) != draw_day(0.05, seed=2)


def test_a_step_is_ten_times_itself_in_its_middle_third():
    trace = step(1.0)
    before, during, after = (count(trace, third * 600, third * 600 + 600) for third in range(3))
    assert during == pytest.approx(6000, rel=0.05)
    assert before == pytest.approx(600, rel=0.15)
    assert after == pytest.approx(600, rel=0.15)
    assert is_well_formed(trace)


def test_a_ramp_rises_to_ten_times_itself_and_falls_back():
    trace = ramp(1.0)
    assert count(trace, 0, 288) == pytest.approx(288 * 1.45, rel=0.2)
    assert count(trace, 2592, 2880) == pytest.approx(288 * 9.55, rel=0.1)
    assert count(trace, 2880, 3600) == pytest.approx(720, rel=0.15)


def test_a_day_swings_by_nine_tenths_about_its_rate():
    trace = daily(0.2)
    night, noon = count(trace, 0, 3600), count(trace, 41_400, 45_000)
    assert len(trace.requests) == pytest.approx(0.2 * 86_400, rel=0.03)
    assert night < 0.15 * noon
    assert noon == pytest.approx(0.2 * 1.9 * 3600, rel=0.1)


def test_made_up_lengths_are_as_said():
    requests = step(4.0).requests
    prompts = [request.prompt_tokens for request in requests]
    assert (min(prompts), max(prompts)) == PROMPT_TOKENS
    assert fmean(r.output_tokens for r in requests) == pytest.approx(OUTPUT_TOKENS, rel=0.05)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "deepseek-r1"])
def test_a_trace_is_the_same_each_time(name: str):
    assert find_trace(name, 0.05) == find_trace(name, 0.05)


def test_every_second_request_or_so_continues_a_conversation_that_paused():
    drawn = [(n / 2, 100, 100) for n in range(20_000)]
    requests = list(assign_sessions(drawn))
    last: dict[int, float] = {}
    follow_ups = 0
    for request in requests:
        if request.session in last:
            follow_ups += 1
            assert request.time - last[request.session] >= 30
        last[request.session] = request.time
    assert follow_ups / len(requests) == pytest.approx(0.45, abs=0.05)
    assert list(assign_sessions(drawn)) == requests


def test_copies_are_shifted_round_and_share_no_session():
    trace = Trace("t", tuple(Request(float(n), 10 + n, 20, n % 3) for n in range(10)), 10.0)
    copied = superpose(trace, 5)
    assert (copied.name, copied.seconds, len(copied.requests)) == ("t x5", 10.0, 50)
    assert is_well_formed(copied)
    assert len({request.session for request in copied.requests}) == 15
    assert set(Counter(request.prompt_tokens for request in copied.requests).values()) == {5}


def test_a_cut_trace_keeps_its_beginning():
    trace = Trace("t", tuple(Request(float(n), 10, 20, n) for n in range(10)), 10.0)
    assert [request.time for request in trace.cut(3.0).requests] == [0.0, 1.0, 2.0]
    assert trace.cut(3.0).seconds == 3.0
    assert trace.cut(99.0) == trace
