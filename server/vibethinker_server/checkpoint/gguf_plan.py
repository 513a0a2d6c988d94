"""What of a Qwen2 checkpoint becomes which tensor and value of a GGUF file. Pure.

Names and number formats are those of llama.cpp's own converter (conversion/qwen.py and
conversion/base.py), with whose files a test compares ours.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from vibethinker_server.checkpoint.checkpoint_error import CheckpointError
from vibethinker_server.checkpoint.ggml_types import BF16, F16, F32, Q8_0, GgmlType
from vibethinker_server.checkpoint.qwen2_shapes import qwen2_tensors
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


OUTPUT: Final = "lm_head.weight"
# The checkpoint's names of tensors, and llama.cpp's (LLM_TENSOR_NAMES in src/llama-arch.cpp).
NAMES: Final[Mapping[str, str]] = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    OUTPUT: "output.weight",
}
BLOCK: Final = re.compile(r"model\.layers\.(\d+)\.(.+)\.(weight|bias)")
BLOCK_NAMES: Final[Mapping[str, str]] = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
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
    names = {}
    for source, name, shape in _wanted(config, tied=tied):
        _check(source, shape, found)
        names[source] = name
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


def _wanted(config: Mapping[str, Any], *, tied: bool) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """Yields of each tensor the checkpoint's name, llama.cpp's, and its shape there."""
    read_dimensions(config)
    for tensor in qwen2_tensors({**config, "dtype": "float16", "tie_word_embeddings": tied}):
        block = BLOCK.fullmatch(tensor.name)
        if block is None:
            yield tensor.name, NAMES[tensor.name], tensor.shape
        else:
            number, module, kind = block.groups()
            yield tensor.name, f"blk.{number}.{BLOCK_NAMES[module]}.{kind}", tensor.shape


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
