import pytest

from tests.bench.middleware.document import KEYS, render_aims, render_contestant
from tests.bench.middleware.figures import Figure, Missing


def figures(**changes: Figure | Missing) -> dict[str, Figure | Missing]:
    return {key: Figure(2.0, 1.0, 3.0, 5) for key in KEYS} | changes


def test_a_contestant_has_every_key_that_was_asked_for():
    document = render_contestant(figures())
    assert set(KEYS) <= set(document)
    assert document["rejects_per_second"] == 2.0
    assert document["rejects_per_second_spread"] == [1.0, 3.0]


def test_what_was_not_measured_is_null_and_says_why():
    document = render_contestant(figures(p99_ms_mixed=Missing("it refuses nobody")))
    assert document["p99_ms_mixed"] is None
    assert document["p99_ms_mixed_reason"] == "it refuses nobody"
    assert "p99_ms_mixed_spread" not in document


@pytest.mark.parametrize("key", KEYS)
def test_a_key_without_figure_and_reason_is_an_error(key: str):
    incomplete = {name: figure for name, figure in figures().items() if name != key}
    with pytest.raises(ValueError, match=key):
        render_contestant(incomplete)


def test_rounding_makes_no_zero_of_what_is_none():
    document = render_contestant(figures(added_us_per_chunk=Figure(0.0012, -0.0031, 0.5, 5)))
    assert document["added_us_per_chunk"] == 0.0012
    assert document["added_us_per_chunk_spread"] == [-0.0031, 0.5]


def test_an_aim_holds_up_to_its_line_and_never_without_a_figure():
    known = figures(rejects_per_second=Missing("why"), added_us_per_request_1k=Figure(25, 1, 60, 5))
    aims = render_aims(
        known,
        at_most={"added_us_per_request_1k": 25, "added_us_per_request_16k": 1.9},
        at_least={"rejects_per_second": 0, "p99_ms_mixed": 2.0},
    )
    held = {key: aim["held"] for key, aim in aims.items()}
    assert held == {
        "added_us_per_request_1k": True,
        "added_us_per_request_16k": False,
        "rejects_per_second": False,
        "p99_ms_mixed": True,
    }
