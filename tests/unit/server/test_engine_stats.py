from types import SimpleNamespace
from typing import Any

import pytest
from vibethinker_server import names
from vibethinker_server.engine_stats import EngineStats
from vibethinker_server.load import EngineReading
from vibethinker_server.tally import Tally

# VibeThinker-1.5B: 28 layers, 2 KV heads of 128.
BYTES_PER_TOKEN = 28_672


def scheduler(**changes: Any) -> Any:
    values = {
        "num_running_reqs": 3,
        "num_waiting_reqs": 2,
        "num_skipped_waiting_reqs": 1,
        "kv_cache_usage": 0.25,
    }
    return SimpleNamespace(**(values | changes))


def iteration(finished: int = 0, prompt_tokens: int = 0) -> Any:
    request = SimpleNamespace(num_prompt_tokens=50, num_generation_tokens=20)
    return SimpleNamespace(
        finished_requests=[request] * finished,
        num_prompt_tokens=prompt_tokens,
        time_to_first_tokens_iter=[0.2, 0.5] if prompt_tokens else [],
    )


def config(cache_dtype: str = "auto", **changes: Any) -> Any:
    cache = {"num_gpu_blocks": 100, "block_size": 16, "cache_dtype": cache_dtype}
    model = SimpleNamespace(
        dtype=SimpleNamespace(itemsize=2),
        get_num_layers=lambda parallel: 28,
        get_num_kv_heads=lambda parallel: 2,
        get_head_size=lambda: 128,
    )
    return SimpleNamespace(
        cache_config=SimpleNamespace(**(cache | changes)), model_config=model, parallel_config=None
    )


@pytest.fixture
def errors() -> Tally:
    return Tally()


@pytest.fixture
def stats(errors: Tally) -> EngineStats:
    return EngineStats(errors)


def test_tokens_are_counted_where_the_engine_counts_them(stats: EngineStats):
    stats.record(scheduler(), iteration(prompt_tokens=9), now=1.0)
    assert (stats.prompt_tokens, stats.generation_tokens) == (None, None)
    for _ in range(2):
        step = iteration(prompt_tokens=300)
        step.num_generation_tokens = 7
        stats.record(scheduler(), step, now=2.0)
    assert (stats.prompt_tokens, stats.generation_tokens) == (600, 14)


def test_a_step_is_read_with_all_who_wait(stats: EngineStats):
    stats.record(scheduler(), iteration(2), now=1.0)
    assert stats.reading == EngineReading(running=3, waiting=3, kv_usage_ratio=0.25)
    assert (stats.steps, stats.finished) == (1, 2)


def test_a_step_without_scheduler_statistics_leaves_the_reading(stats: EngineStats):
    stats.record(scheduler(), None, now=1.0)
    stats.record(None, iteration(1), now=2.0)
    assert stats.reading == EngineReading(3, 3, 0.25)
    assert (stats.steps, stats.finished) == (2, 1)


@pytest.mark.parametrize(
    ("scheduler_stats", "iteration_stats"),
    [
        pytest.param(object(), iteration(), id="a class of another version"),
        pytest.param(scheduler(kv_cache_usage=float("nan")), iteration(), id="NaN"),
        pytest.param(scheduler(kv_cache_usage=75), iteration(), id="a percentage"),
        pytest.param(scheduler(kv_cache_usage=None), iteration(), id="None"),
        pytest.param(scheduler(num_running_reqs=-1), iteration(), id="negative"),
        pytest.param(scheduler(num_waiting_reqs="many"), iteration(), id="text"),
        pytest.param(scheduler(), object(), id="an iteration of another version"),
    ],
)
def test_senseless_statistics_make_the_load_unknown_and_are_counted(
    stats: EngineStats, errors: Tally, scheduler_stats: Any, iteration_stats: Any
):
    stats.record(scheduler(), iteration(), now=1.0)
    stats.record(scheduler_stats, iteration_stats, now=2.0)
    assert stats.reading is None
    assert errors.counts()[names.WHERE_ENGINE_STATS] >= 1
    stats.record(scheduler(), iteration(), now=3.0)
    assert stats.reading is not None


@pytest.mark.parametrize(
    ("cache_dtype", "item_bytes"),
    [("auto", 2), ("fp8", 1), ("fp8_e5m2", 1), ("bfloat16", 2), ("int8_per_token_head", 1)],
)
def test_the_pool_is_blocks_times_tokens_times_bytes(
    stats: EngineStats, cache_dtype: str, item_bytes: int
):
    stats.initialize(config(cache_dtype))
    assert stats.pool_tokens == 100 * 16
    assert stats.pool_bytes == 100 * 16 * BYTES_PER_TOKEN * item_bytes // 2


def test_an_engine_that_has_just_started_is_idle_with_its_pool(stats: EngineStats):
    stats.initialize(config())
    assert stats.initialized
    assert stats.pool_bytes == 100 * 16 * BYTES_PER_TOKEN
    assert stats.reading == EngineReading(running=0, waiting=0, kv_usage_ratio=0.0)


@pytest.mark.parametrize(
    "broken", [object(), config(num_gpu_blocks=None), config(num_gpu_blocks=0)]
)
def test_a_configuration_of_another_version_leaves_the_pool_unknown(
    stats: EngineStats, errors: Tally, broken: Any
):
    stats.initialize(broken)
    assert stats.initialized
    assert stats.pool_bytes is None
    assert errors.counts() == {names.WHERE_ENGINE_STATS: 1}


def test_what_guesses_are_made_from_may_fail_and_the_load_is_known(
    stats: EngineStats, errors: Tally
):
    other = SimpleNamespace(finished_requests=[object()])
    stats.record(scheduler(), other, now=1.0, backlog=10)
    assert stats.reading == EngineReading(running=3, waiting=3, kv_usage_ratio=0.25)
    assert errors.counts() == {names.WHERE_ENGINE_STATS: 1}


def test_steps_teach_how_fast_prompts_get_their_first_token(stats: EngineStats):
    for second in range(1, 6):
        stats.record(scheduler(), iteration(1, prompt_tokens=300), now=second, backlog=900)
    assert stats.prompt_rate.tokens_per_second == pytest.approx(5 * 300 / 4)
    stats.record(scheduler(), iteration(prompt_tokens=300), now=9.0, backlog=None)
    assert stats.prompt_rate.tokens_per_second == pytest.approx(5 * 300 / 4)


def test_the_time_before_prompts_came_is_not_taken_for_work_on_them(stats: EngineStats):
    for second in (10, 20, 30):
        stats.record(scheduler(), iteration(prompt_tokens=300), now=second, backlog=0)
    assert stats.prompt_rate.tokens_per_second == pytest.approx(3 * 300 / (2 * 0.5))


def test_the_service_rate_is_that_of_the_last_minute(stats: EngineStats):
    assert stats.finished_per_second(0.0) is None
    stats.record(None, iteration(0), now=100.0)
    stats.record(None, iteration(10), now=110.0)
    assert stats.finished_per_second(120.0) == 0.5  # 10 in the 20 s since the first step
    stats.record(None, iteration(20), now=150.0)
    assert stats.finished_per_second(165.0) == 0.5  # 30 in a minute
    assert stats.finished_per_second(180.0) == pytest.approx(20 / 60)
    assert stats.finished_per_second(300.0) is None


def test_a_burst_in_the_first_moment_is_not_taken_for_a_rate(stats: EngineStats):
    stats.record(None, iteration(5), now=100.0)
    assert stats.finished_per_second(100.0) == 5.0
