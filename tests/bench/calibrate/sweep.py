"""The sweep: batch x context x chunk, with what a request costs before it is in the engine."""

import asyncio
import time
from dataclasses import dataclass
from statistics import median
from typing import Final

from tests.bench.calibrate.client import Cell, Client, connected
from tests.bench.calibrate.fitting import SPAN_SECONDS, Span
from tests.bench.calibrate.learning import Page
from tests.bench.calibrate.rig import Rig
from tests.bench.calibrate.step_log import spans

CELL_SECONDS: Final = 4.0
# Long answers: steps that decode, by batch and context.
DECODING: Final = [
    (clients, prompt, 48)
    for clients, prompt in (
        (1, 32), (2, 32), (4, 32), (8, 32), (12, 32), (16, 32),
        (1, 400), (4, 400), (8, 400), (16, 400), (1, 1600), (4, 1600), (1, 3200),
    )
]  # fmt: skip
# Answers of one token: prompts, by the chunk that a step computes and what is before it.
PROMPTS: Final = [(2, prompt, 1) for prompt in (24, 64, 128, 256, 512, 1200, 3000)]
MIXED: Final = [(3, 300, 16), (8, 300, 24), (16, 200, 24), (16, 64, 12)]
ALONE_ROUNDS: Final = 20
ALONE_PROMPT: Final = 256


@dataclass(frozen=True)
class Swept:
    """What the sweep brought.

    Attributes:
        spans: Of the engine's steps; none reaches over two cells.
        pages: The small page, as the operator reads it, beside them.
        steps: Steps in the log.
        front_seconds: From sending a request until its first token, less its step, when idle.
    """

    spans: list[Span]
    pages: list[Page]
    steps: int
    front_seconds: float


def sweep(rig: Rig) -> Swept:
    """Runs all cells, one after another; the engine is idle between them."""
    pages: list[Page] = []
    begun = time.monotonic()
    return asyncio.run(_sweep(rig, pages, begun))


async def _sweep(rig: Rig, pages: list[Page], begun: float) -> Swept:
    found: list[Span] = []
    async with connected(rig, pages) as client:
        await client.fill(Cell(16, 64, 8, 2.0))  # what is compiled or allocated first
        front = await _measure_front(rig, client)
        for clients, prompt, answer in (*DECODING, *PROMPTS, *MIXED):
            began = time.monotonic()
            await client.fill(Cell(clients, prompt, answer, CELL_SECONDS))
            found += spans(rig.steps(began, time.monotonic()), SPAN_SECONDS)
    return Swept(found, pages, len(rig.steps(begun, time.monotonic())), front)


async def _measure_front(rig: Rig, client: Client) -> float:
    extra = []
    for _ in range(ALONE_ROUNDS):
        began = time.monotonic()
        answer = await client.ask(ALONE_PROMPT, 1)
        await asyncio.sleep(0.05)  # its step is in the log
        steps = rig.steps(began, time.monotonic())
        extra.append(answer.first_token - answer.sent - sum(step.seconds for step in steps))
    return median(extra)
