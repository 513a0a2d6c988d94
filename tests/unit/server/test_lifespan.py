import asyncio
import os
import signal
from pathlib import Path

import pytest
from vibethinker_server import lifespan
from vibethinker_server.lifespan import take_sigterm
from vibethinker_server.phases import Phase

from tests.support.server_runtime import Rig, make_rig


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    rig = make_rig(tmp_path)
    rig.runtime.answering = False
    return rig


async def test_sigterm_drains_and_then_begins_vllms_own_end(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(lifespan, "POLL_SECONDS", 0.001)
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGINT, ended.set)  # as vLLM does
    rig.runtime.flights.count = 1
    take_sigterm(rig.runtime)
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0.05)
        assert not ended.is_set()  # one request is in flight
        assert rig.runtime.phase(rig.clock.now) is Phase.DRAINING
        assert not rig.runtime.fleet.undo_drain()
        rig.runtime.flights.count = 0
        await asyncio.wait_for(ended.wait(), 10)
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        loop.remove_signal_handler(signal.SIGTERM)


async def test_a_request_that_never_ends_does_not_hold_the_end_for_ever(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(lifespan, "POLL_SECONDS", 0.001)
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGINT, ended.set)
    rig.runtime.flights.count = 1
    take_sigterm(rig.runtime)
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0.02)
        rig.clock.advance(rig.runtime.settings.drain_seconds)
        await asyncio.wait_for(ended.wait(), 10)
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        loop.remove_signal_handler(signal.SIGTERM)
