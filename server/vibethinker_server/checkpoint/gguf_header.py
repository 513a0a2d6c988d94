"""Reads the header of a GGUF file without llama.cpp's package, which pods do not have."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vibethinker_server.checkpoint.checkpoint_error import CheckpointError
from vibethinker_server.checkpoint.ggml_types import TYPES, GgmlType
from vibethinker_server.checkpoint.gguf_bytes import ARRAY, GgufBytes, Value

# VibeThinker's, and that of the Qwen2 models it was trained from.
ARCHITECTURE: Final = "qwen2"
MAGIC: Final = b"GGUF"
VERSIONS: Final = (2, 3)
DEFAULT_ALIGNMENT: Final = 32
MAX_ENTRIES: Final = 100_000
MAX_DIMENSIONS: Final = 4
# llama.cpp keeps keys and values in 16 bits, whatever the weights are in.
CACHE_ITEM_BYTES: Final = 2


@dataclass(frozen=True, slots=True)
class GgufTensor:
    """One tensor: `shape` as ggml has it, the row's length first; `offset` within the data."""

    name: str
    shape: tuple[int, ...]
    type: GgmlType
    offset: int

    @property
    def byte_count(self) -> int:
        """Bytes of its values, without padding."""
        return self.type.size(self.shape)


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What a GGUF file says about its model.

    Attributes:
        architecture: `general.architecture`, such as qwen2.
        values: every metadata value that is no array, by key.
        lengths: the length of every array, by key.
        tensors: in the file's order.
    """

    architecture: str
    values: Mapping[str, Value]
    lengths: Mapping[str, int]
    tensors: tuple[GgufTensor, ...]

    @property
    def name(self) -> str | None:
        """The model's name, None where the file has none."""
        found = self.values.get("general.name")
        return found if isinstance(found, str) else None

    @property
    def weights_bytes(self) -> int:
        """Bytes of all tensors, which is what they take in memory."""
        return sum(tensor.byte_count for tensor in self.tensors)

    @property
    def block_count(self) -> int | None:
        """The number of layers."""
        return self.number("block_count")

    @property
    def context_length(self) -> int | None:
        """The tokens of the longest sequence that the model was made for."""
        return self.number("context_length")

    @property
    def kv_token_bytes(self) -> int | None:
        """Bytes of one token's KV in llama.cpp's cache of 16 bits; None where the file is silent.

        2 (key and value) x layers x KV heads x head size x 2.
        """
        layers, heads, size = self.block_count, self.kv_heads, self.head_size
        if layers is None or heads is None or size is None:
            return None
        return 2 * layers * heads * size * CACHE_ITEM_BYTES

    @property
    def kv_heads(self) -> int | None:
        """The heads of keys and values in each layer."""
        return self.number("attention.head_count_kv") or self.number("attention.head_count")

    @property
    def head_size(self) -> int | None:
        """The elements of one head's key, None where the file does not say."""
        width, heads = self.number("embedding_length"), self.number("attention.head_count")
        computed = width // heads if width and heads else None
        return self.number("attention.key_length") or computed

    @property
    def vocabulary(self) -> int | None:
        """The number of tokens, None where the file has none."""
        return self.lengths.get("tokenizer.ggml.tokens")

    def number(self, key: str) -> int | None:
        """Returns the whole number above 0 at a key of the architecture's own, None without."""
        found = self.values.get(f"{self.architecture}.{key}")
        return found if type(found) is int and found > 0 else None


def read_gguf_header(path: Path, architecture: str | None = ARCHITECTURE) -> GgufHeader:
    """Returns what a GGUF file says about its model.

    Args:
        path: the file.
        architecture: the only architecture to accept; None: any.

    Raises:
        CheckpointError: it is not there, no GGUF, truncated, one part of several, or of another
            architecture.
    """
    try:
        with path.open("rb") as stream:
            size = path.stat().st_size
            content = GgufBytes(stream, size, path)
            header = _read(content, path)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror}") from error
    _check_whole(header, content, size, path)
    if architecture is not None and header.architecture != architecture:
        raise CheckpointError(
            f"{path}: general.architecture is {header.architecture!r}, and only {architecture!r}"
            " (VibeThinker, Qwen2, Qwen2.5) is known here"
        )
    return header


def _read(content: GgufBytes, path: Path) -> GgufHeader:
    _read_start(content, path)
    tensor_count = content.count("tensors", MAX_ENTRIES)
    value_count = content.count("metadata values", MAX_ENTRIES)
    values: dict[str, Value] = {}
    lengths: dict[str, int] = {}
    for _ in range(value_count):
        key, kind = content.text(), content.integer()
        if kind == ARRAY:
            lengths[key] = content.skip_array(key)
        else:
            values[key] = content.value(kind, key)
    tensors = tuple(_read_tensor(content) for _ in range(tensor_count))
    architecture = values.get("general.architecture")
    if not isinstance(architecture, str):
        raise content.damaged("there is no general.architecture")
    return GgufHeader(architecture, values, lengths, tensors)


def _read_start(content: GgufBytes, path: Path) -> None:
    if content.take(len(MAGIC)) != MAGIC:
        raise CheckpointError(f"{path}: is no GGUF file: it does not begin with {MAGIC.decode()}")
    version = content.integer()
    if version not in VERSIONS:
        known = " and ".join(map(str, VERSIONS))
        raise CheckpointError(
            f"{path}: is of GGUF version {version}, and {known} (little-endian) are known here:"
            " export it again"
        )


def _read_tensor(content: GgufBytes) -> GgufTensor:
    name = content.text()
    dimensions = content.integer()
    if dimensions > MAX_DIMENSIONS:
        raise content.damaged(f"tensor {name} has {dimensions} dimensions")
    shape = tuple(content.long() for _ in range(dimensions))
    number = content.integer()
    if number not in TYPES:
        raise content.damaged(f"tensor {name} is of the unknown type {number}")
    if shape and not TYPES[number].row_fits(shape[0]):
        raise content.damaged(
            f"tensor {name} has rows of {shape[0]}, which {TYPES[number].name} cannot hold"
        )
    return GgufTensor(name, shape, TYPES[number], content.long())


def _check_whole(header: GgufHeader, content: GgufBytes, size: int, path: Path) -> None:
    parts = header.values.get("split.count", 1)
    if isinstance(parts, int) and parts > 1:
        raise CheckpointError(
            f"{path}: is one of {parts} parts: join them first (llama-gguf-split --merge)"
        )
    alignment = header.values.get("general.alignment", DEFAULT_ALIGNMENT)
    if type(alignment) is not int or alignment < 1:
        raise content.damaged(f"general.alignment is {alignment!r}")
    start = -(-content.place // alignment) * alignment
    end = max((start + each.offset + each.byte_count for each in header.tensors), default=0)
    if end > size:
        raise content.truncated(f"its tensors end at byte {end} and the file has {size}")
