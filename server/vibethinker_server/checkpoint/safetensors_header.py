"""Reads the headers of safetensors files: which tensors they hold, and where.

The format: https://huggingface.co/docs/safetensors (8 bytes of length, that many bytes of JSON,
then the tensors without gaps). Needs nothing but Python, so that whoever wants only sizes does too.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from vibethinker_server.checkpoint.checkpoint_error import CheckpointError

LENGTH_BYTES = 8
# The format's own bound.
MAX_HEADER_BYTES = 100_000_000
ITEM_BYTES: Mapping[str, int] = {
    "BOOL": 1,
    "U8": 1,
    "I8": 1,
    "F8_E4M3": 1,
    "F8_E5M2": 1,
    "I16": 2,
    "U16": 2,
    "F16": 2,
    "BF16": 2,
    "I32": 4,
    "U32": 4,
    "F32": 4,
    "I64": 8,
    "U64": 8,
    "F64": 8,
}


@dataclass(frozen=True, slots=True)
class TensorShape:
    """A tensor without its values; `dtype` as safetensors spells it, such as BF16."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def byte_count(self) -> int:
        """Bytes of its values."""
        return prod(self.shape) * ITEM_BYTES[self.dtype]


@dataclass(frozen=True, slots=True)
class StoredTensor(TensorShape):
    """A tensor in a file; its values begin at byte `begin` of it, row after row."""

    file: Path
    begin: int


def read_header(file: Path) -> tuple[StoredTensor, ...]:
    """Returns the tensors of `file` in the order of their bytes.

    Raises:
        CheckpointError: it cannot be read, is truncated, or is no safetensors file.
    """
    try:
        with file.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            length = int.from_bytes(stream.read(LENGTH_BYTES), "little")
            _check_length(file, length, size)
            header = json.loads(stream.read(length))
    except OSError as error:
        raise CheckpointError(f"{file}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"{file}: its header is no JSON: {_DAMAGED}") from error
    return _locate(file, header, LENGTH_BYTES + length, size)


_DAMAGED = "the file is damaged or no safetensors file; bring it again"


def _check_length(file: Path, length: int, size: int) -> None:
    if size < LENGTH_BYTES or LENGTH_BYTES + length > size:
        raise CheckpointError(
            f"{file}: truncated: its header ends at byte {LENGTH_BYTES + length} and the file has"
            f" {size}; bring it again"
        )
    if length > MAX_HEADER_BYTES:
        raise CheckpointError(f"{file}: its header would take {length} bytes: {_DAMAGED}")


def _locate(file: Path, header: Any, start: int, size: int) -> tuple[StoredTensor, ...]:
    if not isinstance(header, dict):
        raise CheckpointError(f"{file}: its header is no object: {_DAMAGED}")
    header.pop("__metadata__", None)
    spans = sorted((_span(file, name, entry), name) for name, entry in header.items())
    place, tensors = 0, []
    for (begin, end), name in spans:
        tensor = StoredTensor(
            name, header[name]["dtype"], tuple(header[name]["shape"]), file, start + begin
        )
        if begin != place or end - begin != tensor.byte_count:
            raise CheckpointError(f"{file}: data_offsets of {name} do not fit: {_DAMAGED}")
        if start + end > size:
            raise CheckpointError(
                f"{file}: truncated: tensor {name} ends at byte {start + end} and the file has"
                f" {size}; bring it again"
            )
        place = end
        tensors.append(tensor)
    return tuple(tensors)


def _span(file: Path, name: str, entry: Any) -> tuple[int, int]:
    """Returns begin and end of a tensor's bytes behind the header, once its entry is seen whole."""
    try:
        dtype, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        whole = _are_counts([*shape, begin, end]) and dtype in ITEM_BYTES
    except (KeyError, TypeError, ValueError):
        whole = False
    if not whole:
        raise CheckpointError(
            f"{file}: tensor {name}: dtype, shape and data_offsets must be a known type and whole"
            f" numbers: {_DAMAGED}"
        )
    return begin, end


def _are_counts(values: Iterable[Any]) -> bool:
    return all(type(value) is int and value >= 0 for value in values)
