"""Writes down, in the engine's own process, what each step computes, when, and what it holds.

Python runs this file first where its directory is on PYTHONPATH. One line for each step as it is
scheduled, and one as its output is taken; times are of the machine's one monotonic clock. PROBE
names the directory for the log.
"""

import importlib.util
import json
import os
import sys
import time
from importlib.abc import Loader, MetaPathFinder
from pathlib import Path
from typing import Any

SCHEDULER = "vllm.v1.core.sched.scheduler"


def watch_steps(module: Any) -> None:
    """Has the scheduler write down its steps; asynchronous schedulers inherit it."""
    schedule, update = module.Scheduler.schedule, module.Scheduler.update_from_output
    log = (Path(os.environ["PROBE"]) / f"probe-{os.getpid()}.jsonl").open("a", buffering=1)

    def watched_schedule(self: Any, *given: Any, **more: Any) -> Any:
        at = time.monotonic()
        output = schedule(self, *given, **more)
        if output.total_num_scheduled_tokens:
            step = count(self.requests, output.num_scheduled_tokens)
            log.write(json.dumps({"at": at, "kv": self.kv_cache_manager.usage, **step}) + "\n")
        return output

    def watched_update(self: Any, output: Any, *given: Any, **more: Any) -> Any:
        result = update(self, output, *given, **more)
        if output.total_num_scheduled_tokens:
            left = bool(self.running) or bool(self.waiting)
            log.write(json.dumps({"done": time.monotonic(), "left": left}) + "\n")
        return result

    module.Scheduler.schedule, module.Scheduler.update_from_output = (
        watched_schedule,
        watched_update,
    )


def count(requests: Any, scheduled: Any) -> dict[str, float]:
    """Returns a step's work; each request's computed tokens count those of this step already."""
    prompt, pairs, kv_tokens, sequences = 0, 0.0, 0, 0
    for name, tokens in scheduled.items():
        request = requests[name]
        before = request.num_computed_tokens - tokens
        if before >= request.num_prompt_tokens and tokens == 1:
            sequences += 1
            kv_tokens += before
        else:
            prompt += tokens
            pairs += tokens * (before + tokens / 2)
    return {"prompt": prompt, "pairs": pairs, "kv_tokens": kv_tokens, "sequences": sequences}


class Watch(MetaPathFinder, Loader):
    """Changes a module right after its import, whoever imports it and when."""

    def __init__(self, name: str, change: Any) -> None:
        self.name = name
        self.change = change
        self.inner: Any = None

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Stands aside but for one module, once."""
        if name != self.name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None:
            self.inner, spec.loader = spec.loader, self
        return spec

    def create_module(self, spec: Any) -> Any:
        """As the module's own loader does."""
        return self.inner.create_module(spec)

    def exec_module(self, module: Any) -> None:
        """Runs the module and changes it."""
        self.inner.exec_module(module)
        self.change(module)


sys.meta_path[:0] = [Watch(SCHEDULER, watch_steps)]
