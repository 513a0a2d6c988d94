from pathlib import Path
from threading import Event

import pytest
from vibethinker_server import names, readings
from vibethinker_server.load import AfterStart, DeviceMemory, EngineReading
from vibethinker_server.readings import Reader

from tests.support.server_runtime import GIB, Rig, make_rig


class Probe:
    """A device that says what it is told, or breaks."""

    def __init__(self, used: int | None) -> None:
        self.used = used
        self.broken = False

    def read_memory(self) -> DeviceMemory | None:
        if self.broken:
            raise RuntimeError("on purpose")
        return None if self.used is None else DeviceMemory(16 * GIB, self.used)

    def read_utilization_ratio(self) -> float | None:
        return 0.5


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return make_rig(tmp_path)


def test_a_reading_reaches_the_line(rig: Rig):
    reader = Reader(rig.runtime, Probe(14 * GIB), {})
    rig.runtime.stats.reading = EngineReading(running=9, waiting=0, kv_usage_ratio=0.9)
    for _ in range(12):
        reader.read(rig.clock.now)
        rig.clock.advance(1)
    assert rig.runtime.line.crossed
    assert rig.runtime.gpu_util_ratio == 0.5
    rig.runtime.stats.reading = EngineReading(running=1, waiting=0, kv_usage_ratio=0.1)
    reader.read(rig.clock.now)
    assert not rig.runtime.line.crossed


def test_a_broken_device_makes_memory_unknown_and_is_counted(rig: Rig):
    probe = Probe(14 * GIB)
    reader = Reader(rig.runtime, probe, {})
    reader.read(rig.clock.now)
    probe.broken = True
    reader.read(rig.clock.now)
    assert rig.runtime.device is None
    assert rig.runtime.gpu_util_ratio is None
    assert rig.runtime.load().memory_used_ratio is None
    assert rig.runtime.errors.counts() == {names.WHERE_DEVICE_MEMORY: 1}
    probe.broken = False
    reader.read(rig.clock.now)
    assert rig.runtime.load().memory_used_ratio is not None


def test_weights_are_looked_for_until_the_engine_answers(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    looked: list[object] = []
    monkeypatch.setattr(readings, "find_weights", lambda *given: looked.append(given))
    reader = Reader(rig.runtime, Probe(None), {})
    rig.runtime.answering = False
    reader.read(rig.clock.now)
    reader.read(rig.clock.now)
    rig.runtime.answering = True
    reader.read(rig.clock.now)
    assert len(looked) == 2


def test_the_thread_outlives_an_error(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    stop, turns = Event(), []

    def read(_reader: Reader, now: float) -> None:
        turns.append(now)
        if len(turns) == 3:
            stop.set()
        raise RuntimeError("on purpose")

    monkeypatch.setattr(readings, "INTERVAL_SECONDS", 0.001)
    monkeypatch.setattr(Reader, "read", read)
    Reader(rig.runtime, Probe(None), {}).run(stop)
    assert rig.runtime.errors.counts() == {names.WHERE_READINGS: 3}


def test_the_memory_of_the_start_is_kept_once_it_serves_and_never_again(rig: Rig):
    probe = Probe(14 * GIB)
    resident = iter([3 * GIB, 9 * GIB])
    reader = Reader(rig.runtime, probe, {}, lambda: next(resident))
    rig.runtime.stats.pool_bytes = 10 * GIB
    rig.runtime.answering = False
    reader.read(rig.clock.now)
    assert rig.runtime.after_start is None
    rig.runtime.answering = True
    for used in (14 * GIB, 15 * GIB):
        probe.used = used
        reader.read(rig.clock.now)
    assert rig.runtime.after_start == AfterStart(live_bytes=4 * GIB, resident_bytes=3 * GIB)
