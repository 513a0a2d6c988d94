"""Reads the header of a GGUF file without llama.cpp's package, which pods do not have.

The format: docs/gguf.md of ggml. Everything is read within the file's own size, so a length that
a broken file claims costs nothing.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from vibethinker_server.checkpoint.ggml_types import TYPES, GgmlType

ARCHITECTURE: Final = "qwen2"
MAGIC: Final = b"GGUF"
VERSIONS: Final = (2, 3)
DEFAULT_ALIGNMENT: Final = 32
# Far above any model; a header beyond them would only keep the reader busy.
MAX_ENTRIES: Final = 100_000
MAX_STRINGS: Final = 10_000_000
MAX_DIMENSIONS: Final = 4
# The numbers of value types, and how they are packed.
STRING, ARRAY = 8, 9
PACKED: Final[Mapping[int, str]] = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}

Value = int | float | bool | str


class GgufError(ValueError):
    """A file is no GGUF that can be served; the text says what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class GgufTensor:
    """One tensor: `shape` as ggml has it, the row's length first; `offset` within the data."""

    name: str
    shape: tuple[int, ...]
    type: GgmlType
    offset: int

    @property
    def bytes(self) -> int:
        """The bytes of its elements, without padding."""
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
    def tensor_bytes(self) -> int:
        """The bytes of all weights, which is what they take in memory."""
        return sum(tensor.bytes for tensor in self.tensors)

    @property
    def block_count(self) -> int | None:
        """The number of layers."""
        return self._number("block_count")

    @property
    def context_length(self) -> int | None:
        """The tokens of the longest sequence that the model was made for."""
        return self._number("context_length")

    @property
    def kv_heads(self) -> int | None:
        """The heads of keys and values in each layer."""
        return self._number("attention.head_count_kv") or self._number("attention.head_count")

    @property
    def head_size(self) -> int | None:
        """The elements of one head's key, None where the file does not say."""
        stated = self._number("attention.key_length")
        width, heads = self._number("embedding_length"), self._number("attention.head_count")
        return stated or (width // heads if width and heads else None)

    @property
    def vocabulary(self) -> int | None:
        """The number of tokens, None where the file has none."""
        return self.lengths.get("tokenizer.ggml.tokens")

    def _number(self, key: str) -> int | None:
        found = self.values.get(f"{self.architecture}.{key}")
        # Neither True nor a number that no model has.
        return found if type(found) is int and found > 0 else None


def read_gguf_header(path: Path, architecture: str | None = ARCHITECTURE) -> GgufHeader:
    """Returns what a GGUF file says about its model.

    Args:
        path: the file.
        architecture: the only architecture to accept; None: any.

    Raises:
        GgufError: the file is missing, no GGUF, truncated, one part of several, or of another
            architecture.
    """
    try:
        with path.open("rb") as stream:
            size = path.stat().st_size
            header, data = _read(_Reader(stream, size, path))
    except OSError as error:
        raise GgufError(f"{path}: cannot be read ({error.strerror or error})") from error
    _check_whole(header, size - data, path)
    if architecture is not None and header.architecture != architecture:
        raise GgufError(
            f"{path}: general.architecture is {header.architecture!r}, and only {architecture!r} "
            "is served here: name a GGUF of VibeThinker"
        )
    return header


class _Reader:
    """Reads little-endian values one after the other, never beyond the end of the file."""

    def __init__(self, stream: BinaryIO, size: int, path: Path) -> None:
        self._stream, self._size, self.path = stream, size, path
        self._at = 0

    @property
    def at(self) -> int:
        """The bytes read so far."""
        return self._at

    def take(self, length: int) -> bytes:
        self._advance(length)
        return self._stream.read(length)

    def skip(self, length: int) -> None:
        self._advance(length)
        self._stream.seek(length, 1)

    def _advance(self, length: int) -> None:
        if length > self._size - self._at:
            raise truncated(self.path, "its header ends in the middle")
        self._at += length

    def number(self, letter: str) -> int:
        (value,) = struct.unpack(f"<{letter}", self.take(struct.calcsize(letter)))
        return int(value)

    def count(self, what: str, limit: int) -> int:
        found = self.number("Q")
        if found > limit:
            raise GgufError(f"{self.path}: claims {found} {what}: the file is damaged")
        return found

    def text(self) -> str:
        return self.take(self.number("Q")).decode("utf-8", "replace")


def truncated(path: Path, evidence: str) -> GgufError:
    """Returns the error of a file that is shorter than it says."""
    return GgufError(f"{path}: truncated ({evidence}): copy or export it again")


def _read(reader: _Reader) -> tuple[GgufHeader, int]:
    """Returns the header, and where in the file the tensors' data begin."""
    _read_start(reader)
    tensor_count = reader.count("tensors", MAX_ENTRIES)
    value_count = reader.count("metadata values", MAX_ENTRIES)
    values: dict[str, Value] = {}
    lengths: dict[str, int] = {}
    for _ in range(value_count):
        key = reader.text()
        kind = reader.number("I")
        if kind == ARRAY:
            lengths[key] = _skip_array(reader, key)
        else:
            values[key] = _read_value(reader, kind, key)
    tensors = tuple(_read_tensor(reader) for _ in range(tensor_count))
    architecture = values.get("general.architecture")
    if not isinstance(architecture, str):
        raise GgufError(f"{reader.path}: has no general.architecture: export it again")
    return GgufHeader(architecture, values, lengths, tensors), _data_start(reader, values)


def _read_start(reader: _Reader) -> None:
    if reader.take(min(len(MAGIC), 4)) != MAGIC:
        raise GgufError(f"{reader.path}: no GGUF file (it does not begin with {MAGIC.decode()})")
    version = reader.number("I")
    if version not in VERSIONS:
        big_endian = version.to_bytes(4, "little")[:3] == bytes(3)
        which = "is for big-endian machines" if big_endian else f"has version {version}"
        raise GgufError(f"{reader.path}: {which}, not one of {VERSIONS}: export it again")


def _read_value(reader: _Reader, kind: int, key: str) -> Value:
    if kind == STRING:
        return reader.text()
    letter = PACKED.get(kind)
    if letter is None:
        raise GgufError(f"{reader.path}: {key} has the unknown type {kind}: the file is damaged")
    (value,) = struct.unpack(f"<{letter}", reader.take(struct.calcsize(letter)))
    found: Value = value
    return found


def _skip_array(reader: _Reader, key: str) -> int:
    """Passes over an array, and returns its length."""
    kind = reader.number("I")
    if kind == STRING:
        length = reader.count(f"strings in {key}", MAX_STRINGS)
        for _ in range(length):
            reader.skip(reader.number("Q"))
        return length
    letter = PACKED.get(kind)
    if letter is None:
        raise GgufError(f"{reader.path}: {key} is an array of type {kind}: the file is damaged")
    length = reader.number("Q")
    reader.skip(length * struct.calcsize(letter))
    return length


def _read_tensor(reader: _Reader) -> GgufTensor:
    name = reader.text()
    dimensions = reader.number("I")
    if dimensions > MAX_DIMENSIONS:
        raise GgufError(f"{reader.path}: {name} has {dimensions} dimensions: the file is damaged")
    shape = tuple(reader.number("Q") for _ in range(dimensions))
    number = reader.number("I")
    kind = TYPES.get(number)
    if kind is None:
        raise GgufError(f"{reader.path}: {name} has the type {number}, which is not known here")
    if not kind.row_fits(shape[0] if shape else 1):
        raise GgufError(f"{reader.path}: {name} has rows that {kind.name} cannot hold")
    return GgufTensor(name, shape, kind, reader.number("Q"))


def _data_start(reader: _Reader, values: Mapping[str, Value]) -> int:
    alignment = values.get("general.alignment", DEFAULT_ALIGNMENT)
    if type(alignment) is not int or alignment < 1:
        raise GgufError(f"{reader.path}: general.alignment is {alignment!r}: the file is damaged")
    return -(-reader.at // alignment) * alignment


def _check_whole(header: GgufHeader, data_bytes: int, path: Path) -> None:
    parts = header.values.get("split.count", 1)
    if isinstance(parts, int) and parts > 1:
        raise GgufError(
            f"{path}: is one of {parts} parts: join them first (llama-gguf-split --merge)"
        )
    needed = max((tensor.offset + tensor.bytes for tensor in header.tensors), default=0)
    if needed > data_bytes:
        raise truncated(path, f"{needed - max(data_bytes, 0)} bytes of its tensors are missing")
