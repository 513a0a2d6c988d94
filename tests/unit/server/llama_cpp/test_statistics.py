from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from vibethinker_server.llama_cpp.seats import Need, Seats
from vibethinker_server.llama_cpp.slots import has_moved, kv_usage_ratio, read_slots
from vibethinker_server.llama_cpp.statistics import EnginePage, Statistics, read_deferred
from vibethinker_server.load import EngineReading

from tests.support.llama_settings import LLAMA, NO_GPU, POOL_TOKENS
from tests.support.server_runtime import Rig, make_rig
from tests.support.stub_llama_server import IDLE, PAGE, busy

QUIET = PAGE.format(deferred=0)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return make_rig(tmp_path, **LLAMA, **NO_GPU)


@pytest.fixture
def seats(rig: Rig) -> Seats:
    return Seats(2, POOL_TOKENS, rig.clock.monotonic)


@pytest.fixture
def statistics(rig: Rig, seats: Seats) -> Statistics:
    rig.runtime.stats.start(POOL_TOKENS, 100)
    return Statistics(rig.runtime, seats, EnginePage())


def fold(statistics: Statistics, *slots: Any, page: str = QUIET) -> None:
    statistics.fold(read_slots(slots), page)


def test_idle_slots_hold_nothing_though_they_remember_old_prompts():
    remembered = IDLE | {"n_prompt_tokens": 900, "id_task": 3}
    assert read_slots([remembered, busy(4, held=512)]) == read_slots([busy(4, held=512)])
    assert kv_usage_ratio(read_slots([remembered]), POOL_TOKENS) == 0


def test_what_the_slots_hold_of_the_pool():
    slots = read_slots([busy(1, held=512), busy(2, held=512)])
    assert kv_usage_ratio(slots, POOL_TOKENS) == 0.5
    assert kv_usage_ratio(read_slots([busy(1, held=5000)]), POOL_TOKENS) == 1


@pytest.mark.parametrize(
    "payload",
    [
        {"error": "x"},
        [{}],
        [busy(1) | {"next_token": []}],
        [busy(1) | {"n_prompt_tokens": None}],
        [busy(1) | {"n_prompt_tokens": -1}],
        5,
    ],
)
def test_slots_of_another_version_are_no_reading(payload: Any):
    with pytest.raises((LookupError, TypeError, ValueError)):
        read_slots(payload)


def test_an_engine_that_hangs_has_not_moved():
    before = read_slots([busy(1, held=30, prompt=20, answer=10)])
    assert not has_moved(before, before)
    assert has_moved(before, read_slots([busy(1, held=31, prompt=20, answer=11)]))
    assert has_moved(before, ())
    assert not has_moved((), ())


@pytest.mark.parametrize("page", ["", "llamacpp:requests_deferred", "llamacpp:other 5"])
def test_a_page_that_does_not_tell_who_waits_is_no_reading(page: str):
    with pytest.raises(ValueError, match=r"requests_deferred|could not convert"):
        read_deferred(page)


async def test_a_reading_counts_who_runs_and_who_waits_here_and_there(
    rig: Rig, statistics: Statistics, seats: Seats
):
    fold(statistics, busy(1, held=512), IDLE, page=PAGE.format(deferred=2))
    assert rig.runtime.stats.reading == EngineReading(1, 2, 0.25)
    assert rig.runtime.stats.pool_bytes == POOL_TOKENS * 100


def test_steps_stand_still_while_the_engine_does(rig: Rig, statistics: Statistics):
    steps = []
    for answer in (1, 2, 2, 2, 3):
        fold(statistics, busy(1, held=20 + answer, prompt=20, answer=answer))
        steps.append(rig.runtime.stats.steps)
    assert steps == [1, 2, 2, 2, 3]
    fold(statistics, IDLE)
    fold(statistics, IDLE)
    assert rig.runtime.stats.steps == 4


async def test_prompts_that_got_their_first_token_make_the_rate(
    rig: Rig, statistics: Statistics, seats: Seats
):
    for _ in range(4):  # two run, two wait
        seats_taken = [await seats.take(10, Need(1, 100, 500)) for _ in range(2)]
        fold(statistics, busy(1, prompt=100), busy(2))
        assert seats.backlog_tokens() == 1000
        rig.clock.advance(1.0)
        fold(statistics, busy(1, prompt=500, answer=1), busy(2, prompt=100))
        assert seats.backlog_tokens() == 500
        rig.clock.advance(1.0)
        fold(statistics, busy(1, prompt=500, answer=9), busy(2, prompt=500, answer=1))
        assert seats.backlog_tokens() == 0
        for seat in seats_taken:
            seats.leave(seat)
        fold(statistics)
    assert rig.runtime.stats.prompt_rate.tokens_per_second == pytest.approx(500.0)


async def test_an_answer_that_begins_and_ends_between_two_readings_is_counted(
    rig: Rig, statistics: Statistics, seats: Seats
):
    seat = await seats.take(10, Need(1, 100, 500))
    statistics.add_finished(seat, 480, 20)
    seats.leave(seat)
    fold(statistics, IDLE)
    assert (rig.runtime.stats.finished, rig.runtime.stats.steps) == (1, 1)
    fold(statistics, IDLE)
    assert rig.runtime.stats.finished == 1


def test_what_is_lost_is_unknown_and_not_zero(rig: Rig, statistics: Statistics):
    fold(statistics, busy(1, held=512))
    statistics.lose()
    assert rig.runtime.load().memory_used_ratio is None
    assert rig.runtime.load().running is None


def test_llama_servers_own_series_stand_on_the_page(rig: Rig, seats: Seats):
    page, registry = EnginePage(), CollectorRegistry()
    registry.register(page)
    statistics = Statistics(rig.runtime, seats, page)
    statistics.fold((), QUIET)
    assert "llamacpp:requests_deferred 0.0" in generate_latest(registry).decode()
    assert "llamacpp:prompt_tokens_total 7.0" in generate_latest(registry).decode()
    statistics.lose()
    assert generate_latest(registry) == b""
