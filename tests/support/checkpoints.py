"""Small Qwen2 checkpoints on disk, with random weights."""

import importlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from vibethinker_server.checkpoint.qwen2_shapes import qwen2_tensors
from vibethinker_server.checkpoint.safetensors_header import ITEM_BYTES, TensorShape

safetensors: Any = importlib.import_module("safetensors")

CONFIG: dict[str, Any] = {
    "architectures": ["Qwen2ForCausalLM"],
    "model_type": "qwen2",
    "dtype": "bfloat16",
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "num_hidden_layers": 2,
    "vocab_size": 128,
    "tie_word_embeddings": True,
}
TOKENIZER = '{"not": "read here"}'
# https://huggingface.co/WeiboAI/VibeThinker-1.5B, config.json (field/engine.md, section 8).
VIBETHINKER = CONFIG | {
    "dtype": "float16",
    "hidden_size": 1536,
    "intermediate_size": 8960,
    "num_attention_heads": 12,
    "num_key_value_heads": 2,
    "num_hidden_layers": 28,
    "vocab_size": 151_936,
}


def random_bytes(tensor: TensorShape, seed: int) -> bytes:
    """Returns the values of a tensor of weights, drawn around 0."""
    count = tensor.byte_count // ITEM_BYTES[tensor.dtype]
    values = np.random.default_rng(seed).normal(0, 0.05, count).astype(np.float32)
    if tensor.dtype == "BF16":
        return (values.view(np.uint32) >> np.uint32(16)).astype("<u2").tobytes()
    return values.astype({"F16": "<f2", "F32": "<f4"}[tensor.dtype]).tobytes()


def write_safetensors(file: Path, tensors: Iterable[tuple[TensorShape, bytes]]) -> None:
    """Writes a safetensors file as the format's own library does, but bfloat16 without torch."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    body = b""
    for tensor, values in tensors:
        header[tensor.name] = {
            "dtype": tensor.dtype,
            "shape": list(tensor.shape),
            "data_offsets": [len(body), len(body) + len(values)],
        }
        body += values
    text = json.dumps(header).encode()
    file.write_bytes(len(text).to_bytes(8, "little") + text + body)


def write_checkpoint(
    directory: Path, config: Mapping[str, Any] = CONFIG, *, shards: int = 1, seed: int = 1
) -> Path:
    """Writes a checkpoint of so many files of weights; returns `directory`."""
    directory.mkdir(parents=True)
    (directory / "config.json").write_text(json.dumps(config))
    (directory / "tokenizer.json").write_text(TOKENIZER)
    tensors = [
        (tensor, random_bytes(tensor, seed + number))
        for number, tensor in enumerate(qwen2_tensors(config))
    ]
    if shards == 1:
        write_safetensors(directory / "model.safetensors", tensors)
        return directory
    weight_map: dict[str, str] = {}
    for number in range(shards):
        name = f"model-{number + 1:05d}-of-{shards:05d}.safetensors"
        write_safetensors(directory / name, tensors[number::shards])
        weight_map |= {tensor.name: name for tensor, _ in tensors[number::shards]}
    index = {"metadata": {}, "weight_map": weight_map}
    (directory / "model.safetensors.index.json").write_text(json.dumps(index))
    return directory


def read_raw(directory: Path) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    """Returns type, shape and bytes of every tensor, by the format's own library."""
    return {
        name: (entry["dtype"], tuple(entry["shape"]), bytes(entry["data"]))
        for file in sorted(directory.glob("*.safetensors"))
        for name, entry in safetensors.deserialize(file.read_bytes())
    }


def read_tensor(directory: Path, name: str) -> Any:
    """Returns one tensor's values; bfloat16 as float32."""
    dtype, shape, data = read_raw(directory)[name]
    if dtype == "BF16":
        halves = np.frombuffer(data, "<u2").astype(np.uint32)
        return (halves << np.uint32(16)).view(np.float32).reshape(shape)
    kinds = {"F16": "<f2", "F32": "<f4", "I8": "i1", "U8": "u1"}
    return np.frombuffer(data, kinds[dtype]).reshape(shape)


def content(directory: Path) -> dict[str, bytes]:
    """Returns every file of a directory, by its name."""
    return {file.name: file.read_bytes() for file in sorted(directory.iterdir())}
