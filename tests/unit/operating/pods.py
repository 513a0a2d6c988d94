"""Real servers on loopback in the place of a pod's ops port, good and broken ones."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web
from vibethinker_operator.scrape import Target

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
MESSAGE = {"policy": {"generation": 3}, "lease": {"growth": "CanGrow"}}
PAGE = "vibethinker_request_queue_length 3\nvibethinker_requests_running 17\n"


def make_target(url: str, uid: str = "a") -> Target:
    return Target(uid, url, "s3cret", MESSAGE)


@contextlib.asynccontextmanager
async def serve(handler: Handler, uid: str = "a") -> AsyncIterator[Target]:
    """A pod that answers every request with `handler`."""
    server = web.Server(handler)  # type: ignore[arg-type]
    runner = web.ServerRunner(server, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        yield make_target(f"http://{host}:{port}", uid)
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def speak(said: bytes, *, hold: bool = False) -> AsyncIterator[Target]:
    """A pod that says `said` whatever it is asked, and then hangs up, or holds the line."""
    done = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        if hold:
            await done.wait()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    try:
        yield make_target(f"http://{host}:{port}")
    finally:
        done.set()
        server.close()
        await server.wait_closed()


def always(body: bytes | str = PAGE, **how: object) -> Handler:
    async def answer(_request: web.Request) -> web.Response:
        page = body if isinstance(body, bytes) else body.encode()
        return web.Response(body=page, **how)  # type: ignore[arg-type]

    return answer
