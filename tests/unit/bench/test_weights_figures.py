from vibethinker_operator.api import Spec
from vibethinker_operator.card import CARD_MEMORY_BYTES
from vibethinker_operator.kv import (
    HEAD_SIZE,
    KV_HEADS,
    LAYERS,
    PARAMETERS,
    WEIGHTS_BYTES,
    expect_capacity,
)

from tests.bench.weights import figures
from tests.bench.weights.__main__ import CARD, measure
from tests.bench.weights.figures import tensors, weigh


def test_the_shapes_are_those_that_the_operator_computes_with():
    assert sum(tensor.values for tensor in tensors()) == PARAMETERS
    assert figures.LAYERS == LAYERS
    assert figures.KV == KV_HEADS * HEAD_SIZE
    assert weigh()["float16"] == WEIGHTS_BYTES


def test_int8_keeps_the_embeddings_as_they_are():
    embeddings = 2 * figures.VOCABULARY * figures.HIDDEN
    linear = sum(tensor.values for tensor in tensors() if tensor.linear)
    assert embeddings + linear < weigh()["w8a8"] < embeddings + 1.01 * linear


def test_q8_0_quantizes_every_matrix():
    assert weigh()["gguf_q8_0"] / PARAMETERS < 34 / 32 + 0.001


def test_a_card_has_room_for_what_smaller_weights_leave():
    measured = measure()
    capacity = expect_capacity(Spec(), CARD_MEMORY_BYTES[CARD])
    assert measured["float16"]["t4_kv_tokens"] == capacity.tokens
    # 1,307,615,232 bytes less, of 28,672 a token.
    gained = measured["w8a8"]["t4_kv_tokens"] - capacity.tokens
    assert 45_590 <= gained <= 45_622
    assert "t4_kv_tokens" not in measured["gguf_q8_0"]
