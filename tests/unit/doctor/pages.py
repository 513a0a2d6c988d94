"""A server's page with figures, as the ops port shows it."""

from typing import Any

FIGURES: dict[str, Any] = {
    "vllm:num_requests_running": 0,
    "vllm:num_requests_waiting": 0,
    "vllm:kv_cache_usage_perc": 0.0,
    "vllm:num_preemptions_total": 0,
    "vllm:request_prompt_tokens_sum": 40_000,
    "vllm:request_prompt_tokens_count": 400,
    "vllm:request_generation_tokens_sum": 160_000,
    "vllm:request_generation_tokens_count": 400,
    "vibethinker_requests_in_flight": 0,
    "vibethinker_max_num_seqs": 8,
    "vibethinker_max_model_len": 4096,
    "vibethinker_engine_steps_total": 9000,
    "vibethinker_requests_finished_total": 400,
    "vibethinker_device_memory_bytes": 4 * 2**30,
    "vibethinker_memory_used_ratio": 0.5,
    "vibethinker_memory_after_start_bytes": 2 * 2**30,
    'vibethinker_memory_bytes{kind="weights"}': 2**30,
    'vibethinker_memory_bytes{kind="kv_used"}': 0,
    'vibethinker_memory_bytes{kind="kv_idle"}': 2**30,
    'vibethinker_memory_bytes{kind="other"}': 2**30,
    "vibethinker_resident_memory_bytes": 3 * 2**30,
    "vibethinker_resident_memory_after_start_bytes": 3 * 2**30 - 4 * 2**20,
    "python_gc_objects_uncollectable_total": 0,
    'python_gc_collections_total{generation="2"}': 31,
}
CACHE = 'vllm:cache_config_info{block_size="32",cache_dtype="auto",num_gpu_blocks="512"} 1.0\n'


def render_page(cache: str = CACHE, **changes: float | None) -> str:
    """A page with `changes`, each named by the end of a series' name; None takes it away."""
    figures = dict(FIGURES)
    for end, value in changes.items():
        (name,) = (name for name in FIGURES if name.partition("{")[0].endswith(end))
        figures[name] = value
    shown = (f"{name} {value}" for name, value in figures.items() if value is not None)
    return "# HELP vllm:x Text.\n# TYPE vllm:x gauge\n" + cache + "\n".join(shown) + "\n"
