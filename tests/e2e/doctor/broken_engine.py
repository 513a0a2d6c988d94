"""Loaded into vLLM as a plugin of its own where a test puts it: breaks it while a file says so.

In the directory BREAK lies a file for each thing that is broken:
- `blocks`: KV blocks of ended requests are not given back;
- `memory`: a MiB is kept for each request.
"""

import importlib
import os
from pathlib import Path
from typing import Any

MIB = 2**20
kept: list[bytearray] = []


def is_on(what: str) -> bool:
    return (Path(os.environ["BREAK"]) / what).exists()


def install() -> None:
    """Breaks what a test asks for, in each process of the engine."""
    pool: Any = importlib.import_module("vllm.v1.core.kv_cache_manager").KVCacheManager
    door: Any = importlib.import_module("vllm.v1.engine.async_llm").AsyncLLM
    free, add = pool.free, door.add_request

    def free_or_not(manager: Any, request: Any) -> Any:
        return None if is_on("blocks") else free(manager, request)

    async def add_and_keep(engine: Any, *args: Any, **how: Any) -> Any:
        if is_on("memory"):
            kept.append(bytearray(b"x" * MIB))
        return await add(engine, *args, **how)

    pool.free, door.add_request = free_or_not, add_and_keep
