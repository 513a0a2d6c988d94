"""Keeps one false alarm out of the log of an end that is as it should be.

vLLM (0.32 and 0.33) ends its engine first and then reports at ERROR, with a traceback, that the
engine is gone. Whoever has pressed Ctrl-C, or reads the log of a pod that was drained, would look
for a fault that is none.
"""

import logging

from vibethinker_server.runtime import Runtime

LOGGER = "vllm.v1.engine.async_llm"
FALSE_ALARM = "output_handler failed"


class QuietEnd(logging.Filter):
    """Drops it once the process drains and nothing is in flight; an engine that dies is told of."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__()
        self._runtime = runtime

    def filter(self, record: logging.LogRecord) -> bool:
        """Returns whether the record is written."""
        if FALSE_ALARM not in record.getMessage():
            return True
        runtime = self._runtime
        drains = runtime.fleet.draining_seconds(runtime.clock.monotonic()) is not None
        return not drains or runtime.flights.count > 0


def quiet_end(runtime: Runtime) -> None:
    """Has the engine's logger obey it."""
    logging.getLogger(LOGGER).addFilter(QuietEnd(runtime))
