"""Engine settings as vLLM's flags and environment. Pure.

Spelled as both tested versions (0.32.0 and 0.33.0) take them: `--no-enable-X` rather than 0.33's
`--disable-X`. Each flag is parsed by the real parsers of both in tests/e2e.
"""

import json
from collections.abc import Mapping

from vibethinker_server import names
from vibethinker_server.engine_settings import (
    AttentionBackend,
    DataType,
    Device,
    EngineFlags,
    EngineSettings,
    KvCacheDataType,
    Source,
)

DTYPES: Mapping[DataType, str] = {
    DataType.FLOAT16: "half",
    DataType.BFLOAT16: "bfloat16",
    DataType.FLOAT32: "float32",
}
KV_DTYPES: Mapping[KvCacheDataType, str] = {
    KvCacheDataType.AUTO: "auto",
    KvCacheDataType.FP8: "fp8",
}
BACKENDS: Mapping[AttentionBackend, str] = {
    AttentionBackend.FLASH_ATTENTION: "FLASH_ATTN",
    AttentionBackend.FLASH_INFER: "FLASHINFER",
    AttentionBackend.TRITON: "TRITON_ATTN",
}
# vLLM's own bounds (16384 and 1024) let one request ask for a card's worth of sequences.
MAX_SEQUENCES = 8


# A pod's port is for the pod network.
ANY_ADDRESS = "0.0.0.0"  # noqa: S104


def render_engine_args(
    settings: EngineSettings, max_new_tokens: int, host: str = ANY_ADDRESS
) -> list[str]:
    """Returns the command line after the entry module's name.

    Args:
        settings: the engine's settings.
        max_new_tokens: what no answer may exceed, whatever the client asks for.
        host: the address to listen on.
    """
    args = [
        *("--model", settings.model),
        *("--served-model-name", settings.served_name),
        *("--host", host),
        *("--port", str(settings.port)),
        *("--dtype", DTYPES[settings.dtype]),
        *("--block-size", str(settings.block_size)),
        *("--max-model-len", str(settings.max_model_len)),
        *("--max-num-seqs", str(settings.max_num_seqs)),
        *("--max-num-batched-tokens", str(settings.max_num_batched_tokens)),
        *_pool(settings),
        *("--scheduling-policy", "priority"),
        *("--shutdown-timeout", str(settings.drain_seconds)),
        *("--override-generation-config", json.dumps({"max_new_tokens": max_new_tokens})),
        *("--middleware", names.MIDDLEWARE),
        *("--disable-access-log-for-endpoints", f"{names.PATH_HEALTH},{names.PATH_METRICS}"),
        "--disable-fastapi-docs",
        *_flags(settings.flags),
    ]
    if settings.revision is not None and settings.source is not Source.VOLUME:
        args += ["--revision", settings.revision]
    return args


def render_engine_environment(
    settings: EngineSettings, given: Mapping[str, str], hub_token_file: str | None
) -> dict[str, str]:
    """Returns the environment variables to set before vLLM is imported.

    Args:
        settings: the engine's settings.
        given: the environment as it stands; what it sets is not set again.
        hub_token_file: path of a file that holds the model hub's token, None: no token.
    """
    wanted = {
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_MAX_N_SEQUENCES": str(MAX_SEQUENCES),
        "VLLM_MAX_COMPLETION_PROMPTS": str(MAX_SEQUENCES),
        "PROMETHEUS_DISABLE_CREATED_SERIES": "true",
    }
    if settings.source is Source.HUGGING_FACE:
        if settings.endpoint:
            wanted["HF_ENDPOINT"] = settings.endpoint
        if hub_token_file is not None:
            wanted["HF_TOKEN_PATH"] = hub_token_file
    elif settings.source is Source.MODEL_SCOPE:
        wanted["VLLM_USE_MODELSCOPE"] = "True"
        if settings.endpoint:
            # ModelScope's client wants the bare domain.
            wanted["MODELSCOPE_DOMAIN"] = settings.endpoint.split("://", 1)[-1].rstrip("/")
    else:
        wanted |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    if settings.device is Device.CPU:
        wanted |= _threads(given.get(names.ENV_CPUS, ""))
    return {name: value for name, value in wanted.items() if name not in given}


def _threads(cpus: str) -> dict[str, str]:
    # Left to itself, vLLM binds its threads to the node's first cores in every pod alike: two pods
    # of a node would share them while the others idle. It also leaves one for its scheduler.
    if not cpus.isdecimal():
        return {}
    return {
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "OMP_NUM_THREADS": str(max(1, int(cpus) - 1)),
    }


def _pool(settings: EngineSettings) -> list[str]:
    if settings.kv_cache_memory_bytes is not None:
        return ["--kv-cache-memory-bytes", str(settings.kv_cache_memory_bytes)]
    percentage = settings.gpu_memory_utilization_percentage
    return [] if percentage is None else ["--gpu-memory-utilization", f"{percentage / 100:.2f}"]


def _flags(flags: EngineFlags) -> list[str]:
    args = _switch("enforce-eager", flags.enforce_eager)
    args += _switch("enable-prefix-caching", flags.enable_prefix_caching)
    args += _switch("enable-chunked-prefill", flags.enable_chunked_prefill)
    valued = {
        "max-num-active-seqs": flags.max_num_active_seqs,
        "kv-cache-dtype": flags.kv_cache_dtype and KV_DTYPES[flags.kv_cache_dtype],
        "attention-backend": flags.attention_backend and BACKENDS[flags.attention_backend],
        "optimization-level": flags.optimization_level,
        "watermark": _ratio(flags.watermark_percentage),
        "seed": flags.seed,
    }
    for name, value in valued.items():
        if value is not None:
            args += [f"--{name}", str(value)]
    return args


def _switch(name: str, on: bool | None) -> list[str]:
    if on is None:
        return []
    return [f"--{name}" if on else f"--no-{name}"]


def _ratio(percentage: int | None) -> str | None:
    return None if percentage is None else f"{percentage / 100:.2f}"
