"""Writes Qwen2 checkpoints of some kilobytes with all that a GGUF file says of a model."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from vibethinker_server.checkpoint.qwen2_shapes import qwen2_tensors
from vibethinker_server.checkpoint.safetensors_header import TensorShape

from tests.support.checkpoints import write_safetensors

QWEN2_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CONFIG: Mapping[str, Any] = {
    "architectures": ["Qwen2ForCausalLM"],
    "model_type": "qwen2",
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 8,
    "max_position_embeddings": 512,
    "rope_theta": 1000000.0,
    "rms_norm_eps": 1e-6,
    "tie_word_embeddings": True,
    "bos_token_id": 4,
    "eos_token_id": 5,
}
TOKENIZER: Mapping[str, Any] = {
    "added_tokens": [
        {"id": 4, "content": "<|endoftext|>", "special": True},
        {"id": 5, "content": "<|im_end|>", "special": True},
        {"id": 6, "content": "<tool>", "special": False},
    ],
    "pre_tokenizer": {
        "type": "Sequence",
        "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": QWEN2_SPLIT}, "behavior": "Isolated"},
            {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False},
        ],
    },
    "post_processor": {"type": "ByteLevel", "add_prefix_space": False},
    "model": {
        "type": "BPE",
        "vocab": {"a": 0, "b": 1, "ab": 2, "Ġ": 3},
        "merges": [["a", "b"]],
    },
}
TOKENIZER_CONFIG: Mapping[str, Any] = {
    "add_bos_token": False,
    "eos_token": "<|im_end|>",
    "pad_token": "<|endoftext|>",
    "chat_template": "{{ messages }}",
}
GENERATION: Mapping[str, Any] = {"temperature": 0.6, "top_p": 0.95, "top_k": 20}

Values = npt.NDArray[np.generic]


def write_tiny_qwen2(
    directory: Path,
    *,
    config: Mapping[str, Any] | None = None,
    tokenizer: Mapping[str, Any] | None = None,
    dtype: str = "BF16",
    tensors: Mapping[str, Values] | None = None,
    scale: float = 1.0,
) -> Path:
    """Writes a checkpoint of random weights and returns its directory.

    Args:
        directory: is made.
        config: fields that differ from CONFIG.
        tokenizer: fields that differ from TOKENIZER.
        dtype: the type of the weights: BF16, F16 or F32.
        tensors: values that differ from the drawn ones.
        scale: the weights' standard deviation.
    """
    directory.mkdir(parents=True, exist_ok=True)
    settings = {**CONFIG, **(config or {})}
    generator = np.random.default_rng(20260101)
    drawn: dict[str, Values] = {
        each.name: generator.normal(scale=scale, size=each.shape).astype(np.float32)
        for each in qwen2_tensors(settings)
    }
    drawn |= tensors or {}
    packed = [
        (TensorShape(name, dtype, values.shape), pack(values, dtype))
        for name, values in drawn.items()
    ]
    write_safetensors(directory / "model.safetensors", packed)
    documents = {
        "config.json": settings,
        "tokenizer.json": {**TOKENIZER, **(tokenizer or {})},
        "tokenizer_config.json": TOKENIZER_CONFIG,
        "generation_config.json": GENERATION,
    }
    for name, content in documents.items():
        (directory / name).write_text(json.dumps(content))
    return directory


def pack(values: Values, dtype: str) -> bytes:
    """Returns float32 values as bytes; those of a bfloat16 are the upper half of a float32's."""
    if dtype == "BF16":
        return (values.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16).tobytes()
    return values.astype({"F16": np.float16, "F32": np.float32}[dtype]).tobytes()
