"""The plugin that vLLM calls at every engine step, found through its entry point.

vLLM runs it inside the task that hands out tokens: one exception here would end every stream.
Nothing in it may raise.
"""

from typing import Any

from vllm.v1.metrics.loggers import StatLoggerBase

from vibethinker_server.early_sigterm import take_early_sigterm
from vibethinker_server.runtime import installed

# vLLM imports this module after it has set its own handler and before it starts the engine's
# process: no other code of ours runs in between.
take_early_sigterm()


class VibeThinkerStatLogger(StatLoggerBase):  # type: ignore[misc]
    """Hands vLLM's statistics to the process's runtime."""

    def __init__(self, vllm_config: Any, engine_index: int = 0) -> None:
        self._vllm_config = vllm_config
        self._engine_index = engine_index
        runtime = installed()
        self._runtime = runtime
        self._stats = runtime.stats
        self._clock = runtime.clock

    def record(
        self,
        scheduler_stats: Any = None,
        iteration_stats: Any = None,
        mm_cache_stats: Any = None,  # noqa: ARG002 (vLLM's signature)
        engine_idx: int = 0,  # noqa: ARG002 (vLLM's signature)
        **_later: Any,
    ) -> None:
        """Takes the statistics of one step; arguments that later versions add are passed over."""
        self._stats.record(
            scheduler_stats,
            iteration_stats,
            self._clock.monotonic(),
            self._runtime.prompt_backlog(),
        )

    def log_engine_initialized(self) -> None:
        """Notes that the engine is up and how large its KV pool is."""
        self._stats.initialize(self._vllm_config)
