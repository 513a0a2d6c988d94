"""Float weights as INT8, each row with a scale of its own, to the nearest step."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int8]

STEPS = np.float32(127)
# Below this float32 loses digits, and engines may take it for zero: no scale is smaller.
LEAST_SCALE = np.finfo(np.float32).tiny


def round_rows(values: Floats) -> tuple[Integers, Floats]:
    """Returns INT8 weights and the scale of each row; weight times scale is the value again.

    Symmetric, so that zero stays zero: the scale is the row's largest magnitude over 127, and no
    value is off by more than half of it.

    Args:
        values: finite, of shape [rows, columns].

    Returns:
        Weights of that shape, -127 to 127; scales of shape [rows].
    """
    scales = np.maximum(np.abs(values).max(axis=1) / STEPS, LEAST_SCALE)
    return _round(values / scales[:, np.newaxis]), scales


def round_rows_as_bitsandbytes(values: Floats) -> tuple[Integers, Floats]:
    """Returns INT8 weights and SCB, the largest magnitude of each row: weight times SCB over 127.

    Bit for bit what bitsandbytes 0.50 gives on a CPU (`Int8Params`, `int8_vectorwise_quant`), which
    makes float16 of the weights first. What is too large for that becomes infinite.

    Args:
        values: finite, of shape [rows, columns].

    Returns:
        Weights of that shape, -127 to 127; SCB of shape [rows].
    """
    with np.errstate(over="ignore", invalid="ignore"):
        halves = values.astype(np.float16).astype(np.float32)
        largest = np.abs(halves).max(axis=1)
        # A row of zeros has the scale 0 there; its weights are 0 by any factor.
        divisors: Floats = np.where(largest > 0, largest, 1).astype(np.float32)
        factors = (np.float32(1) / divisors) * STEPS
        return _round(halves * factors[:, np.newaxis]), largest


def _round(steps: Floats) -> Integers:
    return np.clip(np.rint(steps), -STEPS, STEPS).astype(np.int8)
