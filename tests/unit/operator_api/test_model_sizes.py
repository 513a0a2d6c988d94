"""What weights and KV of the known models take, worked out by hand."""

import pytest
from vibethinker_operator.model_sizes import MODEL_SIZES, ModelSize, WeightFormat

SMALL = MODEL_SIZES["WeiboAI/VibeThinker-1.5B"]
LARGE = MODEL_SIZES["WeiboAI/VibeThinker-3B"]


def test_the_1_5b_counted_layer_by_layer():
    # 1536 in; 1536 + 256 + 256 + 1536 out in attention, 3 × 8960 in the feed-forward.
    assert SMALL.linear_parameters == 28 * 1536 * (1536 + 256 + 256 + 1536 + 3 * 8960)
    assert SMALL.embedding_parameters == 151_936 * 1536
    assert SMALL.vector_parameters == 28 * (1536 + 256 + 256 + 2 * 1536) + 1536
    assert SMALL.parameters == 1_543_714_304
    assert LARGE.parameters == 3_085_938_688


@pytest.mark.parametrize(
    ("weights", "float_bytes", "expected"),
    [
        (WeightFormat.FLOAT, 2, 3_087_428_608),
        (WeightFormat.FLOAT, 4, 6_174_857_216),
        (WeightFormat.W8A8, 2, 1_779_813_376),
        # Embeddings, norms and biases in 32 bits: 233,518,592 × 2 bytes more.
        (WeightFormat.W8A8, 4, 1_779_813_376 + 2 * 233_518_592),
        # A byte for each of seven layers in 28 blocks names the format.
        (WeightFormat.BITSANDBYTES, 2, 1_779_813_376 + 7 * 28),
        # Vectors stay in 32 bits, in GGUF.
        (WeightFormat.GGUF_F16, 2, 3_087_428_608 + 2 * 144_896),
        (WeightFormat.GGUF_Q8_0, 2, 1_543_569_408 * 34 // 32 + 4 * 144_896),
    ],
)
def test_the_weights_of_the_1_5b_in_each_format(
    weights: WeightFormat, float_bytes: int, expected: int
):
    assert SMALL.weights_bytes(weights, float_bytes) == expected


@pytest.mark.parametrize(
    ("size", "value_bytes", "expected"),
    [(SMALL, 2, 28_672), (SMALL, 4, 57_344), (SMALL, 1, 14_336), (LARGE, 2, 36_864)],
)
def test_the_kv_of_a_token(size: ModelSize, value_bytes: int, expected: int):
    assert size.kv_token_bytes(value_bytes) == expected
