"""The number formats of ggml that a GGUF file may hold, and the bytes they take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Final


@dataclass(frozen=True, slots=True)
class GgmlType:
    """One format: `block` elements of a row are stored together in `bytes` bytes."""

    number: int
    name: str
    block: int
    bytes: int

    def row_fits(self, elements: int) -> bool:
        """Tells whether a row of so many elements is a whole number of blocks."""
        return elements % self.block == 0

    def size(self, shape: Sequence[int]) -> int:
        """Returns the bytes of a tensor of this shape, whose rows fit."""
        return prod(shape) // self.block * self.bytes


F32: Final = GgmlType(0, "F32", 1, 4)
F16: Final = GgmlType(1, "F16", 1, 2)
Q8_0: Final = GgmlType(8, "Q8_0", 32, 34)
BF16: Final = GgmlType(30, "BF16", 1, 2)

# Numbers and sizes: ggml.h and ggml-common.h of llama.cpp; a test compares them with `gguf`.
_OTHERS: Final = (
    (2, "Q4_0", 32, 18),
    (3, "Q4_1", 32, 20),
    (6, "Q5_0", 32, 22),
    (7, "Q5_1", 32, 24),
    (9, "Q8_1", 32, 40),
    (10, "Q2_K", 256, 84),
    (11, "Q3_K", 256, 110),
    (12, "Q4_K", 256, 144),
    (13, "Q5_K", 256, 176),
    (14, "Q6_K", 256, 210),
    (15, "Q8_K", 256, 292),
    (16, "IQ2_XXS", 256, 66),
    (17, "IQ2_XS", 256, 74),
    (18, "IQ3_XXS", 256, 98),
    (19, "IQ1_S", 256, 50),
    (20, "IQ4_NL", 32, 18),
    (21, "IQ3_S", 256, 110),
    (22, "IQ2_S", 256, 82),
    (23, "IQ4_XS", 256, 136),
    (24, "I8", 1, 1),
    (25, "I16", 1, 2),
    (26, "I32", 1, 4),
    (27, "I64", 1, 8),
    (28, "F64", 1, 8),
    (29, "IQ1_M", 256, 56),
    (34, "TQ1_0", 256, 54),
    (35, "TQ2_0", 256, 66),
    (39, "MXFP4", 32, 17),
)
TYPES: Final[Mapping[int, GgmlType]] = {
    each.number: each for each in (F32, F16, Q8_0, BF16, *(GgmlType(*row) for row in _OTHERS))
}
