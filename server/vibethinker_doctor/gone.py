"""Flags and variables of older vLLM versions, as articles still spell them, and what came instead.

Each flag was tried on vLLM 0.33: it ends the engine with argparse's "unrecognized arguments" (or
"ambiguous option"). A variable that is gone is only warned of, and does nothing.
"""

from collections.abc import Mapping

FLAGS: Mapping[str, str] = {
    "--swap-space": "leave it out: what is preempted is computed again, nothing is swapped",
    "--use-v2-block-manager": "leave it out: there is one block manager, and it is paged",
    "--task": "leave it out: a model that generates needs no task",
    "--guided-decoding-backend": "leave it out: structured outputs choose their own",
    "--enable-reasoning": "leave it out: --reasoning-parser alone turns it on",
    "--max-seq-len-to-capture": "leave it out: CUDA graphs are sized by --max-num-seqs",
    "--cuda-graph-sizes": "leave it out, or write --cudagraph-capture-sizes",
    "--preemption-mode": "leave it out: preempted requests are always computed again",
    "--num-lookahead-slots": "leave it out: speculation sizes its own",
    "--scheduler-delay-factor": "leave it out: every step schedules anew",
    "--num-scheduler-steps": "leave it out: scheduling runs beside the computation by itself",
    "--device": "leave it out: the installed build says what it computes on",
    "--disable-log-requests": "leave it out: requests are not logged unless asked for",
}
"""Flag to what replaced it."""

VARIABLES: Mapping[str, str] = {
    "VLLM_USE_V1": "leave it out: V1 is the only engine, and PagedAttention is always on",
    "VLLM_ATTENTION_BACKEND": "leave it out, or choose the kernels by --attention-backend",
    "VLLM_USE_TRITON_FLASH_ATTN": "leave it out, or choose the kernels by --attention-backend",
    "VLLM_FLASH_ATTN_VERSION": "leave it out, or choose the kernels by --attention-backend",
}
"""Environment variable to what replaced it."""

PRACTICES: Mapping[str, str] = {
    "BetterTransformer": "leave it out: PyTorch's own scaled_dot_product_attention took its place"
    " in transformers, and vLLM brings kernels of its own",
}
"""What articles advise outside vLLM's flags."""
