"""Against a real HTTP server on loopback that speaks as the product's pods do."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.demo.chat import CHAT_PATH, Answer, ask, open_user

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture
async def serve() -> AsyncIterator[Callable[[Handler], Awaitable[str]]]:
    servers = []

    async def start(handler: Handler) -> str:
        app = web.Application()
        app.router.add_post(CHAT_PATH, handler)
        server = TestServer(app)
        await server.start_server()
        servers.append(server)
        return str(server.make_url("/"))

    yield start
    for server in servers:
        await server.close()


async def stream(
    request: web.Request, *events: Mapping[str, object], done: bool = True
) -> web.StreamResponse:
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream",
            "X-Served-By": "pod-1",
            "X-Session-Ticket": "t-1",
            "Connection": "close",
        }
    )
    await response.prepare(request)
    for event in events:
        await response.write(f"data: {json.dumps(event)}\n\n".encode())
    if done:
        await response.write(b"data: [DONE]\n\n")
        await response.write_eof()
    elif request.transport:
        request.transport.abort()
    return response


def piece(text: str, finish: str | None = None) -> dict[str, object]:
    return {"choices": [{"delta": {"content": text}, "finish_reason": finish}]}


async def ask_once(url: str, ticket: str = "") -> tuple[Answer, list[str]]:
    seen: list[str] = []
    clock = iter(range(100))
    async with open_user(url) as http:
        answer = await ask(
            http,
            {"model": "m"},
            ticket=ticket,
            clock=lambda: float(next(clock)),
            on_first_byte=lambda: seen.append("first"),
        )
    return answer, seen


async def test_a_stream_is_read_to_its_end(serve):
    usage = {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2}}

    async def talk(request: web.Request) -> web.StreamResponse:
        return await stream(request, piece("a"), piece("b", "length"), usage)

    url = await serve(talk)
    answer, seen = await ask_once(url)
    assert answer.complete
    assert (answer.pod, answer.ticket, answer.text, answer.closed) == ("pod-1", "t-1", "ab", True)
    assert (answer.prompt_tokens, answer.completion_tokens) == (7, 2)
    assert answer.first_byte == 0.0
    assert seen == ["first"]


async def test_a_cut_stream_is_not_complete_and_keeps_its_status(serve):
    async def cut(request: web.Request) -> web.StreamResponse:
        return await stream(request, piece("a"), done=False)

    url = await serve(cut)
    answer, _ = await ask_once(url)
    assert (answer.status, answer.finish_reason, answer.complete) == (200, "", False)
    assert answer.error


async def test_a_refusal_keeps_its_wait_and_its_reason(serve):
    async def refuse(request: web.Request) -> web.Response:
        headers = {"Retry-After": "9", "X-Rejected-Reason": "memory_line", "X-Served-By": "pod-2"}
        return web.Response(status=429, headers=headers, text="{}")

    answer, seen = await ask_once(await serve(refuse))
    assert (answer.status, answer.retry_after, answer.wait_seconds) == (429, "9", 9)
    assert (answer.rejected_reason, answer.pod, seen) == ("memory_line", "pod-2", [])


async def test_the_ticket_is_sent_back(serve):
    tickets = []

    async def note(request: web.Request) -> web.StreamResponse:
        tickets.append(request.headers.get("X-Session-Ticket"))
        return await stream(request, piece("a", "stop"))

    url = await serve(note)
    await ask_once(url)
    await ask_once(url, ticket="t-1")
    assert tickets == [None, "t-1"]


async def test_nobody_there_is_no_status(unused_tcp_port: int):
    answer, _ = await ask_once(f"http://127.0.0.1:{unused_tcp_port}")
    assert answer.status is None
    assert "ClientConnector" in answer.error


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7), ("", 1), ("3600", 60), ("1.5", 1), ("-4", 1)]
)
def test_a_wait_is_obeyed_within_bounds(header: str, seconds: int):
    assert Answer(retry_after=header).wait_seconds == seconds


async def test_asking_ends_when_cancelled(serve):
    async def never(request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    task = asyncio.create_task(ask_once(await serve(never)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
