from hypothesis import given
from hypothesis import strategies as st
from vibethinker_server.recent_count import WINDOW_SECONDS, RecentCount

events = st.lists(st.tuples(st.floats(0, 90), st.integers(1, 5)), max_size=40)


@given(events, st.floats(0, 200))
def test_it_counts_the_last_minute_to_the_second(drawn: list[tuple[float, int]], later: float):
    counted = RecentCount()
    now = 1_000.0
    seen: list[tuple[int, int]] = []
    for pause, count in drawn:
        now += pause
        counted.add(count, now)
        seen.append((int(now), count))
    now += later
    within = [count for second, count in seen if second > int(now) - WINDOW_SECONDS]
    assert counted.total(now) == sum(within)


def test_nothing_was_counted_at_the_start_of_a_clock():
    assert RecentCount().total(0.0) == 0
