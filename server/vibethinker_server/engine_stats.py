"""What the engine says of itself, step by step, through guarded reads.

vLLM calls its statistics classes unstable, so every attribute is read with suspicion: whatever is
missing or senseless makes the load unknown, is counted, and never reaches the engine as an error.
"""

from math import isfinite
from typing import Any

from vibethinker_server import names
from vibethinker_server.first_token import PromptRate
from vibethinker_server.load import EngineReading
from vibethinker_server.recent_count import WINDOW_SECONDS, RecentCount
from vibethinker_server.request_size import RequestSizes
from vibethinker_server.tally import Tally

# Bytes of one KV element by the start of vLLM's cache_dtype; "auto" is the model's own type.
KV_ITEM_BYTES = {"fp8": 1, "int8": 1, "bfloat16": 2, "float16": 2, "half": 2}


class EngineStats:
    """Holds the newest reading; written by the event loop, read by the ops threads."""

    def __init__(self, errors: Tally) -> None:
        self._errors = errors
        self._finished = RecentCount()
        self._started_at: float | None = None
        self.initialized = False
        self.pool_bytes: int | None = None
        self.pool_tokens: int | None = None
        self.token_bytes: int | None = None
        self.sizes = RequestSizes()
        self.prompt_rate = PromptRate()
        self.reading: EngineReading | None = None
        self.steps = 0
        self.finished = 0
        # None: the engine does not say.
        self.prompt_tokens: int | None = None
        self.generation_tokens: int | None = None

    def initialize(self, vllm_config: Any) -> None:
        """Notes that the engine is up, idle, with the pool that `vllm_config` describes."""
        try:
            pool_tokens = read_pool_tokens(vllm_config)
            self.start(pool_tokens, read_token_bytes(vllm_config))
        except Exception:
            self._errors.add(names.WHERE_ENGINE_STATS)
        self.initialized = True

    def start(self, pool_tokens: int, token_bytes: int | None) -> None:
        """Notes that the engine is up, idle, with a pool of so many tokens.

        Args:
            pool_tokens: that its KV pool holds.
            token_bytes: of one token's KV, None: not known.
        """
        self.pool_tokens = pool_tokens
        self.token_bytes = token_bytes
        self.pool_bytes = None if token_bytes is None else pool_tokens * token_bytes
        self.reading = EngineReading(running=0, waiting=0, kv_usage_ratio=0.0)
        self.initialized = True

    def record(
        self, scheduler_stats: Any, iteration_stats: Any, now: float, backlog: int | None = None
    ) -> None:
        """Takes the statistics of one engine step; either may be None. Never raises.

        Args:
            scheduler_stats: vLLM's SchedulerStats.
            iteration_stats: vLLM's IterationStats.
            now: monotonic seconds.
            backlog: prompt tokens without a first token after the step, None: not known.
        """
        try:
            self.steps += 1
            if scheduler_stats is not None:
                self.reading = read_scheduler(scheduler_stats)
            if iteration_stats is not None:
                self.count_finished(len(iteration_stats.finished_requests), now)
                self._count_tokens(iteration_stats)
        except Exception:
            self.reading = None
            self._errors.add(names.WHERE_ENGINE_STATS)
        if iteration_stats is not None:
            self._learn(iteration_stats, now, backlog)

    def observe(self, scheduler_stats: Any) -> None:
        """Takes what the scheduler says where no step was taken. Never raises."""
        try:
            self.reading = read_scheduler(scheduler_stats)
        except Exception:
            self.reading = None
            self._errors.add(names.WHERE_ENGINE_STATS)

    def count_finished(self, count: int, now: float) -> None:
        """Counts requests that finished at `now`, in monotonic seconds; with 0 the count begins."""
        if self._started_at is None:
            self._started_at = now
        if count == 0:
            return
        self.finished += count
        self._finished.add(count, now)

    def count_recent(self, now: float) -> int:
        """Returns how many requests finished in the last minute."""
        return self._finished.total(now)

    def finished_per_second(self, now: float) -> float | None:
        """Returns requests finished per second of the last minute, None when none was."""
        recent = self.count_recent(now)
        if not recent or self._started_at is None:
            return None
        return recent / max(1.0, min(WINDOW_SECONDS, now - self._started_at))

    def _count_tokens(self, iteration_stats: Any) -> None:
        generated = getattr(iteration_stats, "num_generation_tokens", None)
        if generated is not None:
            self.generation_tokens = (self.generation_tokens or 0) + int(generated)
            prompts = int(iteration_stats.num_prompt_tokens)
            self.prompt_tokens = (self.prompt_tokens or 0) + prompts

    def _learn(self, iteration_stats: Any, now: float, backlog: int | None) -> None:
        """Folds what guesses are made from: without it the load is known all the same."""
        try:
            for request in iteration_stats.finished_requests:
                self.sizes.add_finished(request.num_prompt_tokens, request.num_generation_tokens)
            if backlog is not None:
                longest = max(iteration_stats.time_to_first_tokens_iter, default=0.0)
                tokens = iteration_stats.num_prompt_tokens
                self.prompt_rate.add_step(now, tokens, backlog, longest)
        except Exception:
            self._errors.add(names.WHERE_ENGINE_STATS)


def read_scheduler(stats: Any) -> EngineReading:
    """Returns what vLLM's SchedulerStats says.

    Raises:
        AttributeError, TypeError, ValueError: it says something else than it did in 0.32 and 0.33.
    """
    usage = float(stats.kv_cache_usage)
    running, waiting = int(stats.num_running_reqs), int(stats.num_waiting_reqs)
    skipped = int(getattr(stats, "num_skipped_waiting_reqs", 0))
    if not isfinite(usage) or not 0 <= usage <= 1 or min(running, waiting, skipped) < 0:
        raise ValueError(f"senseless engine statistics: {usage=} {running=} {waiting=} {skipped=}")
    return EngineReading(running=running, waiting=waiting + skipped, kv_usage_ratio=usage)


def read_pool_tokens(vllm_config: Any) -> int:
    """Returns the tokens that the KV pool holds: blocks x tokens a block.

    Raises:
        AttributeError, TypeError, ValueError: the configuration says something else than it did.
    """
    cache = vllm_config.cache_config
    tokens = int(cache.num_gpu_blocks) * int(cache.block_size)
    if tokens <= 0:
        raise ValueError(f"a KV pool of {tokens} tokens")
    return tokens


def read_token_bytes(vllm_config: Any) -> int:
    """Returns the bytes of one token's KV: two for keys and values x layers x heads x size.

    Raises:
        AttributeError, TypeError, ValueError: the configuration says something else than it did.
    """
    cache, model = vllm_config.cache_config, vllm_config.model_config
    parallel = vllm_config.parallel_config
    elements = int(
        2
        * model.get_num_layers(parallel)
        * model.get_num_kv_heads(parallel)
        * model.get_head_size()
    )
    size = elements * _item_bytes(cache, model)
    if size <= 0:
        raise ValueError(f"{size} bytes of KV a token")
    return size


def _item_bytes(cache: Any, model: Any) -> int:
    for start, size in KV_ITEM_BYTES.items():
        if str(cache.cache_dtype).startswith(start):
            return size
    return int(model.dtype.itemsize)
