from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from vibethinker_server.retry_after import (
    UNKNOWN_WAIT_SECONDS,
    queue_seconds,
    spread_retry_after,
)


def test_the_wait_is_the_queue_over_the_service_rate():
    assert queue_seconds(30, 2.0) == 15.0
    assert queue_seconds(0, 0.5) == 2.0


def test_without_a_measured_rate_a_stated_guess_is_used():
    assert queue_seconds(30, None) == UNKNOWN_WAIT_SECONDS
    assert queue_seconds(30, 0.0) == UNKNOWN_WAIT_SECONDS


@given(st.floats(0, 1e9), st.floats(0, 1, exclude_max=True))
def test_it_is_always_a_whole_number_from_1_to_60(seconds: float, chance: float):
    spread = spread_retry_after(seconds, lambda: chance)
    assert isinstance(spread, int)
    assert 1 <= spread <= 60
    assert spread >= min(seconds, 52)


@given(st.floats(0, 200), st.integers())
def test_at_most_a_fifth_of_those_refused_together_return_within_one_second(
    seconds: float, seed: int
):
    random = Random(seed)  # noqa: S311 (chance, not a secret)
    returns = Counter(spread_retry_after(seconds, random.random) for _ in range(2_000))
    assert max(returns.values()) <= 2_000 * 0.2
