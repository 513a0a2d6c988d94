import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from vibethinker_server.checkpoint.checkpoint_error import CheckpointError
from vibethinker_server.checkpoint.int8_rounding import (
    Floats,
    round_rows,
    round_rows_as_bitsandbytes,
)
from vibethinker_server.checkpoint.tensor_values import to_float32

SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, max_side=8)
ANY_FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)
HALVES = st.floats(width=16, allow_nan=False, allow_infinity=False)


@settings(deadline=None)
@given(arrays.arrays(np.float32, SHAPES, elements=ANY_FLOATS))
def test_no_value_is_off_by_more_than_half_a_step(values: Floats):
    weights, scales = round_rows(values)
    assert (str(weights.dtype), str(scales.dtype)) == ("int8", "float32")
    assert scales.shape == values.shape[:1]
    error = np.abs(weights.astype(np.float64) * scales[:, None] - values)
    # Scale and quotient are themselves rounded to float32: 127 of its last digits.
    assert (error <= scales[:, None] * (0.5 + 127 * 2**-22)).all()
    assert (scales > 0).all()
    assert np.isfinite(scales).all()


@settings(deadline=None)
@given(arrays.arrays(np.float32, SHAPES, elements=HALVES))
def test_bitsandbytes_form_is_off_by_no_more_than_half_a_step(values: Floats):
    weights, largest = round_rows_as_bitsandbytes(values)
    assert (largest == np.abs(values).max(axis=1)).all()
    step = largest.astype(np.float64)[:, None] / 127
    error = np.abs(weights * step - values)
    assert (error <= step * (0.5 + 127 * 2**-22)).all()


@pytest.mark.parametrize("rounding", [round_rows, round_rows_as_bitsandbytes])
def test_a_row_of_zeros_stays_zero_beside_one_that_is_none(rounding):
    weights, scales = rounding(np.array([[0, 0, -0.0], [1, -2, 0.5]], np.float32))
    assert weights.tolist()[0] == [0, 0, 0]
    assert weights.tolist()[1] == [64, -127, 32]
    assert np.isfinite(scales).all()


def test_each_row_has_a_scale_of_its_own():
    _, scales = round_rows(np.array([[127, 1], [1.27, 0]], np.float32))
    assert scales.tolist() == pytest.approx([1, 0.01])


@pytest.mark.parametrize("largest", [np.finfo(np.float32).max, 1e-45, 1e-38, 6e-8])
def test_the_largest_value_of_a_row_is_127_steps_unless_floats_end_there(largest: float):
    weights, scales = round_rows(np.array([[largest, -largest, 0]], np.float32))
    assert weights[0, 0] == -weights[0, 1]
    assert weights[0, 0] * scales.astype(np.float64)[0] == pytest.approx(
        largest, rel=1e-6, abs=float(np.finfo(np.float32).tiny) / 2
    )


def test_what_float16_cannot_hold_shows_in_bitsandbytes_scales():
    _, largest = round_rows_as_bitsandbytes(np.array([[70_000.0, 1.0]], np.float32))
    assert np.isinf(largest).all()


def test_a_bfloat16_is_the_upper_half_of_a_float32():
    bits = np.array([[0x3F80, 0xC000, 0x0001, 0x7F7F]], np.uint16)
    values = to_float32(bits, "BF16")
    assert values.tolist() == [[1.0, -2.0, 2.0**-133, (2 - 2**-7) * 2.0**127]]
    assert to_float32(np.array([0.5], np.float16), "F16").dtype == np.float32


def test_integers_are_no_weights():
    with pytest.raises(CheckpointError, match="I8"):
        to_float32(np.array([1], np.int8), "I8")
