"""The end of the application's life by SIGTERM: a drain before vLLM's own end."""

import asyncio
import logging
import os
import signal

from vibethinker_server.runtime import Runtime

POLL_SECONDS = 0.1

log = logging.getLogger(__name__)


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
    log.info("drained, %d requests in flight; ending the server", runtime.flights.count)
    os.kill(os.getpid(), signal.SIGINT)
