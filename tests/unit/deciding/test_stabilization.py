"""The highest need of a window, kept in few marks."""

from hypothesis import given, settings
from hypothesis import strategies as st
from vibethinker_operator.stabilization import HISTORY_GAP_SECONDS, NeedHistory

from tests.unit.deciding.builders import START


def follow(needs: list[int], *, window: float = 10.0, start: float = START) -> NeedHistory:
    history = NeedHistory()
    for second, need in enumerate(needs):
        history = history.record(need, window_seconds=window, now=start + second)
    return history


def test_the_highest_need_scrolls_out_after_the_window():
    assert follow([4, 2, 2]).highest == 4
    assert follow([4] + [2] * 10).highest == 4
    assert follow([4] + [2] * 11).highest == 2


def test_nothing_seen_is_no_need():
    assert NeedHistory().highest is None
    assert not NeedHistory().covers(10, START)


def test_a_window_is_covered_once_it_was_watched_whole():
    history = follow([1] * 10)
    assert not history.covers(10, START + 9)
    assert history.covers(10, START + 10)


def test_a_pause_forgets_because_nobody_knows_what_was_needed():
    history = follow([4, 4, 4])
    later = START + 2 + HISTORY_GAP_SECONDS
    assert history.record(1, window_seconds=60, now=later).highest == 4
    assert history.record(1, window_seconds=60, now=later + 0.1).highest == 1
    assert history.record(1, window_seconds=60, now=later + 0.1).since == later + 0.1


def test_a_clock_set_back_forgets_too():
    history = follow([4, 4, 4]).record(1, window_seconds=60, now=START - 100)
    assert (history.highest, history.since) == (1, START - 100)


def test_how_long_until_a_shrink():
    assert follow([2] * 5).waiting_seconds(3, 10, START + 4) == 6  # not all seen
    assert follow([3, 3, 2, 2]).waiting_seconds(3, 10, START + 3) == 8  # needed until second 1
    assert follow([2] * 30).waiting_seconds(3, 10, START + 29) == 0
    assert follow([2, 3]).waiting_seconds(3, 10, START + 1) is None  # needed now
    assert NeedHistory().waiting_seconds(3, 10, START) is None


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 50), min_size=1, max_size=60), st.integers(1, 30))
def test_few_marks_give_the_same_highest_as_all_of_them(needs, window):
    history = follow(needs, window=window)
    assert history.highest == max(needs[-(window + 1) :])
    assert len(history.marks) <= len(set(needs))
