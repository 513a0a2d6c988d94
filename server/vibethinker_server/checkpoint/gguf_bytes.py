"""Reads the values that a GGUF header is made of, never beyond the end of the file.

The format: docs/gguf.md of ggml. A length that a broken file claims is compared with the file's
own size before anything is read, so it costs nothing.
"""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, Final

from vibethinker_server.checkpoint.checkpoint_error import CheckpointError

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
# Far above any model's; beyond it a broken file would keep the reader busy for long.
MAX_STRINGS: Final = 10_000_000

Value = int | float | bool | str


class GgufBytes:
    """The bytes of one file from its beginning on, as little-endian values.

    Every method raises CheckpointError where the file ends too early or makes no sense.
    """

    def __init__(self, stream: BinaryIO, size: int, path: Path) -> None:
        self._stream, self._size, self._path = stream, size, path
        self.place = 0

    def take(self, length: int) -> bytes:
        """Returns the next bytes."""
        self._advance(length)
        return self._stream.read(length)

    def integer(self) -> int:
        """Returns the next unsigned integer of 32 bits."""
        return int.from_bytes(self.take(4), "little")

    def long(self) -> int:
        """Returns the next unsigned integer of 64 bits."""
        return int.from_bytes(self.take(8), "little")

    def count(self, what: str, limit: int) -> int:
        """Returns how many of something follow."""
        found = self.long()
        if found > limit:
            raise self.damaged(f"claims {found} {what}")
        return found

    def text(self) -> str:
        """Returns the next string."""
        return self.take(self.long()).decode("utf-8", "replace")

    def value(self, kind: int, key: str) -> Value:
        """Returns the next value of type `kind`, which is no array."""
        if kind == STRING:
            return self.text()
        letter = self._letter(kind, key)
        (value,) = struct.unpack(f"<{letter}", self.take(struct.calcsize(letter)))
        found: Value = value
        return found

    def skip_array(self, key: str) -> int:
        """Passes over an array, and returns its length."""
        kind = self.integer()
        if kind == STRING:
            length = self.count(f"strings in {key}", MAX_STRINGS)
            for _ in range(length):
                self._skip(self.long())
            return length
        letter = self._letter(kind, key)
        length = self.long()
        self._skip(length * struct.calcsize(letter))
        return length

    def damaged(self, evidence: str) -> CheckpointError:
        """Returns the error of a file that no program wrote like this."""
        return CheckpointError(
            f"{self._path}: {evidence}: the file is damaged; copy or export it again"
        )

    def truncated(self, evidence: str) -> CheckpointError:
        """Returns the error of a file that is shorter than it says."""
        return CheckpointError(f"{self._path}: truncated ({evidence}): copy or export it again")

    def _letter(self, kind: int, key: str) -> str:
        if kind not in PACKED:
            raise self.damaged(f"{key} is of the unknown type {kind}")
        return PACKED[kind]

    def _skip(self, length: int) -> None:
        self._advance(length)
        self._stream.seek(length, 1)

    def _advance(self, length: int) -> None:
        if length > self._size - self.place:
            raise self.truncated("it ends within its header")
        self.place += length
