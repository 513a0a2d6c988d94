"""The bare application: answers as vLLM does, whole or in chunks, and computes nothing.

Every contestant stands around this one or before it. Needs nothing but the standard library.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any

ANSWER = json.dumps(
    {
        "id": "chatcmpl-0123456789abcdef0123456789abcdef",
        "object": "chat.completion",
        "created": 1_800_000_000,
        "model": "vibethinker-1.5b",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "word " * 64, "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 300, "completion_tokens": 64, "total_tokens": 364},
    },
    separators=(",", ":"),
).encode()
REFUSAL = json.dumps(
    {
        "error": {
            "message": "Memory is above its line: known sessions go on, new ones must wait. "
            "Try again in 12 s.",
            "type": "rate_limit_error",
            "param": None,
            "code": "memory_line",
        }
    }
).encode()
TICKET = b"x-session-ticket"
STEP_SECONDS = 0.05
HELD_CHUNKS = 4
LAST_CHUNKS = 2  # one with the finish reason, and [DONE]


def _chunk(delta: dict[str, str], reason: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
    document = {
        "id": "chatcmpl-0123456789abcdef0123456789abcdef",
        "object": "chat.completion.chunk",
        "created": 1_800_000_000,
        "model": "vibethinker-1.5b",
        "choices": [choice],
    }
    return b"data: " + json.dumps(document, separators=(",", ":")).encode() + b"\n\n"


CHUNK = _chunk({"content": " word"}, None)
LAST = _chunk({"content": ""}, "stop")
DONE = b"data: [DONE]\n\n"


def _nothing() -> None:
    """What most contestants make of a step of the engine."""


class StubApp:
    """Streams as many chunks as the body's max_tokens says; `held`: a few, and then waits.

    As in vLLM, the engine's steps come through the same event loop: `on_step` is called for each.
    """

    def __init__(self, *, held: bool = False, on_step: Callable[[], None] = _nothing) -> None:
        self._held = held
        self._on_step = on_step

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serves one ASGI connection."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["method"] == "GET":
            await answer(send, 200, b'{"object":"list","data":[{"id":"vibethinker-1.5b"}]}')
        else:
            request = json.loads(await read(receive))
            if request.get("stream"):
                await self._stream(request["max_tokens"], receive, send)
            else:
                await answer(send, 200, ANSWER)

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        ending = asyncio.ensure_future(receive())
        while not ending.done():
            self._on_step()
            await asyncio.wait([ending], timeout=STEP_SECONDS)
        await send({"type": "lifespan.shutdown.complete"})

    async def _stream(self, chunks: int, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for _ in range(HELD_CHUNKS if self._held else chunks):
            await _send_chunk(send, CHUNK)
            # Tokens come one by one from another process, so never two in one turn of the loop.
            await asyncio.sleep(0)
        while self._held:
            if (await receive())["type"] == "http.disconnect":
                return
        await _send_chunk(send, LAST)
        await _send_chunk(send, DONE)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class RefusingApp:
    """The floor of a refusal: whoever shows no ticket gets 429 as soon as the body is read."""

    def __init__(self, app: Any, *, close: bool) -> None:
        self._app = app
        self._close = [(b"connection", b"close")] if close else []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serves one ASGI connection."""
        refused = scope["type"] == "http" and scope["method"] == "POST"
        if not refused or any(name == TICKET for name, _ in scope["headers"]):
            await self._app(scope, receive, send)
            return
        await read(receive)
        await answer(send, 429, REFUSAL, [(b"retry-after", b"12"), *self._close])


async def read(receive: Any) -> bytes:
    """Returns the whole body of a request."""
    body: bytes = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


async def answer(
    send: Any, status: int, body: bytes, headers: list[tuple[bytes, bytes]] | None = None
) -> None:
    """Sends one JSON answer."""
    fixed = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    start = {"type": "http.response.start", "status": status, "headers": fixed + (headers or [])}
    await send(start)
    await send({"type": "http.response.body", "body": body})


async def _send_chunk(send: Any, chunk: bytes) -> None:
    await send({"type": "http.response.body", "body": chunk, "more_body": True})
