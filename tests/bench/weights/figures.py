"""The bytes of VibeThinker-1.5B's tensors in each format, from their shapes. Pure.

Shapes: the model's config.json, a Qwen2 of 1.5B with tied embeddings. Headers and tokenizer are not
in it; they add some megabytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

LAYERS: Final = 28
HIDDEN: Final = 1536
KV: Final = 256
"""Two KV heads of 128."""
FEED_FORWARD: Final = 8960
VOCABULARY: Final = 151_936


@dataclass(frozen=True)
class Tensor:
    """`rows` outputs by `columns` inputs; vectors (norms, biases) have no columns.

    Attributes:
        count: how many of this shape there are.
        linear: a matrix of a linear layer, which is what INT8 formats of vLLM quantize.
    """

    count: int
    rows: int
    columns: int | None
    linear: bool = False

    @property
    def values(self) -> int:
        """Parameters of all of them."""
        return self.count * self.rows * (self.columns or 1)


def tensors() -> Iterator[Tensor]:
    """Yields every tensor of the model."""
    yield Tensor(1, VOCABULARY, HIDDEN)
    yield Tensor(LAYERS * 2, HIDDEN, HIDDEN, linear=True)  # queries, attention's output
    yield Tensor(LAYERS * 2, KV, HIDDEN, linear=True)
    yield Tensor(LAYERS * 2, FEED_FORWARD, HIDDEN, linear=True)  # gate, up
    yield Tensor(LAYERS, HIDDEN, FEED_FORWARD, linear=True)
    yield Tensor(LAYERS, HIDDEN + 2 * KV, None)  # biases of queries, keys, values
    yield Tensor(2 * LAYERS + 1, HIDDEN, None)  # norms


def float16(tensor: Tensor) -> int:
    """Two bytes a value."""
    return 2 * tensor.values


def w8a8(tensor: Tensor) -> int:
    """Compressed-tensors: linear layers in int8 with a Float32 scale for each output."""
    return tensor.values + 4 * tensor.count * tensor.rows if tensor.linear else float16(tensor)


def q8_0(tensor: Tensor) -> int:
    """llama.cpp: matrices in blocks of 32 int8 and a Float16 scale, vectors in Float32."""
    return tensor.values * 34 // 32 if tensor.columns else 4 * tensor.values


FORMATS: Final = {"float16": float16, "w8a8": w8a8, "gguf_q8_0": q8_0}


def weigh() -> dict[str, int]:
    """Returns the bytes of the whole model by format."""
    return {name: sum(map(weight, tensors())) for name, weight in FORMATS.items()}
