import pytest
from hypothesis import given
from hypothesis import strategies as st
from vibethinker_server.load import (
    DeviceMemory,
    EngineReading,
    Load,
    live_memory_ratio,
    measure,
    queue_length,
    split_memory,
)

GIB = 2**30
# A T4 as CUDA sees it, and VibeThinker-1.5B on it at 85 % (design, section 4).
T4_BYTES = 14.56 * GIB
KV_BYTES_PER_TOKEN = 28_672


def test_an_idle_engine_reads_low_although_the_device_is_full():
    device = DeviceMemory(total_bytes=16 * GIB, used_bytes=13 * GIB)
    assert device.used_bytes / device.total_bytes > 0.8
    assert live_memory_ratio(device, 9 * GIB, 0.0) == pytest.approx(0.25)


def test_a_full_pool_reads_as_the_device_does():
    device = DeviceMemory(16 * GIB, 13 * GIB)
    assert live_memory_ratio(device, 9 * GIB, 1.0) == pytest.approx(13 / 16)


@pytest.mark.parametrize(("sequences", "gigabytes"), [(16, 6.04), (32, 7.92)])
def test_users_reports_of_this_model_come_out_of_the_formula(sequences: int, gigabytes: float):
    pool = 8.501 * GIB
    used = 0.85 * T4_BYTES
    usage = sequences * 4096 * KV_BYTES_PER_TOKEN / pool
    ratio = live_memory_ratio(DeviceMemory(round(T4_BYTES), round(used)), round(pool), usage)
    assert ratio is not None
    assert ratio * T4_BYTES / 1e9 == pytest.approx(gigabytes, abs=0.02)


@pytest.mark.parametrize(
    ("used", "pool", "usage"),
    [
        pytest.param(2 * GIB, 9 * GIB, 0.0, id="the pool is larger than all that is used"),
        pytest.param(17 * GIB, 0, 0.0, id="more is used than there is"),
    ],
)
def test_readings_that_contradict_each_other_are_unknown(used: int, pool: int, usage: float):
    assert live_memory_ratio(DeviceMemory(16 * GIB, used), pool, usage) is None


sizes = st.integers(min_value=0, max_value=200 * GIB)
ratios = st.floats(min_value=0, max_value=1)


@given(total=st.integers(1, 200 * GIB), used=sizes, pool=sizes, usage=ratios)
def test_the_ratio_is_within_0_and_1_or_unknown(total: int, used: int, pool: int, usage: float):
    ratio = live_memory_ratio(DeviceMemory(total, used), pool, usage)
    assert ratio is None or 0 <= ratio <= 1


@given(pool=st.integers(1, 8 * GIB), low=ratios, high=ratios)
def test_more_kv_in_use_never_reads_as_less_memory(pool: int, low: float, high: float):
    low, high = sorted((low, high))
    device = DeviceMemory(16 * GIB, 12 * GIB)
    below, above = (live_memory_ratio(device, pool, usage) for usage in (low, high))
    assert below is not None
    assert above is not None
    assert below <= above


@given(used=sizes, pool=sizes, usage=ratios, weights=st.none() | sizes)
def test_the_kinds_sum_to_the_devices_use(used: int, pool: int, usage: float, weights: int | None):
    kinds = split_memory(DeviceMemory(200 * GIB, used), pool, usage, weights)
    if kinds is None:
        assert pool + (weights or 0) > used
        return
    parts = (kinds.weights or 0, kinds.kv_used, kinds.kv_idle, kinds.other)
    assert sum(parts) == used
    assert min(parts) >= 0


@pytest.mark.parametrize(
    ("in_flight", "running", "waiting", "expected"),
    [
        pytest.param(0, 0, 0, 0, id="idle"),
        pytest.param(5, 5, 0, 0, id="all run"),
        pytest.param(8, 4, 4, 4, id="the engine's own queue"),
        pytest.param(4, 0, 0, 0, id="a burst the engine has not reported takes its free seats"),
        pytest.param(11, 0, 0, 3, id="a burst beyond the seats waits"),
        pytest.param(10, 6, 2, 4, id="memory short: free seats do not help who comes"),
        pytest.param(2, 5, 0, 0, id="one request of several sequences"),
    ],
)
def test_the_queue_counts_who_is_in_and_does_not_run(
    in_flight: int, running: int, waiting: int, expected: int
):
    assert queue_length(in_flight, running, waiting, max_num_seqs=8) == expected


def test_an_engine_that_says_nothing_makes_everything_but_the_device_unknown():
    device = DeviceMemory(16 * GIB, 12 * GIB)
    load = measure(device=device, pool_bytes=GIB, reading=None, in_flight=3, max_num_seqs=8)
    assert load == Load(device=device)
    assert load.memory_used_ratio is None
    assert load.device_memory_used_ratio == 0.75


@pytest.mark.parametrize(
    ("device", "pool"), [(None, GIB), (DeviceMemory(16 * GIB, 12 * GIB), None)]
)
def test_an_unknown_device_or_pool_leaves_the_queue_known(
    device: DeviceMemory | None, pool: int | None
):
    load = measure(
        device=device,
        pool_bytes=pool,
        reading=EngineReading(running=2, waiting=1, kv_usage_ratio=0.5),
        in_flight=3,
        max_num_seqs=8,
    )
    assert load.memory_used_ratio is None
    assert (load.running, load.queue_length, load.kv_usage_ratio) == (2, 1, 0.5)
