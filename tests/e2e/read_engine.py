"""Run inside an engine's packages: says how that vLLM takes our flags and our stat logger.

Reads a list of command lines (JSON) on stdin and writes one JSON object: what each parsed to, and
what the stat logger made of that version's own statistics.
"""

import importlib
import importlib.util
import json
import sys
from importlib.metadata import entry_points
from types import SimpleNamespace
from typing import Any

from vibethinker_server import names
from vibethinker_server.engine_stats import EngineStats
from vibethinker_server.tally import Tally

KEYS = (
    "model",
    "revision",
    "served_model_name",
    "host",
    "port",
    "dtype",
    "block_size",
    "max_model_len",
    "max_num_seqs",
    "max_num_batched_tokens",
    "gpu_memory_utilization",
    "kv_cache_memory_bytes",
    "scheduling_policy",
    "shutdown_timeout",
    "override_generation_config",
    "middleware",
    "disable_access_log_for_endpoints",
    "disable_fastapi_docs",
    "enforce_eager",
    "enable_prefix_caching",
    "enable_chunked_prefill",
    "max_num_active_seqs",
    "kv_cache_dtype",
    "attention_backend",
    "optimization_level",
    "watermark",
    "seed",
)


def parse(lines: list[list[str]]) -> list[dict[str, str]]:
    """Returns each command line as this vLLM's own parser reads it, values as text."""
    try:
        cli: Any = importlib.import_module("vllm.entrypoints.common.cli_args")
    except ImportError:
        cli = importlib.import_module("vllm.entrypoints.launchers.cli_args")
    utils: Any = importlib.import_module("vllm.utils.argparse_utils")
    parser = cli.make_arg_parser(utils.FlexibleArgumentParser())
    found = []
    for line in lines:
        args = parser.parse_args(line)
        cli.validate_parsed_serve_args(args)
        found.append({key: str(getattr(args, key)) for key in KEYS})
    return found


def log_stats() -> dict[str, Any]:
    """Returns what our stat logger makes of one step of this vLLM's statistics."""
    stats: Any = importlib.import_module("vllm.v1.metrics.stats")
    loggers: Any = importlib.import_module("vllm.v1.metrics.loggers")
    runtime_module: Any = importlib.import_module("vibethinker_server.runtime")
    errors = Tally()
    engine = EngineStats(errors)
    clock = SimpleNamespace(monotonic=lambda: 1.0)
    runtime = SimpleNamespace(stats=engine, clock=clock, prompt_backlog=lambda: 100)
    runtime_module.install(runtime)
    (entry,) = entry_points(group="vllm.stat_logger_plugins")
    logger_class = entry.load()
    (factory,) = loggers.load_stat_logger_plugin_factories()
    assert factory is logger_class
    logger = logger_class(object(), 0)
    scheduler = stats.SchedulerStats(num_running_reqs=3, num_waiting_reqs=2, kv_cache_usage=0.5)
    iteration = stats.IterationStats()
    finished = stats.FinishedRequestStats(
        finish_reason=None, num_prompt_tokens=50, num_generation_tokens=20
    )
    iteration.finished_requests.append(finished)
    iteration.time_to_first_tokens_iter.append(0.5)
    iteration.num_generation_tokens = 3
    logger.record(
        scheduler_stats=scheduler, iteration_stats=iteration, mm_cache_stats=None, engine_idx=0
    )
    logger.log()
    logger.record_sleep_state(1, 0)
    return {
        "reading": str(engine.reading),
        "finished": engine.finished,
        "generation_tokens": engine.generation_tokens,
        "errors": errors.counts(),
    }


def main() -> None:
    """Writes the report."""
    async_llm: Any = importlib.import_module("vllm.v1.engine.async_llm")
    serving: Any = importlib.import_module("vllm.entrypoints.generate.base.serving")
    report = {
        "version": importlib.import_module("vllm").__version__,
        "parsed": parse(json.load(sys.stdin)),
        "stats": log_stats(),
        "entry": bool(importlib.util.find_spec(names.ENGINE_MODULES[0])),
        "backlog": hasattr(async_llm.AsyncLLM, "get_num_queued_tokens"),
        "priority_header": serving.PRIORITY_HEADER.lower(),
    }
    print("REPORT " + json.dumps(report))


if __name__ == "__main__":
    main()
