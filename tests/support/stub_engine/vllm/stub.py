"""The stub's engine: a scheduler in steps, so that queues, KV use and answers behave as vLLM's do.

Shaped by the environment: STUB_START_SECONDS (until the engine is up), STUB_STEP_SECONDS (every
running request gets one token a step), STUB_ANSWER_TOKENS (an answer stops there, unless its cap
comes first), STUB_BYTES_PER_TOKEN of KV, STUB_OVERHEAD_BYTES (weights and the rest on a GPU).
"""

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count
from time import monotonic
from types import SimpleNamespace
from typing import Any


def setting(name: str, default: float) -> float:
    """Returns the number in the environment variable STUB_`name`."""
    return float(os.environ.get(f"STUB_{name}", default))


@dataclass
class Request:
    """One request in the engine."""

    priority: int
    arrival: int
    prompt_tokens: int
    max_tokens: int
    arrived_at: float = field(default_factory=monotonic)
    tokens: asyncio.Queue[str | None] = field(default_factory=asyncio.Queue)
    generated: int = 0
    finish_reason: str | None = None
    gone: bool = False


class Engine:
    """Runs at most `max_num_seqs` requests within the pool; the rest wait, best priority first."""

    def __init__(self, pool_bytes: int, block_size: int, max_num_seqs: int) -> None:
        self.bytes_per_token = int(setting("BYTES_PER_TOKEN", 28_672))
        self.block_size, self.max_num_seqs = block_size, max_num_seqs
        self.blocks = max(1, pool_bytes // (block_size * self.bytes_per_token))
        self.running: list[Request] = []
        self.waiting: list[Request] = []
        # Set and read from outside, for tests: see the stub's own door.
        self.kv_usage: float | None = None
        self.steps_left: int | None = None
        self.bodies: deque[Any] = deque(maxlen=100)
        self.stopping = False
        self.loggers: list[Any] = []
        self.finished: list[Request] = []
        self._arrivals = count()
        self._work = asyncio.Event()
        # What the stat logger and the middleware read of vLLM's configuration and client.
        item = SimpleNamespace(itemsize=2)
        model = SimpleNamespace(
            dtype=item,
            get_num_layers=lambda parallel: 1,
            get_num_kv_heads=lambda parallel: 1,
            get_head_size=lambda: self.bytes_per_token // 4,
        )
        cache = SimpleNamespace(
            num_gpu_blocks=self.blocks, block_size=block_size, cache_dtype="auto"
        )
        self.vllm_config = SimpleNamespace(
            model_config=model, cache_config=cache, parallel_config=None
        )

    def get_num_queued_tokens(self) -> int:
        """Returns the prompt tokens of requests without a token, as AsyncLLM does."""
        return sum(one.prompt_tokens for one in self.waiting + self.running if not one.generated)

    async def generate(self, priority: int, prompt_tokens: int, limit: int) -> AsyncIterator[str]:
        """Yields the answer's tokens; the last item is the finish reason."""
        if self.stopping:
            raise RuntimeError("cannot schedule new futures after shutdown")
        request = Request(priority, next(self._arrivals), prompt_tokens, limit)
        self.waiting.append(request)
        self._work.set()
        try:
            while (token := await request.tokens.get()) is not None:
                yield token
            yield request.finish_reason or "stop"
        finally:
            request.gone = True

    async def run(self) -> None:
        """Steps for ever, and waits while there is nothing to do."""
        while True:
            await self._work.wait()
            await asyncio.sleep(setting("STEP_SECONDS", 0.05))
            if self.steps_left == 0:
                continue
            if self.steps_left is not None:
                self.steps_left -= 1
            self.step()
            if not self.running and not self.waiting:
                self._work.clear()

    def step(self) -> None:
        """Schedules, gives every running request one token, and reports."""
        self.waiting = [one for one in self.waiting if not one.gone]
        self.running = [one for one in self.running if not one.gone]
        self.waiting.sort(key=lambda one: (one.priority, one.arrival))
        while self.waiting and len(self.running) < self.max_num_seqs:
            if self._used(self.running) + self._used(self.waiting[:1]) > self.blocks:
                break
            self.running.append(self.waiting.pop(0))
        for request in list(self.running):
            self._advance(request)
        while len(self.running) > 1 and self._used(self.running) > self.blocks:
            victim = max(self.running, key=lambda one: (one.priority, one.arrival))
            self.running.remove(victim)
            self.waiting.insert(0, victim)
        self._report()

    def _advance(self, request: Request) -> None:
        request.generated += 1
        request.tokens.put_nowait(f"word{request.generated} ")
        if request.generated >= request.max_tokens:
            request.finish_reason = "length"
        elif request.generated >= setting("ANSWER_TOKENS", 64):
            request.finish_reason = "stop"
        if request.finish_reason:
            self.running.remove(request)
            self.finished.append(request)
            request.tokens.put_nowait(None)

    def _used(self, requests: list[Request]) -> int:
        return sum(-(-(one.prompt_tokens + one.generated) // self.block_size) for one in requests)

    def _report(self) -> None:
        usage = min(1.0, self._used(self.running) / self.blocks)
        scheduler = SimpleNamespace(
            num_running_reqs=len(self.running),
            num_waiting_reqs=len(self.waiting),
            num_skipped_waiting_reqs=0,
            kv_cache_usage=usage if self.kv_usage is None else self.kv_usage,
        )
        finished = [
            SimpleNamespace(
                num_prompt_tokens=one.prompt_tokens, num_generation_tokens=one.generated
            )
            for one in self.finished
        ]
        begun = [one for one in self.running + self.finished if one.generated == 1]
        iteration = SimpleNamespace(
            finished_requests=finished,
            num_prompt_tokens=sum(one.prompt_tokens for one in begun),
            time_to_first_tokens_iter=[monotonic() - one.arrived_at for one in begun],
        )
        self.finished = []
        for logger in self.loggers:
            logger.record(scheduler_stats=scheduler, iteration_stats=iteration, engine_idx=0)
