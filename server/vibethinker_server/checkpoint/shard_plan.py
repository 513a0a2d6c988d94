"""Which tensors go into which safetensors file, and where in it. Pure."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from vibethinker_server.checkpoint.int8_layout import Method, lay_out
from vibethinker_server.checkpoint.safetensors_header import (
    ITEM_BYTES,
    LENGTH_BYTES,
    StoredTensor,
    TensorShape,
)

SINGLE = "model.safetensors"
SHARD_BYTES = 2 * 10**9
# The header's end, so that every tensor lies at a multiple of its items' size.
ALIGNMENT = 8


@dataclass(frozen=True, slots=True)
class Part:
    """A tensor of the source, and what stands for it in the output."""

    source: StoredTensor
    written: tuple[TensorShape, ...]

    @property
    def byte_count(self) -> int:
        """Bytes of what is written."""
        return sum(tensor.byte_count for tensor in self.written)


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """One file to write."""

    name: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Placement:
    """A file's beginning, and the byte at which each tensor's values begin, by its name."""

    header: bytes
    begins: dict[str, int]


def plan_shards(
    tensors: Iterable[StoredTensor], method: Method, shard_bytes: int = SHARD_BYTES
) -> tuple[ShardPlan, ...]:
    """Returns the files in their order, none over `shard_bytes` but for a single large tensor."""
    groups = list(_fill((Part(each, lay_out(each, method)) for each in tensors), shard_bytes))
    if len(groups) == 1:
        return (ShardPlan(SINGLE, tuple(groups[0])),)
    name = "model-{:05d}-of-{:05d}.safetensors"
    return tuple(
        ShardPlan(name.format(number, len(groups)), tuple(group))
        for number, group in enumerate(groups, start=1)
    )


def _fill(parts: Iterable[Part], shard_bytes: int) -> Iterator[list[Part]]:
    group: list[Part] = []
    filled = 0
    for part in parts:
        if group and filled + part.byte_count > shard_bytes:
            yield group
            group, filled = [], 0
        group.append(part)
        filled += part.byte_count
    yield group


def place_tensors(plan: ShardPlan) -> Placement:
    """Returns header and places of a file's tensors.

    Those with the largest items come first: readers view bytes as items in place.
    """
    written = [tensor for part in plan.parts for tensor in part.written]
    written.sort(key=lambda tensor: -ITEM_BYTES[tensor.dtype])
    entries: dict[str, object] = {"__metadata__": {"format": "pt"}}
    offsets: dict[str, int] = {}
    end = 0
    for tensor in written:
        begin, end = end, end + tensor.byte_count
        entries[tensor.name] = {
            "dtype": tensor.dtype,
            "shape": tensor.shape,
            "data_offsets": [begin, end],
        }
        offsets[tensor.name] = begin
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    header = len(text).to_bytes(LENGTH_BYTES, "little") + text
    return Placement(header, {name: len(header) + begin for name, begin in offsets.items()})


def render_index(plans: Iterable[ShardPlan]) -> str:
    """Returns the index file, which says in which file each tensor lies."""
    placed = [
        (tensor, plan.name) for plan in plans for part in plan.parts for tensor in part.written
    ]
    total = sum(tensor.byte_count for tensor, _ in placed)
    index = {
        "metadata": {"total_size": total},
        "weight_map": {tensor.name: name for tensor, name in placed},
    }
    return json.dumps(index, indent=2) + "\n"
