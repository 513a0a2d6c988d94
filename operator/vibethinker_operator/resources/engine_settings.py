"""The engine's settings as the server package in the pod reads them (VIBETHINKER_ENGINE)."""

import json
from typing import Any

from vibethinker_operator import names
from vibethinker_operator.api import Source, Spec
from vibethinker_operator.deadlines import derive_deadlines
from vibethinker_operator.effective import resolve_engine


def render_engine_settings(spec: Spec) -> dict[str, Any]:
    """Returns the settings, named as in the resource; every open one is settled."""
    engine = resolve_engine(spec)
    # A volume, whatever the weights were made from: nothing is to be downloaded.
    source = Source.VOLUME if engine.local else spec.model.source
    return {
        "backend": engine.backend.value,
        "model": engine.model,
        "revision": engine.revision,
        "source": source.value,
        "endpoint": "" if engine.local else spec.model.endpoint,
        "servedName": spec.model.served_name,
        "device": engine.device.value,
        "dtype": engine.dtype.value,
        "blockSize": engine.block_size,
        "maxModelLen": engine.max_model_len,
        "maxNumSeqs": engine.max_num_seqs,
        "maxNumBatchedTokens": engine.max_num_batched_tokens,
        "gpuMemoryUtilizationPercentage": engine.gpu_memory_utilization_percentage,
        "kvCacheMemoryBytes": engine.kv_cache_memory_bytes,
        "flags": spec.engine.flags.model_dump(mode="json", exclude_none=True),
        "port": names.CLIENT_PORT,
        "opsPort": names.OPS_PORT,
        "drainSeconds": derive_deadlines(spec).drain_seconds,
    }


def escape_expansion(value: str) -> str:
    """Returns `value` so that it arrives as it is: Kubernetes expands `$(NAME)` in env and args.

    `$$` is its only escape, so every dollar is doubled, not just those before a parenthesis.
    """
    return value.replace("$", "$$")


def render_engine_variable(spec: Spec) -> str:
    """Returns the value of the environment variable that carries the settings."""
    return escape_expansion(json.dumps(render_engine_settings(spec), separators=(",", ":")))
