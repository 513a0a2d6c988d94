"""The application inside our middleware: what is asked goes to llama-server, its answer comes back.

Only requests that the middleware let in get here. A client that leaves takes its request along: the
connection to llama-server is closed, which ends the work there.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Any

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
from pydantic_core import from_json, to_json

from vibethinker_server import names
from vibethinker_server.llama_cpp.answers import (
    TAIL_BYTES,
    complete_response,
    read_tokens,
    translate_error,
)
from vibethinker_server.llama_cpp.seats import Need, Seat, Seats
from vibethinker_server.llama_cpp.statistics import Statistics
from vibethinker_server.llama_cpp.translation import Ask, translate
from vibethinker_server.openai_errors import OpenAIError, render_error
from vibethinker_server.profiles import Isolation
from vibethinker_server.request_body import Headers, Message, Receive, Send
from vibethinker_server.routes import ROUTES, Api
from vibethinker_server.runtime import Runtime

FAILED = 400
# An answer may take as long as its cap does; only to reach a neighbour takes no time.
FOREVER = ClientTimeout(total=None, sock_connect=5.0)
# llama-server looks once a second whether a client is still there; until then it holds its slot.
LEAVING_SECONDS = 1.5
# What the chat template adds to a prompt at most, beside what is written in it.
TEMPLATE_TOKENS = 64
GONE = OpenAIError(503, "The engine does not answer; it is being started again.", "engine_gone")

log = logging.getLogger(__name__)


class Proxy:
    """A plain ASGI application for HTTP requests."""

    def __init__(
        self, runtime: Runtime, seats: Seats, statistics: Statistics, session: ClientSession
    ) -> None:
        self._runtime = runtime
        self._seats = seats
        self._statistics = statistics
        self._session = session

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Serves one request to its end, or until its client has left."""
        body = await _read_body(receive)
        work = asyncio.create_task(self._answer(scope, body, send))
        gone = asyncio.create_task(_until_gone(receive))
        try:
            await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
        finally:
            await _end(work)
            await _end(gone)

    async def _answer(self, scope: Any, body: bytes, send: Send) -> None:
        api = ROUTES[scope["path"]].api
        try:
            if api is None:
                await self._fetch(scope["path"], send)
                return
            ask = translate(
                api,
                from_json(body),
                max_new_tokens=self._runtime.max_new_tokens,
                shares=shares_prefixes(self._runtime),
            )
            seat = await self._seats.take(_priority(scope["headers"]), self._need(ask, len(body)))
        except OpenAIError as error:
            await _send_whole(send, error.status, render_error(error))
            return
        await self._generate(scope["path"], ask, seat, send)

    async def _fetch(self, path: str, send: Send) -> None:
        try:
            async with self._session.get(path, timeout=FOREVER) as answer:
                await _send_whole(send, answer.status, await answer.read())
        except ClientError:
            raise GONE from None

    async def _generate(self, path: str, ask: Ask, seat: Seat, send: Send) -> None:
        sent = _Sent(send)
        try:
            headers = {"content-type": "application/json"}
            body = to_json(ask.body)
            asked = self._session.post(path, data=body, headers=headers, timeout=FOREVER)
            async with asked as answer:
                await self._pass_on(ask, seat, answer, sent)
        except ClientError as error:
            log.warning("llama-server broke off an answer: %s", error)
            if sent.began:
                raise  # what was cut must not look whole
            await _send_whole(sent, GONE.status, render_error(GONE))
        finally:
            self._leave(seat, at_once=sent.ended)

    async def _pass_on(self, ask: Ask, seat: Seat, answer: ClientResponse, send: Send) -> None:
        if answer.status >= FAILED:
            await _send_whole(send, *translate_error(answer.status, await answer.read()))
            return
        if not ask.streams:
            whole = await answer.read()
            self._count(seat, whole[-TAIL_BYTES:])
            if ask.api is Api.RESPONSES:
                whole = complete_response(whole, ask.limit)
            await _send_whole(send, answer.status, whole)
            return
        await send(_start(answer.status, [(b"content-type", b"text/event-stream")]))
        tail = b""
        async for chunk in answer.content.iter_any():
            tail = (tail + chunk)[-TAIL_BYTES:]
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        self._count(seat, tail)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _count(self, seat: Seat, tail: bytes) -> None:
        tokens = read_tokens(tail)
        if tokens is not None:
            self._statistics.add_finished(seat, *tokens)

    def _leave(self, seat: Seat, *, at_once: bool) -> None:
        if at_once:
            self._seats.leave(seat)
        else:
            asyncio.get_running_loop().call_later(LEAVING_SECONDS, self._seats.leave, seat)

    def _need(self, ask: Ask, body_bytes: int) -> Need:
        """Returns what a request takes at most: no token is shorter than a byte."""
        longest = ask.sequences * self._runtime.settings.max_model_len
        tokens = body_bytes + ask.sequences * (ask.limit + TEMPLATE_TOKENS)
        likely = round(body_bytes / self._runtime.stats.sizes.bytes_per_token)
        return Need(ask.sequences, min(longest, tokens), likely)


def shares_prefixes(runtime: Runtime) -> bool:
    """Tells whether prompts may be answered from what earlier ones left in a slot.

    llama-server keeps no salt with it: what an isolated session leaves, anybody would find. So
    nobody shares as soon as one profile isolates.
    """
    profiles = runtime.fleet.policy.profiles
    return all(profile.isolation is Isolation.NONE for profile in profiles)


def _priority(headers: Headers) -> int:
    return int(dict(headers).get(names.HEADER_VLLM_PRIORITY, b"0"))


class _Sent:
    """A `send` that knows how far the answer got."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.began = False
        self.ended = False

    async def __call__(self, message: Message) -> None:
        self.began = True
        self.ended = message["type"] == "http.response.body" and not message.get("more_body")
        await self._send(message)


async def _read_body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _end(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await task


def _start(status: int, headers: Headers) -> Message:
    return {"type": "http.response.start", "status": status, "headers": headers}


async def _send_whole(send: Send, status: int, body: bytes) -> None:
    length = str(len(body)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", length)]
    await send(_start(status, headers))
    await send({"type": "http.response.body", "body": body})
