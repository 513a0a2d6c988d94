"""llama-server's command line. Pure.

The server package renders the same for a machine without Kubernetes; a contract test compares the
two, and tests/e2e starts a real one with it. Token limits are not in it: the proxy holds them, and
a change of them rolls no pod.
"""

from typing import Final

from vibethinker_operator import names
from vibethinker_operator.api import Spec
from vibethinker_operator.effective import resolve_engine
from vibethinker_operator.model_sizes import MODEL_SIZES
from vibethinker_operator.quantity import parse_quantity

LOOPBACK: Final = "127.0.0.1"

CONTEXT_STEP: Final = 256
"""llama.cpp rounds its context up to whole multiples of this."""

KV_TOKEN_BYTES: Final = MODEL_SIZES["WeiboAI/VibeThinker-1.5B"].kv_token_bytes()
"""28,672. llama-server has to be told before anybody has read the file's header."""

MOST_PHYSICAL_BATCH: Final = 512
"""A larger one is not faster on a CPU and takes more memory (llama.cpp's own default)."""


def render_llama_args(spec: Spec) -> list[str]:
    """Returns what follows the program's name: the pool, its slots, and nothing left to defaults.

    `kvCacheMemoryBytes` sizes the pool, as with vLLM; llama-server is told it in tokens, of
    28,672 bytes each (VibeThinker-1.5B in 16 bits).
    """
    engine = resolve_engine(spec)
    pool_tokens = (engine.kv_cache_memory_bytes or 0) // KV_TOKEN_BYTES
    return [
        *("--model", engine.model),
        *("--alias", spec.model.served_name),
        *("--host", LOOPBACK),
        *("--port", str(names.LLAMA_PORT)),
        # One pool that all sequences share, and what each of them may have of it.
        *("--ctx-size", str(pool_tokens // CONTEXT_STEP * CONTEXT_STEP)),
        "--kv-unified",
        *("--kv-unified-per-slot", str(engine.max_model_len)),
        *("--parallel", str(engine.max_num_seqs)),
        *("--batch-size", str(engine.max_num_batched_tokens)),
        *("--ubatch-size", str(min(engine.max_num_batched_tokens, MOST_PHYSICAL_BATCH))),
        # Else up to 8 GiB of old prompts outside of the pool.
        *("--cache-ram", "0"),
        # Weights that are read and not mapped are anonymous memory, which is what is measured.
        *("--load-mode", "none"),
        "--jinja",
        # A last message of the assistant would be continued, past the system prompt's rule.
        "--no-prefill-assistant",
        # What the model thinks stays in its answer, as under vLLM.
        *("--reasoning-format", "none"),
        "--metrics",
        "--slots",
        "--no-ui",
        *_threads(spec),
    ]


def _threads(spec: Spec) -> list[str]:
    # Left to itself it takes every processor of the node, in every pod alike, and its threads wait
    # for one another by spinning: two pods of a node would hardly answer.
    cpus = spec.resources.limits.cpu or spec.resources.requests.cpu
    return [] if cpus is None else ["--threads", str(max(1, parse_quantity(cpus)))]
