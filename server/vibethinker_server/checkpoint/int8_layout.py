"""Which tensors an INT8 checkpoint holds, from the shapes of the one it is made from. Pure.

Quantised is the weight of every linear layer in the blocks. Embeddings, output layer, norms and
biases stay as they are: they are small, or every token's choice hangs on them.
"""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

from vibethinker_server.checkpoint.checkpoint_error import CheckpointError
from vibethinker_server.checkpoint.safetensors_header import TensorShape

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
FEED_FORWARD = ("gate_proj", "up_proj", "down_proj")
LINEAR_LAYERS = tuple(
    [f"self_attn.{name}" for name in ATTENTION] + [f"mlp.{name}" for name in FEED_FORWARD]
)
LINEAR_WEIGHT = re.compile(
    rf"model\.layers\.\d+\.({'|'.join(map(re.escape, LINEAR_LAYERS))})\.weight"
)
WEIGHT_TYPES = ("BF16", "F16", "F32")


class Method(StrEnum):
    """How INT8 weights are stored, and so who computes with them.

    W8A8 is compressed-tensors': vLLM reads it by itself. BITSANDBYTES needs vllm-bnb-plugin.
    """

    W8A8 = "w8a8"
    BITSANDBYTES = "bitsandbytes"


def is_quantized(name: str) -> bool:
    """Tells whether the tensor `name` is a weight that becomes INT8."""
    return LINEAR_WEIGHT.fullmatch(name) is not None


def lay_out(tensor: TensorShape, method: Method) -> tuple[TensorShape, ...]:
    """Returns what stands for `tensor` in the INT8 checkpoint: itself, or weight and scales.

    The names and types are those that vLLM's loaders read: `weight_scale` as float32 [rows, 1] by
    compressed-tensors; `SCB` as float32 [rows] and `weight_format` by bitsandbytes.
    """
    if not is_quantized(tensor.name):
        return (TensorShape(tensor.name, tensor.dtype, tensor.shape),)
    layer = tensor.name.removesuffix(".weight")
    rows, _ = tensor.shape
    weight = TensorShape(tensor.name, "I8", tensor.shape)
    if method is Method.W8A8:
        return weight, TensorShape(f"{layer}.weight_scale", "F32", (rows, 1))
    scales = TensorShape(f"{layer}.SCB", "F32", (rows,))
    return weight, scales, TensorShape(f"{layer}.weight_format", "U8", ())


def estimate_bytes(tensors: Iterable[TensorShape], method: Method | None = None) -> int:
    """Returns the bytes of all tensors once quantised by `method`; None: as they are."""
    laid_out = ((tensor,) if method is None else lay_out(tensor, method) for tensor in tensors)
    return sum(each.byte_count for group in laid_out for each in group)


def check_linear_layers(where: str, tensors: Iterable[TensorShape], layers: int) -> None:
    """Lets a checkpoint pass that has every weight which would be quantised.

    Args:
        where: the checkpoint, for people.
        tensors: all of its tensors.
        layers: blocks that its config names.

    Raises:
        CheckpointError: one is missing, is no matrix, or is of a type that is no float.
    """
    found: Mapping[str, TensorShape] = {tensor.name: tensor for tensor in tensors}
    for block in range(layers):
        for layer in LINEAR_LAYERS:
            name = f"model.layers.{block}.{layer}.weight"
            if name not in found:
                raise CheckpointError(
                    f"{where}: lacks tensor {name}, and num_hidden_layers in config.json is"
                    f" {layers}: bring the missing file"
                )
    for tensor in filter(lambda each: is_quantized(each.name), found.values()):
        if tensor.dtype not in WEIGHT_TYPES or len(tensor.shape) != 2 or 0 in tensor.shape:  # noqa: PLR2004 (a matrix)
            raise CheckpointError(
                f"{where}: tensor {tensor.name} is {tensor.dtype} {list(tensor.shape)}, and must be"
                f" a matrix of {', '.join(WEIGHT_TYPES)}"
            )
