"""Writes safetensors files of INT8 weights, some rows of one tensor at a time."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from vibethinker_server.checkpoint.checkpoint_error import CheckpointError
from vibethinker_server.checkpoint.int8_layout import Method
from vibethinker_server.checkpoint.int8_rounding import (
    Floats,
    Integers,
    round_rows,
    round_rows_as_bitsandbytes,
)
from vibethinker_server.checkpoint.safetensors_header import StoredTensor
from vibethinker_server.checkpoint.shard_plan import Part, ShardPlan, place_tensors
from vibethinker_server.checkpoint.tensor_values import read_pieces, to_float32

# bitsandbytes' name of "row after row", the one order that it still reads.
ROW_MAJOR = np.zeros((), np.uint8)
ROUNDING: Mapping[Method, Callable[[Floats], tuple[Integers, Floats]]] = {
    Method.W8A8: round_rows,
    Method.BITSANDBYTES: round_rows_as_bitsandbytes,
}

Advance = Callable[[int], None]


def write_shard(directory: Path, plan: ShardPlan, method: Method, advance: Advance) -> None:
    """Writes one file of the plan into `directory`.

    Args:
        directory: where it goes.
        plan: what it holds.
        method: how its linear layers are quantised.
        advance: told of the bytes that were written since the last time.

    Raises:
        CheckpointError: a tensor cannot be read, or holds what no INT8 can stand for.
        OSError: the file cannot be written.
    """
    placement = place_tensors(plan)
    with (directory / plan.name).open("wb") as stream:
        stream.write(placement.header)
        for part in plan.parts:
            places = [placement.begins[tensor.name] for tensor in part.written]
            for values, place in _values(part, method, places):
                _write(stream, values, place)
                advance(values.nbytes)


def _values(
    part: Part, method: Method, places: list[int]
) -> Iterator[tuple[npt.NDArray[np.generic], int]]:
    """Yields what to write of one tensor, and at which byte of the file."""
    if len(part.written) == 1:
        yield from _one_after_another(read_pieces(part.source), places[0])
        return
    scales: list[Floats] = []

    def weights() -> Iterator[npt.NDArray[np.generic]]:
        for piece in read_pieces(part.source):
            rounded, scale = ROUNDING[method](_finite(part.source, piece))
            scales.append(_usable(part.source, scale))
            yield rounded

    yield from _one_after_another(weights(), places[0])
    yield np.concatenate(scales), places[1]
    if method is Method.BITSANDBYTES:
        yield ROW_MAJOR, places[2]


def _one_after_another(
    pieces: Iterator[npt.NDArray[np.generic]], place: int
) -> Iterator[tuple[npt.NDArray[np.generic], int]]:
    for piece in pieces:
        yield piece, place
        place += piece.nbytes


def _finite(tensor: StoredTensor, piece: npt.NDArray[np.generic]) -> Floats:
    values = to_float32(piece, tensor.dtype)
    if not np.isfinite(values).all():
        raise CheckpointError(
            f"{tensor.file}: tensor {tensor.name} holds values that are no finite numbers: the"
            " checkpoint is damaged; bring it again"
        )
    return values


def _usable(tensor: StoredTensor, scales: Floats) -> Floats:
    if not np.isfinite(scales).all():
        raise CheckpointError(
            f"{tensor.file}: tensor {tensor.name} holds values too large for float16, which"
            " bitsandbytes makes of them: use --method w8a8"
        )
    return scales


def _write(stream: BinaryIO, values: npt.NDArray[np.generic], place: int) -> None:
    stream.seek(place)
    stream.write(np.ascontiguousarray(values).data)
