"""llama-server's command line. Pure.

Every option is spelled as llama.cpp's server takes it (tests/e2e starts a real one with them).
"""

import math
from typing import Final

from vibethinker_operator import names
from vibethinker_operator.api import Spec
from vibethinker_operator.effective import resolve_engine
from vibethinker_operator.kv import KV_BYTES_PER_TOKEN
from vibethinker_operator.quantity import parse_quantity

LOOPBACK: Final = "127.0.0.1"


def render_llama_args(spec: Spec) -> list[str]:
    """Returns what follows the program's name: the pool, its slots, and nothing left to defaults.

    `kvCacheMemoryBytes` sizes the pool, as with vLLM; llama-server is told it in tokens, of
    28,672 bytes each (VibeThinker-1.5B in 16 bits).
    """
    engine = resolve_engine(spec)
    pool_tokens = (engine.kv_cache_memory_bytes or 0) // KV_BYTES_PER_TOKEN
    return [
        *("--model", engine.model),
        *("--alias", spec.model.served_name),
        *("--host", LOOPBACK),
        *("--port", str(names.LLAMA_PORT)),
        *("--ctx-size", str(pool_tokens)),
        *("--parallel", str(engine.max_num_seqs)),
        # One pool for all slots, not an equal share for each.
        "--kv-unified",
        *("--batch-size", str(engine.max_num_batched_tokens)),
        # A second wall behind the caps, which are not here: a change of them rolls no pod.
        *("--n-predict", str(engine.max_model_len)),
        *_threads(spec),
        # Keeps up to 8 GiB of old prompts beside the pool otherwise.
        *("--cache-ram", "0"),
        # Weights are then anonymous memory, which is what the limit is about.
        "--no-mmap",
        "--metrics",
        "--slots",
        "--no-webui",
        "--jinja",
    ]


def _threads(spec: Spec) -> list[str]:
    limit = spec.resources.limits.cpu
    if limit is None:
        return []
    return ["--threads", str(max(1, math.ceil(parse_quantity(limit))))]
