"""What weights and KV of the known models take, by arithmetic alone: before any pod has run. Pure.

The dimensions are those of each model's config.json. VibeThinker-1.5B is a Qwen2 of 1.5B;
VibeThinker-3B is "built upon Qwen2.5-Coder-3B" (README of WeiboAI/VibeThinker), whose dimensions
training does not change. That both count their embeddings once (tied) is inferred from the sizes of
published conversions. A pod reads the files' headers, and from then on those count.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

HALF_BYTES: Final = 2
"""Float16 and BFloat16."""

FLOAT32_BYTES: Final = 4

Q8_0_BLOCK_VALUES: Final = 32
Q8_0_BLOCK_BYTES: Final = 34
"""ggml's Q8_0: a half-precision scale for each 32 values of one byte."""

LINEAR_LAYERS: Final = 7
"""Of one block: queries, keys, values, output; gate, up, down."""


class WeightFormat(StrEnum):
    """How weights lie in memory.

    FLOAT is the type served. W8A8 (compressed-tensors) and BITSANDBYTES keep the linear layers of
    the blocks in one byte, with a float32 scale for each row, and everything else in the type
    served; the latter marks each layer with one more byte. The GGUF ones keep vectors in float32.
    """

    FLOAT = "Float"
    W8A8 = "W8A8"
    BITSANDBYTES = "BitsAndBytes"
    GGUF_F16 = "GgufF16"
    GGUF_Q8_0 = "GgufQ8_0"


@dataclass(frozen=True, kw_only=True)
class ModelSize:
    """Dimensions of a Qwen2 with tied embeddings, named as in its config.json."""

    num_hidden_layers: int
    hidden_size: int
    intermediate_size: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    vocab_size: int

    @property
    def linear_rows(self) -> int:
        """Rows of the blocks' linear layers, each of which has a scale in eight bits."""
        return self.num_hidden_layers * (
            self._attention_rows + 2 * self.hidden_size + 2 * self.intermediate_size
        )

    @property
    def linear_parameters(self) -> int:
        """Parameters of the blocks' linear layers, which eight-bit formats quantize."""
        inputs = self._attention_rows + 2 * self.intermediate_size
        outputs = self.num_attention_heads * self.head_dim + self.intermediate_size
        return self.num_hidden_layers * self.hidden_size * (inputs + outputs)

    @property
    def embedding_parameters(self) -> int:
        """Parameters of the embeddings, which are the output layer too."""
        return self.vocab_size * self.hidden_size

    @property
    def vector_parameters(self) -> int:
        """Parameters of norms and biases."""
        biases_and_norms = self._attention_rows + 2 * self.hidden_size
        return self.num_hidden_layers * biases_and_norms + self.hidden_size

    @property
    def parameters(self) -> int:
        """All parameters, embeddings counted once."""
        return self.linear_parameters + self.embedding_parameters + self.vector_parameters

    @property
    def _attention_rows(self) -> int:
        return (self.num_attention_heads + 2 * self.num_key_value_heads) * self.head_dim

    def weights_bytes(self, weights: WeightFormat, float_bytes: int = HALF_BYTES) -> int:
        """Returns what the weights take in memory.

        Args:
            weights: how they lie there.
            float_bytes: bytes of one number of the type served; a GGUF file has its own.
        """
        matrices = self.linear_parameters + self.embedding_parameters
        vectors = FLOAT32_BYTES * self.vector_parameters
        match weights:
            case WeightFormat.FLOAT:
                return float_bytes * self.parameters
            case WeightFormat.W8A8:
                return self._int8_bytes(float_bytes)
            case WeightFormat.BITSANDBYTES:
                return self._int8_bytes(float_bytes) + LINEAR_LAYERS * self.num_hidden_layers
            case WeightFormat.GGUF_F16:
                return HALF_BYTES * matrices + vectors
            case WeightFormat.GGUF_Q8_0:
                return matrices // Q8_0_BLOCK_VALUES * Q8_0_BLOCK_BYTES + vectors

    def kv_token_bytes(self, value_bytes: int = HALF_BYTES) -> int:
        """Returns what one token keeps: a key and a value in each head of each layer."""
        return 2 * self.num_hidden_layers * self.num_key_value_heads * self.head_dim * value_bytes

    def _int8_bytes(self, float_bytes: int) -> int:
        rest = self.embedding_parameters + self.vector_parameters
        scales = FLOAT32_BYTES * self.linear_rows
        return self.linear_parameters + scales + float_bytes * rest


MODEL_SIZES: Final[Mapping[str, ModelSize]] = {
    "WeiboAI/VibeThinker-1.5B": ModelSize(
        num_hidden_layers=28,
        hidden_size=1536,
        intermediate_size=8960,
        num_attention_heads=12,
        num_key_value_heads=2,
        head_dim=128,
        vocab_size=151_936,
    ),
    "WeiboAI/VibeThinker-3B": ModelSize(
        num_hidden_layers=36,
        hidden_size=2048,
        intermediate_size=11_008,
        num_attention_heads=16,
        num_key_value_heads=2,
        head_dim=128,
        vocab_size=151_936,
    ),
}
"""By repository. Any other model is not guessed at: its first pod reads its headers."""
