"""A stand-in for llama-server on loopback, which answers as a test tells it to."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request, Any], Awaitable[web.StreamResponse]]
PAGE = """# HELP llamacpp:requests_deferred Number of requests deferred
# TYPE llamacpp:requests_deferred gauge
llamacpp:requests_deferred {deferred}
# HELP llamacpp:prompt_tokens_total Number of prompt tokens processed
# TYPE llamacpp:prompt_tokens_total counter
llamacpp:prompt_tokens_total 7
"""
IDLE = {"id": 0, "n_ctx": 1024, "speculative": False, "is_processing": False}


def busy(task: int, *, held: int = 0, prompt: int = 0, answer: int = 0) -> dict[str, Any]:
    """Returns a slot at work as llama-server tells of it."""
    return IDLE | {
        "is_processing": True,
        "id_task": task,
        "n_prompt_tokens": held,
        "n_prompt_tokens_processed": prompt,
        "n_prompt_tokens_cache": 0,
        "next_token": [{"n_decoded": answer, "has_next_token": True}],
    }


async def answer_at_once(request: web.Request, body: Any) -> web.StreamResponse:
    """Answers whatever is asked with one token."""
    usage = {"completion_tokens": 1, "prompt_tokens": 2, "total_tokens": 3}
    choice = {"text": "x", "index": 0, "finish_reason": "length"}
    # As tightly as llama-server writes it.
    text = json.dumps({"choices": [choice], "usage": usage}, separators=(",", ":"))
    return web.json_response(text=text)


@dataclass
class StubLlamaServer:
    """What it was asked, and what it will say; `port` is 0 while it does not listen."""

    slots: list[Any] = field(default_factory=lambda: [IDLE])
    deferred: Any = 0
    healthy: bool = True
    handler: Handler = answer_at_once
    port: int = 0
    asked: list[tuple[str, Any, dict[str, str]]] = field(default_factory=list)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    _runner: web.AppRunner | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listens, on the port that it had if it had one."""
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Is gone, as a process that was killed."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if not self.healthy:
            error = {"code": 503, "message": "Loading model", "type": "unavailable_error"}
            return web.json_response({"error": error}, status=503)
        if request.path == "/health":
            return web.json_response({"status": "ok"})
        if request.path == "/slots":
            return web.json_response(self.slots)
        if request.path == "/metrics":
            return web.Response(text=PAGE.format(deferred=self.deferred))
        if request.method == "GET":
            return web.json_response({"object": "list", "data": []})
        body = await request.json()
        self.asked.append((request.path, body, dict(request.headers)))
        try:
            return await self.handler(request, body)
        except (asyncio.CancelledError, ConnectionError):
            self.hung_up.set()
            raise


@asynccontextmanager
async def stub_llama_server() -> AsyncIterator[StubLlamaServer]:
    """Yields one that listens, and stops it."""
    stub = StubLlamaServer()
    await stub.start()
    try:
        yield stub
    finally:
        await stub.stop()
