"""One tick a second for each fleet, each on its own, and a loop that knows when it stands."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from vibethinker_operator.errors import UnavailableError
from vibethinker_operator.inventory import Snapshot
from vibethinker_operator.loop import STUCK_AFTER_SECONDS, ReconcileLoop, Tick

from tests.unit.operating.builders import Time, make_body

CHAT, CODE = (Snapshot(make_body(name=name, uid=name), None, ()) for name in ("chat", "code"))


class Rig:
    """A loop whose rounds follow as fast as they can; every one moves time by a second."""

    def __init__(self, *snapshots: Snapshot) -> None:
        self.time = Time()
        self.snapshots = list(snapshots)
        self.broken = False
        self.rounds = 0
        self.ticked: list[tuple[str, float]] = []

    def list_snapshots(self) -> list[Snapshot]:
        self.rounds += 1
        self.time.now += 1.0
        if self.broken:
            raise RuntimeError("an index cannot be read")
        return self.snapshots

    @asynccontextmanager
    async def running(self, tick: Tick | None = None) -> AsyncIterator[ReconcileLoop]:
        loop = ReconcileLoop(
            snapshots=self.list_snapshots,
            tick=tick or self.tick,
            clock=self.time.clock(),
            interval_seconds=0.0,
        )
        task = asyncio.create_task(loop.run())
        try:
            yield loop
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def tick(self, snapshot: Snapshot, now: float) -> None:
        self.ticked.append((snapshot.uid, now))

    def count(self, uid: str) -> int:
        return sum(ticked == uid for ticked, _ in self.ticked)


async def until(done: Callable[[], bool]) -> None:
    for _ in range(10_000):
        if done():
            return
        await asyncio.sleep(0)
    raise AssertionError("the loop did not get there")


async def test_every_fleet_is_ticked_in_every_round():
    rig = Rig(CHAT, CODE)
    async with rig.running() as loop:
        await until(lambda: rig.count("chat") >= 3 and rig.count("code") >= 3)
    assert (loop.failed_ticks, loop.skipped_ticks) == (0, 0)
    times = [now for uid, now in rig.ticked if uid == "chat"]
    assert times == sorted(set(times))


@pytest.mark.parametrize("error", [RuntimeError("broken"), ValueError("no uid"), TimeoutError()])
async def test_one_fleets_failure_does_not_stop_anothers_tick_nor_its_own_next(
    error: Exception, caplog: pytest.LogCaptureFixture
):
    rig = Rig(CHAT, CODE)
    failed = 0

    async def tick(snapshot: Snapshot, now: float) -> None:
        nonlocal failed
        await rig.tick(snapshot, now)
        if snapshot is CHAT:
            failed += 1
            raise error

    async with rig.running(tick) as loop:
        await until(lambda: rig.count("chat") >= 3 and rig.count("code") >= 3)
    assert loop.failed_ticks == failed
    assert "team/chat: this second's tick failed" in caplog.text
    assert "team/code" not in caplog.text


@pytest.mark.parametrize(
    ("error", "level", "traced"),
    [
        (UnavailableError("the API server hung up"), "WARNING", False),
        (ValueError("of our own"), "ERROR", True),
    ],
)
async def test_an_api_server_that_is_away_is_a_line_and_only_our_own_faults_are_traced(
    error: Exception, level: str, traced: bool, caplog: pytest.LogCaptureFixture
):
    rig = Rig(CHAT)

    async def tick(snapshot: Snapshot, now: float) -> None:
        raise error

    async with rig.running(tick) as loop:
        await until(lambda: loop.failed_ticks >= 1)
    assert caplog.records[0].levelname == level
    assert str(error) in caplog.text
    assert (caplog.records[0].exc_info is not None) is traced


async def test_a_tick_that_takes_long_is_never_doubled_and_holds_up_no_other():
    rig = Rig(CHAT, CODE)
    go = asyncio.Event()

    async def tick(snapshot: Snapshot, now: float) -> None:
        await rig.tick(snapshot, now)
        if snapshot is CHAT:
            await go.wait()

    async with rig.running(tick) as loop:
        await until(lambda: rig.count("code") >= 5)
        assert rig.count("chat") == 1
        assert loop.skipped_ticks >= 3
        go.set()
        await until(lambda: rig.count("chat") >= 2)


async def test_every_tick_is_timed_a_failed_one_too():
    rig = Rig(CHAT, CODE)

    async def tick(snapshot: Snapshot, now: float) -> None:
        await rig.tick(snapshot, now)
        rig.time.now += 2.0
        if snapshot is CHAT:
            raise UnavailableError("the API server hung up")

    async with rig.running(tick) as loop:
        await until(lambda: rig.count("chat") >= 1 and rig.count("code") >= 1)
        samples = {
            s.name: s.value for family in loop.tick_seconds.collect() for s in family.samples
        }
    count = samples["vibethinker_operator_tick_duration_seconds_count"]
    assert count >= 2
    assert samples["vibethinker_operator_tick_duration_seconds_sum"] >= 2.0 * count


async def test_a_fleet_that_comes_later_is_ticked_and_one_that_goes_is_not():
    rig = Rig(CHAT)
    async with rig.running() as loop:
        await until(lambda: rig.count("chat") >= 1)
        rig.snapshots = [CODE]
        await until(lambda: rig.count("code") >= 1)
        before = rig.count("chat")
        await until(lambda: rig.count("code") >= 5)
    assert rig.count("chat") == before
    assert "chat" not in loop._running  # nothing of it is kept


async def test_a_turning_loop_is_not_stuck_and_one_that_stands_still_is():
    rig = Rig(CHAT)
    async with rig.running() as loop:
        await until(lambda: rig.rounds >= 2 * STUCK_AFTER_SECONDS)
        assert not loop.is_stuck()
    rig.time.now = loop.last_round + STUCK_AFTER_SECONDS
    assert not loop.is_stuck()
    rig.time.now += 0.1
    assert loop.is_stuck()


async def test_a_loop_that_never_began_is_stuck_too():
    rig = Rig()
    loop = ReconcileLoop(
        snapshots=rig.list_snapshots, tick=rig.tick, clock=rig.time.clock(), interval_seconds=1.0
    )
    assert not loop.is_stuck()
    rig.time.now += STUCK_AFTER_SECONDS + 1
    assert loop.is_stuck()


async def test_a_round_that_cannot_be_started_is_tried_again(caplog: pytest.LogCaptureFixture):
    rig = Rig(CHAT)
    rig.broken = True
    async with rig.running() as loop:
        await until(lambda: rig.rounds >= 3)
        rig.broken = False
        await until(lambda: rig.count("chat") >= 1)
        assert not loop.is_stuck()
    assert "a round could not be started" in caplog.text


async def test_rounds_that_never_start_count_as_standing_still(caplog: pytest.LogCaptureFixture):
    rig = Rig(CHAT)
    rig.broken = True
    async with rig.running() as loop:
        await until(lambda: rig.rounds > STUCK_AFTER_SECONDS + 1)
        assert loop.is_stuck()
