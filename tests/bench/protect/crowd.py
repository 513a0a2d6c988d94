"""The clients: known sessions that talk turn after turn, and newcomers at a steady rate."""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp

from tests.bench.protect.settings import (
    FIRST_TURNS_SECONDS,
    KNOWN,
    KNOWN_SESSIONS,
    NEWCOMER,
    Size,
)
from tests.support.hostile_requests import SERVED_NAME

OK = 200


@dataclass
class Asked:
    """One request and what came of it. Times are monotonic seconds."""

    known: bool
    sent: float
    status: int | None = None
    reason: str = ""
    ticket: str = ""
    answered: float | None = None
    request_id: str = ""
    tokens_at: list[float] = field(default_factory=list)
    is_whole: bool = False
    ended: float | None = None


class Crowd:
    """Everybody who asks one server, and all that they asked."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self._number = itertools.count()
        self.asked: list[Asked] = []
        self._newcomers: set[asyncio.Task[Asked]] = set()
        self._stop = asyncio.Event()

    async def talk(self) -> None:
        """Takes turn after turn of one session until the crowd is told to stop."""
        ticket = ""
        while not self._stop.is_set():
            # Known is whoever was answered before, whether the server can tell or not.
            asked = await self.ask(KNOWN, known=bool(ticket), ticket=ticket)
            ticket = asked.ticket or ticket or ("none" if asked.is_whole else "")
            if asked.status != OK:
                await asyncio.sleep(0.5)

    async def ask(self, size: Size, *, known: bool, ticket: str = "") -> Asked:
        """Sends one streamed request and reads it to its end, whatever that is."""
        # A number first: no two prompts share a cached prefix.
        prompt = f"{next(self._number):06d}".ljust(size.prompt, "?")
        body = {
            "model": SERVED_NAME,
            "prompt": prompt,
            "max_tokens": size.answer,
            "ignore_eos": True,
            "stream": True,
        }
        headers = {"X-Session-Ticket": ticket} if ticket else {}
        asked = Asked(known, time.monotonic())
        self.asked.append(asked)
        try:
            async with self._session.post(self._url, json=body, headers=headers) as answer:
                asked.status, asked.answered = answer.status, time.monotonic()
                asked.reason = answer.headers.get("X-Rejected-Reason", "")
                asked.ticket = answer.headers.get("X-Session-Ticket", "")
                await _read(answer, asked)
        except aiohttp.ClientError as error:
            asked.reason = type(error).__name__
        finally:
            asked.ended = time.monotonic()
        return asked

    async def newcomers(self, seconds: float, per_second: float) -> None:
        """Lets newcomers come at this rate for so long; does not wait for their ends."""
        begun = time.monotonic()
        for number in range(int(seconds * per_second)):
            await asyncio.sleep(begun + number / per_second - time.monotonic())
            self._newcomers.add(asyncio.create_task(self.ask(NEWCOMER, known=False)))

    async def leave(self) -> None:
        """Lets all newcomers leave, whether they were answered or not."""
        for task in self._newcomers:
            task.cancel()
        await asyncio.gather(*self._newcomers, return_exceptions=True)

    def stop(self) -> None:
        """Lets the known sessions end with the turn they are in."""
        self._stop.set()


async def _read(answer: aiohttp.ClientResponse, asked: Asked) -> None:
    if answer.status != OK:
        await answer.read()
        return
    async for line in _lines(answer):
        if line == b"data: [DONE]":
            asked.is_whole = True
        elif line.startswith(b"data: "):
            event = json.loads(line[6:])
            if "error" in event:  # vLLM refuses and fails also after it has said 200
                asked.reason = f"error in the stream: {event['error'].get('message')}"
                continue
            asked.tokens_at.append(time.monotonic())
            asked.request_id = event["id"]


async def _lines(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    async for line in answer.content:
        if text := line.strip():
            yield text


async def begin_sessions(crowd: Crowd) -> list[asyncio.Task[None]]:
    """Begins the known sessions, one after another, and waits until each had its first answer."""
    tasks = []
    for _ in range(KNOWN_SESSIONS):
        tasks.append(asyncio.create_task(crowd.talk()))
        # So that their turns do not end together.
        await asyncio.sleep(0.4)
    async with asyncio.timeout(FIRST_TURNS_SECONDS):
        while sum(one.known for one in crowd.asked) < KNOWN_SESSIONS:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    return tasks
