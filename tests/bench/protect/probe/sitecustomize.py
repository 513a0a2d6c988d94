"""Writes down, in the engine's own process, what no client sees: every preemption and every step.

Python runs this file first where its directory is on PYTHONPATH. Times are of the machine's one
monotonic clock, so that they compare with those of the clients. While a file `line-only` lies in
the directory that PROBE names, newcomers are judged by the memory line alone.
"""

import importlib.util
import json
import os
import sys
import time
from importlib.abc import Loader, MetaPathFinder
from pathlib import Path
from typing import Any

DIRECTORY = Path(os.environ["PROBE"])
LINE_ONLY = DIRECTORY / "line-only"
VLLM_STATS = "vllm.v1.metrics.stats"
DOOR = "vibethinker_server.door"


def write(**what: Any) -> None:
    """Appends one line to this process's log."""
    line = json.dumps({"at": time.monotonic(), **what}) + "\n"
    with (DIRECTORY / f"probe-{os.getpid()}.jsonl").open("a", encoding="utf-8") as log:
        log.write(line)


def watch_preemptions(stats: Any) -> None:
    """Writes the id of every request that the engine preempts."""
    update = stats.IterationStats.update_from_events

    def watched(self: Any, req_id: str, events: Any, *rest: Any) -> None:
        for event in events:
            if event.type.name == "PREEMPTED":
                write(preempted=req_id)
        update(self, req_id, events, *rest)

    stats.IterationStats.update_from_events = watched


def watch_steps(door: Any) -> None:
    """Writes the live memory ratio after every step, and lets rules be left out."""
    stats = importlib.import_module("vibethinker_server.engine_stats")
    runtime = importlib.import_module("vibethinker_server.runtime")
    record, fits = stats.EngineStats.record, door.fits
    predict = runtime.Runtime.predicted_first_token

    def watched(self: Any, *given: Any, **more: Any) -> None:
        record(self, *given, **more)
        write(ratio=runtime.installed().load().memory_used_ratio)

    stats.EngineStats.record = watched
    door.fits = lambda *given: LINE_ONLY.exists() or fits(*given)
    runtime.Runtime.predicted_first_token = lambda self, now: (
        None if LINE_ONLY.exists() else predict(self, now)
    )


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


sys.meta_path[:0] = [Watch(VLLM_STATS, watch_preemptions), Watch(DOOR, watch_steps)]
