"""What uvicorn runs: our middleware, the proxy inside it, and the watch over llama-server."""

import asyncio
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from aiohttp import ClientSession, TCPConnector

from vibethinker_server import names
from vibethinker_server.checkpoint.checkpoint_error import CheckpointError
from vibethinker_server.checkpoint.gguf_header import read_gguf_header
from vibethinker_server.early_sigterm import take_early_sigterm
from vibethinker_server.llama_cpp.proxy import Proxy
from vibethinker_server.llama_cpp.seats import Seats
from vibethinker_server.llama_cpp.statistics import (
    INTERVAL_SECONDS,
    EngineGoneError,
    EnginePage,
    Statistics,
    is_up,
    watch,
)
from vibethinker_server.middleware import VibeThinkerMiddleware
from vibethinker_server.request_body import Receive, Send
from vibethinker_server.runtime import Runtime
from vibethinker_server.warm_up import warm_up

log = logging.getLogger(__name__)


class Application:
    """An ASGI application, live once llama-server has loaded its model."""

    def __init__(self, runtime: Runtime, address: str, page: EnginePage) -> None:
        """Takes where llama-server listens, and the page that shows its series."""
        settings = runtime.settings
        self._runtime = runtime
        self._address = address
        self._seats = Seats(
            settings.max_num_seqs, settings.llama_context_tokens, runtime.clock.monotonic
        )
        self._statistics = Statistics(runtime, self._seats, page)
        self._proxy: Proxy | None = None
        self._outermost = VibeThinkerMiddleware(self._inside, runtime)
        # Where the middleware looks for the engine's backlog of prompts, as vLLM has it.
        engine = SimpleNamespace(get_num_queued_tokens=self._seats.backlog_tokens)
        self.state = SimpleNamespace(engine_client=engine)

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Serves one ASGI connection."""
        await self._outermost({**scope, "app": self}, receive, send)

    async def _inside(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._proxy is not None:
            await self._proxy(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        # Until the start is over, uvicorn's handler would only note a SIGTERM.
        take_early_sigterm()
        # Each request has a connection of its own: one that is kept may be closed under the next.
        connector = TCPConnector(limit=0, force_close=True)
        async with ClientSession(f"http://{self._address}", connector=connector) as session:
            self._proxy = Proxy(self._runtime, self._seats, self._statistics, session)
            await self._until_up(session)
            watching = asyncio.create_task(self._watch(session))
            await send({"type": "lifespan.startup.complete"})
            await receive()
            watching.cancel()
        await send({"type": "lifespan.shutdown.complete"})

    async def _until_up(self, session: ClientSession) -> None:
        # No event: llama-server tells nobody that it is up.
        while not await is_up(session):  # noqa: ASYNC110
            await asyncio.sleep(INTERVAL_SECONDS)
        token_bytes = await asyncio.to_thread(self._read_token_bytes)
        self._runtime.stats.start(self._runtime.settings.llama_context_tokens, token_bytes)

    def _read_token_bytes(self) -> int | None:
        try:
            return read_gguf_header(Path(self._runtime.settings.model), None).kv_token_bytes
        except CheckpointError:
            what = "the model's header could not be read; the KV pool's bytes are unknown"
            self._runtime.count_error(names.WHERE_ENGINE_STATS, log, what)
            return None

    async def _watch(self, session: ClientSession) -> None:
        """Keeps the load known; where llama-server is gone, waits for it and warms it up anew."""
        warming: asyncio.Task[None] | None = None
        while True:
            try:
                await watch(self._runtime, self._statistics, session)
            except EngineGoneError:
                log.error("llama-server is gone; nobody is let in until it answers again")  # noqa: TRY400 (there is nothing more to see)
            if warming is not None:
                warming.cancel()
            self._runtime.answering = self._runtime.stats.initialized = False
            await self._until_up(session)
            warming = asyncio.create_task(warm_up(self._runtime, self._inside, self))
