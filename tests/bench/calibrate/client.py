"""Asks the engine over HTTP: cells of the sweep, and a trace at its times."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from vibethinker_simulator.trace import Trace

from tests.bench.calibrate.learning import Page
from tests.bench.calibrate.rehearsal import LOOK_SECONDS
from tests.bench.calibrate.rig import Rig, policy
from tests.bench.calibrate.served import Answer
from tests.e2e.engine_process import TOKEN
from tests.support.hostile_requests import SERVED_NAME


class RefusedError(RuntimeError):
    """The server refused or failed a request: the run says nothing."""


@dataclass(frozen=True)
class Cell:
    """So many clients that each ask again and again: tokens of prompt and answer, for a while."""

    clients: int
    prompt: int
    answer: int
    seconds: float


class Client:
    """One run's requests; no two prompts begin alike."""

    def __init__(self, session: aiohttp.ClientSession, rig: Rig) -> None:
        self._session = session
        self._rig = rig
        self._number = itertools.count()

    async def ask(self, prompt: int, tokens: int) -> Answer:
        """Sends one streamed request and reads it to its end.

        A digit is a token, and so is the rig's word; the answer ends at max_tokens and nowhere
        else.
        """
        digits = f"{next(self._number):06d}"[:prompt]
        body = {
            "model": SERVED_NAME,
            "prompt": digits + self._rig.word * (prompt - len(digits)),
            "max_tokens": tokens,
            "ignore_eos": True,
            "stream": True,
        }
        sent, first, last, is_whole = time.monotonic(), 0.0, 0.0, False
        url = self._rig.engine.url("/v1/completions")
        async with self._session.post(url, json=body) as answer:
            if answer.status != 200:
                raise RefusedError(f"{answer.status}: {(await answer.text())[:300]}")
            async for line in answer.content:
                if line.startswith(b"data: [DONE]"):
                    is_whole = True
                elif line.startswith(b"data: "):
                    last = time.monotonic()
                    first = first or last
        if not is_whole or not first:
            raise RefusedError("an answer did not end whole")
        return Answer(sent, first, last, tokens)

    async def fill(self, cell: Cell) -> None:
        """Keeps a cell's clients asking for its time; the last answers are waited for."""
        until = time.monotonic() + cell.seconds

        async def talk() -> None:
            while time.monotonic() < until:
                await self.ask(cell.prompt, cell.answer)

        await asyncio.gather(*(talk() for _ in range(cell.clients)))

    async def replay(self, trace: Trace) -> list[Answer]:
        """Sends each request of a trace at its time; returns the answers."""
        begun = time.monotonic()
        tasks = []
        for request in trace.requests:
            await asyncio.sleep(begun + request.time - time.monotonic())
            asked = self.ask(request.prompt_tokens, request.output_tokens)
            tasks.append(asyncio.create_task(asked))
        return list(await asyncio.gather(*tasks))

    async def read_pages(self, pages: list[Page], every: float) -> None:
        """Reads the small page again and again, as the operator does, until cancelled."""
        body = {
            "policy": policy(),
            "lease": {
                "growth": "CanGrow",
                "reliefSeconds": None,
                "moveConnections": False,
                "ttlSeconds": 10,
            },
        }
        headers = {"Authorization": f"Bearer {TOKEN}"}
        url = self._rig.engine.ops("/-/fleet")
        for look in itertools.count():
            if look == 0:
                begun = time.monotonic()
            await asyncio.sleep(begun + look * every - time.monotonic())
            async with self._session.post(url, json=body, headers=headers) as answer:
                pages.append(Page(time.monotonic(), await answer.text()))


@asynccontextmanager
async def connected(rig: Rig, pages: list[Page]) -> AsyncIterator[Client]:
    """Yields a client, while the small page is read beside it into `pages`."""
    timeout = aiohttp.ClientTimeout(total=600)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        client = Client(session, rig)
        reading = asyncio.create_task(client.read_pages(pages, LOOK_SECONDS))
        try:
            yield client
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
