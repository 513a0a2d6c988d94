from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from vibethinker_server.line import Line, fold_line

from tests.support.server_runtime import SATURATION


def tell(story: Sequence[tuple[float, float | None]]) -> list[bool]:
    """Returns whether the line counts as crossed after each (time, ratio)."""
    line, states = Line(), []
    for now, ratio in story:
        line = fold_line(line, now, ratio, SATURATION)
        states.append(line.crossed)
    return states


def test_a_spike_does_not_cross_the_line():
    assert tell([(0, 0.9), (9.9, 0.9), (10, 0.5), (11, 0.9), (20, 0.9)]) == [False] * 5


def test_staying_above_for_the_window_crosses_it():
    assert tell([(0, 0.75), (5, 0.8), (9.9, 0.75), (10, 0.75)]) == [False, False, False, True]


def test_a_crossed_line_is_left_at_the_recover_line_and_not_before():
    story = [(0, 0.8), (10, 0.8), (11, 0.70), (12, 0.651), (13, 0.65), (14, 0.74)]
    assert tell(story) == [False, True, True, True, False, False]


def test_after_recovery_the_window_begins_anew():
    story = [(0, 0.8), (10, 0.8), (11, 0.6), (12, 0.8), (21, 0.8), (22, 0.8)]
    assert tell(story) == [False, True, False, False, False, True]


def test_unknown_breaks_a_streak():
    assert tell([(0, 0.8), (9, None), (10, 0.8), (19, 0.8), (20, 0.8)]) == [False] * 4 + [True]


def test_unknown_leaves_a_crossed_line_crossed_until_it_is_seen_to_recover():
    assert tell([(0, 0.8), (10, 0.8), (11, None), (99, 0.7), (100, 0.6)]) == [
        False,
        True,
        True,
        True,
        False,
    ]


readings = st.lists(st.none() | st.floats(0, 1), min_size=1, max_size=60)


@given(readings)
def test_it_is_never_crossed_without_a_whole_window_above(ratios: list[float | None]):
    line, above = Line(), 0.0
    for second, ratio in enumerate(ratios):
        before = line.crossed
        line = fold_line(line, float(second), ratio, SATURATION)
        above = above + 1 if ratio is not None and ratio >= 0.75 else 0.0
        if line.crossed and not before:
            assert above > SATURATION.sustained_seconds


@given(readings)
def test_at_or_below_the_recover_line_it_is_never_crossed(ratios: list[float | None]):
    line = Line()
    for second, ratio in enumerate(ratios):
        line = fold_line(line, float(second), ratio, SATURATION)
        if ratio is not None and ratio <= 0.65:
            assert line == Line()
