"""Writes the values of tensors in ggml's formats, some rows at a time."""

from collections.abc import Callable
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from vibethinker_server.checkpoint.checkpoint_error import CheckpointError
from vibethinker_server.checkpoint.ggml_types import F16, GgmlType
from vibethinker_server.checkpoint.gguf_header import DEFAULT_ALIGNMENT
from vibethinker_server.checkpoint.gguf_package import gguf
from vibethinker_server.checkpoint.gguf_plan import PlannedTensor
from vibethinker_server.checkpoint.safetensors_header import StoredTensor
from vibethinker_server.checkpoint.tensor_values import read_pieces, to_float32


def write_values(
    stream: BinaryIO, tensors: tuple[PlannedTensor, ...], advance: Callable[[int], None]
) -> None:
    """Appends the values of all tensors, each on a border of 32 bytes.

    Args:
        stream: ends where the tensors' data are to begin.
        tensors: in the order of the file's header.
        advance: told of the bytes that were written since the last time.

    Raises:
        CheckpointError: a tensor cannot be read, or holds what its format cannot.
        OSError: the file cannot be written.
    """
    for planned in tensors:
        for piece in read_pieces(planned.source):
            encoded = _encode(planned.source, piece, planned.type)
            stream.write(encoded.data)
            advance(encoded.nbytes)
        stream.write(bytes(-planned.byte_count % DEFAULT_ALIGNMENT))


def _encode(
    tensor: StoredTensor, piece: npt.NDArray[np.generic], wanted: GgmlType
) -> npt.NDArray[np.generic]:
    values = to_float32(piece, tensor.dtype)
    _check_finite(tensor, values, "values that are no finite numbers: bring the checkpoint again")
    with np.errstate(over="ignore"):  # seen below, and told with the tensor's name
        encoded = gguf().quants.quantize(values, gguf().GGMLQuantizationType(wanted.number))
    if wanted is F16:
        _check_finite(tensor, encoded, "values too large for f16: use --outtype bf16")
    return np.ascontiguousarray(encoded)


def _check_finite(tensor: StoredTensor, values: npt.NDArray[np.generic], otherwise: str) -> None:
    if not np.isfinite(values).all():
        raise CheckpointError(f"{tensor.file}: tensor {tensor.name} holds {otherwise}")
