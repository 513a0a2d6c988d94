"""What does VibeThinker-1.5B weigh in each format?

    python -m tests.bench.weights   writes build/bench/weights.json

Computed from the shapes of its tensors, so no weights are needed; and for what vLLM serves, the
tokens of KV cache that a T4 then has room for, by the operator's arithmetic.
"""

import json
import sys
from pathlib import Path
from typing import Final

from vibethinker_operator.api import Spec
from vibethinker_operator.card import CARD_MEMORY_BYTES
from vibethinker_operator.effective import resolve_engine
from vibethinker_operator.kv import KV_BYTES_PER_TOKEN, expect_capacity

from tests.bench.weights.figures import weigh
from tests.cluster.progress import say

OUT = Path("build/bench/weights.json")
CARD: Final = "Tesla-T4"
SERVED_BY_VLLM: Final = ("float16", "w8a8")


def main() -> int:
    """Writes the figures and returns 0."""
    result = measure()
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    for name, figures in result.items():
        say(f"{name}: {json.dumps(figures)}")
    return 0


def measure() -> dict[str, dict[str, float]]:
    """Returns each format's bytes, their share of Float16's, and the tokens of a T4's KV pool."""
    weights = weigh()
    result: dict[str, dict[str, float]] = {
        name: {"bytes": size, "of_float16": round(size / weights["float16"], 3)}
        for name, size in weights.items()
    }
    for name in SERVED_BY_VLLM:
        result[name]["t4_kv_tokens"] = kv_tokens(saved_bytes=weights["float16"] - weights[name])
    return result


def kv_tokens(*, saved_bytes: int) -> int:
    """Returns the tokens that fit a T4 at the defaults, with weights smaller than Float16's."""
    spec = Spec()
    pool_bytes = expect_capacity(spec, CARD_MEMORY_BYTES[CARD]).pool_bytes + saved_bytes
    block = resolve_engine(spec).block_size
    return pool_bytes // (block * KV_BYTES_PER_TOKEN) * block


if __name__ == "__main__":
    sys.exit(main())
