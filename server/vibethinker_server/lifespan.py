"""What happens around the application's life: the first answer, and the end by SIGTERM."""

import asyncio
import json
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any

from vibethinker_server import names
from vibethinker_server.request_body import Message, Receive, Send
from vibethinker_server.runtime import Runtime

App = Callable[[Any, Receive, Send], Awaitable[None]]

RETRY_SECONDS = 1.0
POLL_SECONDS = 0.1
OK = 200

log = logging.getLogger(__name__)


async def ask_once(app: App, served_name: str, application: Any) -> int | None:
    """Sends a request of one token through `app` and returns the answer's status.

    Args:
        app: the ASGI application below our middleware.
        served_name: the model's name for clients.
        application: the outermost application, which vLLM's handlers find in the scope.
    """
    body = json.dumps({"model": served_name, "prompt": "1", "max_tokens": 1}).encode()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": names.PATH_COMPLETIONS,
        "raw_path": names.PATH_COMPLETIONS.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ],
        "client": None,
        "server": None,
        "state": {},
        "app": application,
    }
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    statuses: list[int] = []

    async def receive() -> Message:
        if pending:
            return pending.pop()
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope, receive, send)
    return statuses[0] if statuses else None


async def warm_up(runtime: Runtime, app: App, application: Any) -> None:
    """Asks until the engine answers; only then may anybody else."""
    while True:
        try:
            status = await ask_once(app, runtime.settings.served_name, application)
        except Exception:
            log.exception("the engine failed its first request; asking again")
        else:
            if status == OK:
                runtime.answering = True
                return
            log.error("the engine answered its first request with status %s; asking again", status)
        runtime.errors.add(names.WHERE_REQUEST)
        await asyncio.sleep(RETRY_SECONDS)


def take_sigterm(runtime: Runtime) -> None:
    """Puts our drain before vLLM's own end: vLLM set its handlers before the application started.

    SIGINT stays vLLM's, and is how its end is then begun.
    """
    loop = asyncio.get_running_loop()
    tasks: list[asyncio.Task[None]] = []

    def begin() -> None:
        runtime.fleet.mark_drain(runtime.clock.monotonic(), by_signal=True)
        if not tasks:
            tasks.append(loop.create_task(_end_when_empty(runtime)))

    loop.add_signal_handler(signal.SIGTERM, begin)


async def _end_when_empty(runtime: Runtime) -> None:
    deadline = runtime.clock.monotonic() + runtime.settings.drain_seconds
    log.info("SIGTERM: draining %d requests in flight", runtime.flights.count)
    # No event: the deadline is on the runtime's clock, and a tenth of a second costs nothing here.
    while (  # noqa: ASYNC110
        runtime.flights.count > 0 and runtime.clock.monotonic() < deadline
    ):
        await asyncio.sleep(POLL_SECONDS)
    log.info("drained, %d requests in flight; ending vLLM", runtime.flights.count)
    os.kill(os.getpid(), signal.SIGINT)
