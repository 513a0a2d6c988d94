"""What does VibeThinker-1.5B weigh in each format?

    python -m tests.bench.weights   writes build/bench/weights.json

Computed by the operator's own arithmetic from the model's dimensions, so no weights are needed; and
for what vLLM serves, the tokens of KV cache that a T4 then has room for.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from vibethinker_operator.api import Gpu, Model, Quantization, Spec
from vibethinker_operator.fit import assess_fit
from vibethinker_operator.model_sizes import MODEL_SIZES, WeightFormat

from tests.cluster.progress import say

OUT = Path("build/bench/weights.json")
MODEL: Final = "WeiboAI/VibeThinker-1.5B"
CARD: Final = Gpu(product="Tesla-T4")
FORMATS: Final[Mapping[str, WeightFormat]] = {
    "float16": WeightFormat.FLOAT,
    "w8a8": WeightFormat.W8A8,
    "gguf_q8_0": WeightFormat.GGUF_Q8_0,
}
SERVED_BY_VLLM: Final[Mapping[str, Spec]] = {
    "float16": Spec(gpu=CARD),
    "w8a8": Spec(gpu=CARD, model=Model(quantization=Quantization())),
}


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
    weights = {name: MODEL_SIZES[MODEL].weights_bytes(format_) for name, format_ in FORMATS.items()}
    result: dict[str, dict[str, float]] = {
        name: {"bytes": size, "of_float16": round(size / weights["float16"], 3)}
        for name, size in weights.items()
    }
    for name, spec in SERVED_BY_VLLM.items():
        result[name]["t4_kv_tokens"] = assess_fit(spec).tokens or 0
    return result


if __name__ == "__main__":
    sys.exit(main())
