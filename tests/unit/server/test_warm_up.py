import asyncio
import json
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from vibethinker_server import names
from vibethinker_server import warm_up as warm_up_module
from vibethinker_server.api_keys import ApiKeys
from vibethinker_server.middleware import VibeThinkerMiddleware
from vibethinker_server.phases import Phase
from vibethinker_server.profiles import Isolation, Profile, ProfileKind
from vibethinker_server.session_identity import cache_salt
from vibethinker_server.warm_up import ask_once, warm_up

from tests.support.server_runtime import Rig, make_lease, make_policy, make_rig

PRESET = "You help with contests."


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    rig = make_rig(tmp_path)
    rig.runtime.answering = False
    return rig


def obey(rig: Rig, isolation: Isolation, *keys: str) -> None:
    app = Profile("app", ProfileKind.APP, PRESET, isolation=isolation, api_keys=frozenset(keys))
    webui = Profile("webui", ProfileKind.WEB_UI)
    policy = make_policy(profiles=(webui, app))
    rig.runtime.fleet.accept(policy, make_lease(), rig.clock.now)


def use_keys(rig: Rig, tmp_path: Path, *keys: str) -> None:
    directory = tmp_path / "keys"
    directory.mkdir()
    for key in keys:
        (directory / key).write_text(key)
    rig.runtime.api_keys = ApiKeys(directory)


class Engine:
    """An application that answers with the given statuses, in order, then with 200."""

    def __init__(self, *outcomes: int | Exception) -> None:
        self.outcomes = list(outcomes)
        self.scopes: list[Any] = []
        self.bodies: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        self.scopes.append(scope)
        self.bodies.append(json.loads((await receive())["body"]))
        outcome = self.outcomes.pop(0) if self.outcomes else 200
        if isinstance(outcome, Exception):
            raise outcome
        await send({"type": "http.response.start", "status": outcome, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})


async def test_the_first_question_goes_through_the_whole_application():
    engine, application = Engine(200), object()
    assert await ask_once(engine, ("/v1/completions", b"{}"), application) == 200
    (scope,) = engine.scopes
    assert (scope["path"], scope["method"]) == ("/v1/completions", "POST")
    assert scope["app"] is application  # vLLM's handlers find their state there


async def test_it_asks_until_the_engine_answers(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(warm_up_module, "RETRY_SECONDS", 0)
    engine = Engine(500, RuntimeError("on purpose"), 200)
    await warm_up(rig.runtime, engine, None)
    assert rig.runtime.answering
    assert len(engine.scopes) == 3
    # Fewer than five tokens would end vLLM on a processor with AMX, where the weights are INT8.
    assert all(len(body["prompt"].split()) > 4 for body in engine.bodies)
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


async def test_a_preset_that_all_share_is_asked_once(rig: Rig):
    obey(rig, Isolation.NONE)
    engine = Engine()
    await warm_up(rig.runtime, engine, None)
    (preset,) = engine.bodies[1:]
    assert preset["messages"][0] == {"role": "system", "content": PRESET}
    assert preset["max_tokens"] == 1
    assert "cache_salt" not in preset
    assert engine.scopes[1]["path"] == "/v1/chat/completions"


async def test_under_isolation_key_each_key_gets_its_own(rig: Rig, tmp_path: Path):
    use_keys(rig, tmp_path, "club", "school")
    obey(rig, Isolation.KEY)
    engine = Engine()
    await warm_up(rig.runtime, engine, None)
    secret = rig.runtime.ticket_key(rig.clock.now)
    assert [body["cache_salt"] for body in engine.bodies[1:]] == [
        cache_salt(secret, Isolation.KEY, key, b"") for key in ("club", "school")
    ]


async def test_a_profile_bound_to_keys_is_warm_for_these(rig: Rig, tmp_path: Path):
    use_keys(rig, tmp_path, "club", "school")
    obey(rig, Isolation.KEY, "school")
    engine = Engine()
    await warm_up(rig.runtime, engine, None)
    assert len(engine.bodies) == 2


async def test_under_isolation_session_only_kernels_get_warm(rig: Rig):
    obey(rig, Isolation.SESSION)
    engine = Engine()
    await warm_up(rig.runtime, engine, None)
    assert len(engine.bodies) == 1
    assert rig.runtime.answering


@pytest.mark.parametrize("outcome", [500, RuntimeError("on purpose")])
async def test_a_preset_that_fails_does_not_hold_the_start(rig: Rig, outcome: int | Exception):
    obey(rig, Isolation.NONE)
    await warm_up(rig.runtime, Engine(200, outcome), None)
    assert rig.runtime.answering
    assert rig.runtime.errors.counts() == {names.WHERE_REQUEST: 1}
