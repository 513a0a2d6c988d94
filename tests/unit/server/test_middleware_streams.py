"""What passes through the middleware while an answer runs, message by message."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from vibethinker_server.middleware import VibeThinkerMiddleware

from tests.support.server_runtime import Rig, make_rig


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return make_rig(tmp_path)


async def test_a_chunk_is_never_held_back(rig: Rig):
    sent: list[Any] = []
    go_on = asyncio.Event()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        await go_on.wait()
        await send({"type": "http.response.body", "body": b"last", "more_body": False})

    async def receive() -> Any:
        return {"type": "http.request", "body": b'{"prompt": "x"}', "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    serving = asyncio.create_task(
        VibeThinkerMiddleware(application, rig.runtime)(generation_scope(), receive, send)
    )
    for _ in range(10):
        await asyncio.sleep(0)
    assert [message.get("body") for message in sent] == [None, b"first"]
    assert rig.runtime.flights.count == 1
    go_on.set()
    await serving
    assert sent[-1]["body"] == b"last"
    assert rig.runtime.flights.count == 0


def generation_scope() -> dict[str, Any]:
    return {
        "type": "http",
        "method": "POST",
        "path": "/v1/completions",
        "headers": [(b"content-type", b"application/json")],
        "http_version": "1.1",
        "client": ("10.0.0.9", 4000),
    }


async def test_a_client_that_leaves_is_seen_by_the_engine_and_frees_its_seat(rig: Rig):
    heard: list[Any] = []
    messages = [
        {"type": "http.request", "body": b'{"prompt": "x"}', "more_body": False},
        {"type": "http.disconnect"},
    ]

    async def application(scope: Any, receive: Any, send: Any) -> None:
        assert rig.runtime.flights.count == 1
        heard.extend([await receive(), await receive()])

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        raise AssertionError(message)

    door = VibeThinkerMiddleware(application, rig.runtime)
    await door(generation_scope(), receive, send)
    assert [message["type"] for message in heard] == ["http.request", "http.disconnect"]
    assert rig.runtime.flights.count == 0


async def test_a_cancelled_request_frees_its_seat(rig: Rig):
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.get_running_loop().create_future()

    async def receive() -> Any:
        return {"type": "http.request", "body": b'{"prompt": "x"}', "more_body": False}

    async def send(message: Any) -> None:
        raise AssertionError(message)

    door = VibeThinkerMiddleware(application, rig.runtime)
    serving = asyncio.create_task(door(generation_scope(), receive, send))
    while rig.runtime.flights.count == 0:  # noqa: ASYNC110
        await asyncio.sleep(0)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert rig.runtime.flights.count == 0


async def test_http2_never_sees_connection_close(rig: Rig):
    rig.runtime.answering = False
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b'{"prompt": "x"}', "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    door = VibeThinkerMiddleware(Starlette(), rig.runtime)
    await door({**generation_scope(), "http_version": "2"}, receive, send)
    assert sent[0]["status"] == 503
    assert b"connection" not in dict(sent[0]["headers"])
