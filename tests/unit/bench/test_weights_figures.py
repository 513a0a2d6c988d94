from vibethinker_operator.kv import HEAD_SIZE, KV_HEADS, LAYERS, PARAMETERS, WEIGHTS_BYTES

from tests.bench.weights import figures
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
