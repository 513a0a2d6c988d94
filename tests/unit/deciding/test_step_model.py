"""Constants that engines' counters give away, and what follows from them for other sizes."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vibethinker_operator.step_model import LEAST_SECONDS, Flow, StepFit, StepModel, Work

# An L4 by its data sheet: 15 ms a step, 50 us a prompt token, 4 ns for each KV byte.
CARD = StepModel(0.015, 50e-6, 10e-6, 4.2e-12)
CONSTANTS = st.builds(
    StepModel,
    st.floats(0.002, 0.5),
    st.floats(1e-5, 1e-2),
    st.floats(0, 2e-4),
    st.floats(0, 1e-11),
)


def work(model: StepModel, chance: random.Random, noise: float = 0.0) -> Work:
    """Five seconds of an engine of these constants at a random load."""
    running = chance.uniform(1, 120)
    steps = chance.uniform(10, 200)
    prompts, generated = chance.uniform(0, 30_000), running * steps
    kv_bytes = steps * running * chance.uniform(1e7, 1e8)
    seconds = (
        model.step_seconds * steps
        + model.prompt_token_seconds * prompts
        + model.generated_token_seconds * generated
        + model.kv_byte_seconds * kv_bytes
    )
    return Work(seconds * (1 + chance.uniform(-noise, noise)), steps, prompts, generated, kv_bytes)


def learn(model: StepModel, count: int = 400, noise: float = 0.0, seed: int = 1) -> StepFit:
    chance = random.Random(seed)  # noqa: S311 (reproducible)
    fit = StepFit()
    for _ in range(count):
        fit = fit.record([work(model, chance, noise)], elapsed_seconds=1.0)
    return fit


@settings(max_examples=60, deadline=None)
@given(CONSTANTS, st.integers(1, 9))
def test_the_time_of_any_engine_is_told_apart(model, seed):
    found = learn(model, seed=seed).solve()
    assert found is not None
    chance = random.Random(99)  # noqa: S311 (reproducible)
    for _ in range(20):
        span, *columns = work(model, chance)
        constants = (
            found.step_seconds,
            found.prompt_token_seconds,
            found.generated_token_seconds,
            found.kv_byte_seconds,
        )
        told = sum(value * each for value, each in zip(columns, constants, strict=True))
        # Columns that rise and fall together share their time: the sum holds, each may be off.
        assert told == pytest.approx(span, rel=0.1)


def test_noise_of_a_tenth_does_not_hide_the_constants():
    found = learn(CARD, noise=0.1).solve()
    assert found is not None
    assert found.step_seconds == pytest.approx(CARD.step_seconds, rel=0.15)
    assert found.prompt_token_seconds == pytest.approx(CARD.prompt_token_seconds, rel=0.15)


def test_no_constant_is_negative_whatever_is_read():
    chance = random.Random(3)  # noqa: S311 (reproducible)
    for _ in range(200):
        fit = StepFit()
        for _ in range(30):
            row = (chance.uniform(0, 1e3) for _ in range(4))
            fit = fit.record([Work(5.0, *row)], elapsed_seconds=1.0)
        found = fit.solve()
        assert found is not None
        assert min(found.step_seconds, found.prompt_token_seconds) >= 0
        assert min(found.generated_token_seconds, found.kv_byte_seconds) >= 0


def test_too_little_says_nothing():
    short = StepFit().record([Work(LEAST_SECONDS - 1, 10, 10, 10, 10)], elapsed_seconds=1.0)
    assert short.solve() is None
    no_prompts = StepFit().record([Work(LEAST_SECONDS, 10, 0, 10, 10)], elapsed_seconds=1.0)
    assert no_prompts.solve() is None


def test_what_was_learned_fades():
    slow = learn(CARD)
    quick = StepModel(0.005, 20e-6, 5e-6, 2e-12)
    chance = random.Random(5)  # noqa: S311 (reproducible)
    for _ in range(3000):
        slow = slow.record([work(quick, chance)], elapsed_seconds=1.0)
    found = slow.solve()
    assert found is not None
    assert found.step_seconds == pytest.approx(quick.step_seconds, rel=0.2)


def test_fewer_replicas_run_more_than_their_share():
    flow = Flow(30_000, 6800, 3.6e7)
    assert CARD.busy_replicas(flow) == pytest.approx(2.6, abs=0.1)
    each = {replicas: CARD.running_each(flow, replicas) for replicas in (2, 3, 4, 8)}
    assert math.isinf(each[2])
    # Twice the replicas, and much less than half of the requests on each.
    assert each[8] < each[4] / 3 < each[3] / 3


@settings(max_examples=200, deadline=None)
@given(
    CONSTANTS,
    st.builds(Flow, st.floats(0, 1e5), st.floats(1, 1e5), st.floats(0, 1e8)),
    st.integers(1, 50),
    st.floats(1, 500),
)
def test_the_load_for_a_number_of_requests_gives_that_number(model, flow, replicas, running):
    times = model.load_for(flow, replicas, running)
    scaled = flow.times(times, times)
    assert model.running_each(scaled, replicas) == pytest.approx(running, rel=1e-6)


@settings(max_examples=100, deadline=None)
@given(CONSTANTS, st.builds(Flow, st.floats(0, 1e5), st.floats(1, 1e5), st.floats(0, 1e8)))
def test_more_replicas_never_run_more_each(model, flow):
    each = [model.running_each(flow, replicas) for replicas in range(1, 40)]
    assert each == sorted(each, reverse=True)
