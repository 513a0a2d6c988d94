"""The tensors of a Qwen2 model, from its config alone. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from vibethinker_server.checkpoint.safetensors_header import TensorShape

DTYPES: Mapping[str, str] = {"bfloat16": "BF16", "float16": "F16", "float32": "F32"}


def qwen2_tensors(config: Mapping[str, Any]) -> tuple[TensorShape, ...]:
    """Returns the tensors that a Qwen2ForCausalLM of this config.json consists of.

    For sizes before there is a file to read; where there is one, its header says it for certain.
    """
    dtype = DTYPES[config.get("dtype") or config.get("torch_dtype") or "float16"]
    return tuple(TensorShape(name, dtype, shape) for name, shape in _shapes(config))


def _shapes(config: Mapping[str, Any]) -> Iterator[tuple[str, tuple[int, ...]]]:
    hidden, vocabulary = config["hidden_size"], config["vocab_size"]
    yield "model.embed_tokens.weight", (vocabulary, hidden)
    for block in range(config["num_hidden_layers"]):
        for name, shape in _block_shapes(config):
            yield f"model.layers.{block}.{name}", shape
    yield "model.norm.weight", (hidden,)
    if not config.get("tie_word_embeddings", False):
        yield "lm_head.weight", (vocabulary, hidden)


def _block_shapes(config: Mapping[str, Any]) -> Iterator[tuple[str, tuple[int, ...]]]:
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    head = config.get("head_dim") or hidden // config["num_attention_heads"]
    queries = head * config["num_attention_heads"]
    values = head * config["num_key_value_heads"]
    for name, rows in (("q_proj", queries), ("k_proj", values), ("v_proj", values)):
        yield f"self_attn.{name}.weight", (rows, hidden)
        yield f"self_attn.{name}.bias", (rows,)
    yield "self_attn.o_proj.weight", (hidden, queries)
    yield "mlp.gate_proj.weight", (inner, hidden)
    yield "mlp.up_proj.weight", (inner, hidden)
    yield "mlp.down_proj.weight", (hidden, inner)
    yield "input_layernorm.weight", (hidden,)
    yield "post_attention_layernorm.weight", (hidden,)
