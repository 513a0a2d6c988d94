"""What of a Qwen2 checkpoint becomes which tensor and value of a GGUF file. Pure.

Names and number formats are those of llama.cpp's own converter (conversion/qwen.py and
conversion/base.py), with whose files a test compares ours.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from vibethinker_server.checkpoint.checkpoint_error import CheckpointError
from vibethinker_server.checkpoint.ggml_types import BF16, F16, F32, Q8_0, GgmlType
from vibethinker_server.checkpoint.safetensors_header import StoredTensor


class Outtype(StrEnum):
    """The number format of a file's matrices, as llama.cpp's converter spells it."""

    F16 = "f16"
    BF16 = "bf16"
    Q8_0 = "q8_0"

    @property
    def type(self) -> GgmlType:
        """The format itself."""
        return {"f16": F16, "bf16": BF16, "q8_0": Q8_0}[self]

    @property
    def file_type(self) -> int:
        """The number at `general.file_type` (llama_ftype in llama.h)."""
        return {"f16": 1, "bf16": 32, "q8_0": 7}[self]


@dataclass(frozen=True, slots=True)
class PlannedTensor:
    """A tensor of the checkpoint, and what it becomes; `shape` as the checkpoint has it."""

    source: StoredTensor
    name: str
    type: GgmlType

    @property
    def byte_count(self) -> int:
        """Bytes of its values in the GGUF file."""
        return self.type.size(self.source.shape)


@dataclass(frozen=True, slots=True)
class Dimensions:
    """The sizes that a Qwen2 model's config.json states."""

    hidden: int
    intermediate: int
    layers: int
    heads: int
    kv_heads: int
    head: int
    vocabulary: int
    context: int


EMBEDDING, OUTPUT = "model.embed_tokens.weight", "lm_head.weight"
# Computed, not learned; older checkpoints carry it.
LEFT_OUT: Final = ".rotary_emb.inv_freq"
WEIGHT_TYPES: Final = ("BF16", "F16", "F32")


def parse_outtype(text: str) -> Outtype:
    """Returns the number format that a person calls `text`.

    Raises:
        CheckpointError: it is none that is known here.
    """
    try:
        return Outtype(text.lower())
    except ValueError as error:
        raise CheckpointError(
            f"--outtype {text}: is not known here; known are {', '.join(Outtype)} (for 4 bits and"
            " the like, export f16 and give it to llama.cpp's llama-quantize)"
        ) from error


def read_dimensions(config: Mapping[str, Any]) -> Dimensions:
    """Returns the model's sizes.

    Raises:
        CheckpointError: config.json lacks one, or it is no whole number above 0.
    """

    def number(field: str, default: int | None = None) -> int:
        found = config.get(field, default)
        if type(found) is not int or found < 1:
            raise CheckpointError(
                f"config.json: {field} is {json.dumps(found)}, and must be a whole number above 0"
            )
        return found

    hidden, heads = number("hidden_size"), number("num_attention_heads")
    return Dimensions(
        hidden=hidden,
        intermediate=number("intermediate_size"),
        layers=number("num_hidden_layers"),
        heads=heads,
        kv_heads=number("num_key_value_heads", heads),
        head=number("head_dim", hidden // heads) if config.get("head_dim") else hidden // heads,
        vocabulary=number("vocab_size"),
        context=number("max_position_embeddings"),
    )


def plan_tensors(
    config: Mapping[str, Any], tensors: Iterable[StoredTensor], outtype: Outtype
) -> tuple[PlannedTensor, ...]:
    """Returns every tensor of the GGUF file, in its order.

    Matrices get the format asked for, rows that it cannot hold F16; norms and biases are F32, as
    llama.cpp computes with them.

    Raises:
        CheckpointError: a tensor is missing, of another shape or type, or not Qwen2's.
    """
    found = {each.name: each for each in tensors if not each.name.endswith(LEFT_OUT)}
    tied = _is_tied(config, found)
    if tied:
        found.pop(OUTPUT, None)
    wanted = dict(_wanted(read_dimensions(config), tied=tied))
    names = {source: name for source, (name, _) in wanted.items()}
    for source, (_, shape) in wanted.items():
        _check(source, shape, found)
    unknown = sorted(found.keys() - names.keys())
    if unknown:
        raise CheckpointError(
            f"{found[unknown[0]].file}: tensor {unknown[0]} is none of Qwen2's (of {len(unknown)}"
            " such)"
        )
    return tuple(
        PlannedTensor(found[source], name, _type(found[source], outtype))
        for source, name in names.items()
    )


def _is_tied(config: Mapping[str, Any], found: Mapping[str, StoredTensor]) -> bool:
    """Tells whether the output layer is the embedding; llama.cpp then takes that one."""
    tied = config.get("tie_word_embeddings")
    return OUTPUT not in found if tied is None else bool(tied)


def _wanted(sizes: Dimensions, *, tied: bool) -> Iterator[tuple[str, tuple[str, tuple[int, ...]]]]:
    """Yields the checkpoint's name of each tensor, with llama.cpp's and its shape."""
    query, key = sizes.heads * sizes.head, sizes.kv_heads * sizes.head
    hidden, inner = sizes.hidden, sizes.intermediate
    layer: Mapping[str, tuple[str, tuple[int, ...]]] = {
        "input_layernorm.weight": ("attn_norm.weight", (hidden,)),
        "self_attn.q_proj.weight": ("attn_q.weight", (query, hidden)),
        "self_attn.q_proj.bias": ("attn_q.bias", (query,)),
        "self_attn.k_proj.weight": ("attn_k.weight", (key, hidden)),
        "self_attn.k_proj.bias": ("attn_k.bias", (key,)),
        "self_attn.v_proj.weight": ("attn_v.weight", (key, hidden)),
        "self_attn.v_proj.bias": ("attn_v.bias", (key,)),
        "self_attn.o_proj.weight": ("attn_output.weight", (hidden, query)),
        "post_attention_layernorm.weight": ("ffn_norm.weight", (hidden,)),
        "mlp.gate_proj.weight": ("ffn_gate.weight", (inner, hidden)),
        "mlp.up_proj.weight": ("ffn_up.weight", (inner, hidden)),
        "mlp.down_proj.weight": ("ffn_down.weight", (hidden, inner)),
    }
    yield EMBEDDING, ("token_embd.weight", (sizes.vocabulary, hidden))
    for number in range(sizes.layers):
        for source, (name, shape) in layer.items():
            yield f"model.layers.{number}.{source}", (f"blk.{number}.{name}", shape)
    yield "model.norm.weight", ("output_norm.weight", (hidden,))
    if not tied:
        yield OUTPUT, ("output.weight", (sizes.vocabulary, hidden))


def _check(name: str, shape: tuple[int, ...], found: Mapping[str, StoredTensor]) -> None:
    tensor = found.get(name)
    if tensor is None:
        raise CheckpointError(f"the checkpoint lacks tensor {name}, which its config.json asks for")
    if tensor.shape != shape:
        raise CheckpointError(
            f"{tensor.file}: tensor {name} is of shape {list(tensor.shape)}, and config.json makes"
            f" it {list(shape)}"
        )
    if tensor.dtype not in WEIGHT_TYPES:
        raise CheckpointError(
            f"{tensor.file}: tensor {name} is of type {tensor.dtype}; known are"
            f" {', '.join(WEIGHT_TYPES)}"
        )


def _type(tensor: StoredTensor, outtype: Outtype) -> GgmlType:
    if len(tensor.shape) == 1:
        return F32
    return outtype.type if outtype.type.row_fits(tensor.shape[-1]) else F16
