"""Requests held back until a window ends, and sent then; times count from the run's beginning."""

import asyncio
import itertools
import time
from collections.abc import Sequence

import aiohttp

from tests.bench.batching.figures import Answer
from tests.support.hostile_requests import SERVED_NAME

ANSWER_TOKENS = 32
PROMPT_CHARACTERS = 60
_numbers = itertools.count()


def release_times(arrivals: Sequence[float], window: float) -> list[float]:
    """Returns when each arrival is sent: the first one opens a window, all in it leave at its end.

    Args:
        arrivals: seconds, ascending.
        window: seconds; 0 sends each at once.
    """
    releases: list[float] = []
    for arrival in arrivals:
        if not releases or arrival > releases[-1]:
            releases.append(arrival + window)
        else:
            releases.append(releases[-1])
    return releases


async def send_all(
    session: aiohttp.ClientSession, url: str, arrivals: Sequence[float], releases: Sequence[float]
) -> list[Answer]:
    """Sends each request at its release; waits for all answers."""
    began = time.monotonic()
    pairs = zip(arrivals, releases, strict=True)
    return list(
        await asyncio.gather(*(_send(session, url, began, pair[0], pair[1]) for pair in pairs))
    )


async def _send(
    session: aiohttp.ClientSession, url: str, began: float, arrival: float, release: float
) -> Answer:
    await asyncio.sleep(began + release - time.monotonic())
    body = {
        "model": SERVED_NAME,
        # A number first: no two prompts share a cached prefix.
        "prompt": f"{next(_numbers):06d}".ljust(PROMPT_CHARACTERS, "?"),
        "max_tokens": ANSWER_TOKENS,
        "ignore_eos": True,
        "stream": True,
    }
    async with session.post(url, json=body) as answer:
        answer.raise_for_status()
        first = None
        async for chunk in answer.content.iter_any():
            if chunk and first is None:
                first = time.monotonic() - began
    if first is None:
        raise RuntimeError("an answer of 200 had no byte in it")
    return Answer(arrival, first, time.monotonic() - began)
