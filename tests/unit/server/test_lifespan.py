import asyncio
import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from vibethinker_server import lifespan, names
from vibethinker_server.lifespan import ask_once, take_sigterm, warm_up
from vibethinker_server.middleware import VibeThinkerMiddleware
from vibethinker_server.phases import Phase

from tests.support.server_runtime import Rig, make_rig


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    rig = make_rig(tmp_path)
    rig.runtime.answering = False
    return rig


class Engine:
    """An application that answers its generations with the given statuses, in order."""

    def __init__(self, *outcomes: int | Exception) -> None:
        self.outcomes = list(outcomes)
        self.scopes: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        self.scopes.append(scope)
        assert (await receive())["body"].startswith(b'{"model"')
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        await send({"type": "http.response.start", "status": outcome, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})


async def test_the_first_question_goes_through_the_whole_application():
    engine, application = Engine(200), object()
    assert await ask_once(engine, "served", application) == 200
    (scope,) = engine.scopes
    assert (scope["path"], scope["method"]) == ("/v1/completions", "POST")
    assert scope["app"] is application  # vLLM's handlers find their state there


async def test_it_asks_until_the_engine_answers(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lifespan, "RETRY_SECONDS", 0)
    engine = Engine(500, RuntimeError("on purpose"), 200)
    await warm_up(rig.runtime, engine, None)
    assert rig.runtime.answering
    assert len(engine.scopes) == 3
    assert rig.runtime.errors.counts() == {names.WHERE_REQUEST: 2}


async def test_a_started_application_is_asked_and_then_serves(rig: Rig):
    engine = Engine(200)
    door = VibeThinkerMiddleware(engine, rig.runtime)
    client = SimpleNamespace(get_num_queued_tokens=lambda: 42)
    application = SimpleNamespace(state=SimpleNamespace(engine_client=client))
    messages: asyncio.Queue[Any] = asyncio.Queue()
    started = asyncio.Event()

    async def send(message: Any) -> None:
        if message["type"] == "lifespan.startup.complete":
            started.set()

    scope = {"type": "lifespan", "app": application}
    living = asyncio.create_task(door(scope, messages.get, send))
    assert rig.runtime.phase(rig.clock.now) is Phase.WARMING_UP
    messages.put_nowait({"type": "lifespan.startup"})
    await started.wait()
    while not rig.runtime.answering:  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert rig.runtime.phase(rig.clock.now) is Phase.SERVING
    assert rig.runtime.backlog is not None
    assert rig.runtime.backlog() == 42
    messages.put_nowait({"type": "lifespan.shutdown"})
    await living
    asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)


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
