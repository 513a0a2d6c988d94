"""Reads the values of tensors, some rows at a time, as numpy arrays.

By plain reads rather than a memory map: a file that breaks meanwhile is then an error that names
it, where a map ends the process by SIGBUS.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from vibethinker_server.checkpoint.checkpoint_error import CheckpointError
from vibethinker_server.checkpoint.safetensors_header import ITEM_BYTES, StoredTensor

# numpy has no bfloat16: its 16 bits come as they are.
TYPES: Mapping[str, npt.DTypeLike] = {
    "BF16": "<u2",
    "F16": "<f2",
    "F32": "<f4",
    "I8": "i1",
    "U8": "u1",
}
PIECE_BYTES = 16 * 2**20


def read_values(tensor: StoredTensor) -> npt.NDArray[np.generic]:
    """Returns all values in the tensor's shape, bfloat16 as uint16.

    Raises:
        CheckpointError: its type is none of TYPES, or the file cannot be read.
    """
    return _read(tensor, 0, _count(tensor)).reshape(tensor.shape)


def read_pieces(tensor: StoredTensor) -> Iterator[npt.NDArray[np.generic]]:
    """Yields the values row by row, as many whole rows at a time as PIECE_BYTES hold.

    A tensor of one dimension, or none, is one row.

    Raises:
        CheckpointError: its type is none of TYPES, or the file cannot be read.
    """
    rows, columns = tensor.shape if len(tensor.shape) == 2 else (1, _count(tensor))  # noqa: PLR2004
    step = max(1, PIECE_BYTES // max(1, columns * ITEM_BYTES[tensor.dtype]))
    for row in range(0, rows, step):
        taken = min(step, rows - row)
        yield _read(tensor, row * columns, taken * columns).reshape(taken, columns)


def to_float32(values: npt.NDArray[np.generic], dtype: str) -> npt.NDArray[np.float32]:
    """Returns values that were read from a tensor of type `dtype` as float32, each exactly.

    Raises:
        CheckpointError: `dtype` is no type of weights: BF16, F16 or F32.
    """
    if dtype == "BF16":
        # A bfloat16 is the upper half of a float32.
        return (values.astype(np.uint32) << np.uint32(16)).view(np.float32)
    if dtype not in ("F16", "F32"):
        raise CheckpointError(f"weights of type {dtype} are not known here: BF16, F16, F32 are")
    return values.astype(np.float32)


def _count(tensor: StoredTensor) -> int:
    return tensor.byte_count // ITEM_BYTES[tensor.dtype]


def _read(tensor: StoredTensor, first: int, count: int) -> npt.NDArray[np.generic]:
    """Returns `count` values from the one of number `first` on."""
    item = ITEM_BYTES[tensor.dtype]
    if tensor.dtype not in TYPES:
        raise CheckpointError(
            f"{tensor.file}: tensor {tensor.name} is of type {tensor.dtype}; known are"
            f" {', '.join(TYPES)}"
        )
    try:
        with tensor.file.open("rb", buffering=0) as stream:
            offset = tensor.begin + first * item
            values = np.fromfile(stream, TYPES[tensor.dtype], count, offset=offset)
    except OSError as error:
        raise CheckpointError(f"{tensor.file}: cannot be read: {error}") from error
    if values.size != count:
        raise CheckpointError(f"{tensor.file}: became shorter while tensor {tensor.name} was read")
    return values
