"""What a request will likely hold, whether it fits, and how long it would wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vibethinker_server.first_token import (
    LONGEST_STEP_SECONDS,
    WINDOW_SECONDS,
    PromptRate,
    predict_first_token,
)
from vibethinker_server.flights import Flight, Flights
from vibethinker_server.headroom import fits, is_within_share
from vibethinker_server.request_size import FEWEST, UNKNOWN_BYTES_PER_TOKEN, WINDOW, RequestSizes

A, B = b"a", b"b"


@pytest.mark.parametrize(
    ("used_ratio", "committed", "own", "answer"),
    [
        (0.0, 0, 5_000, True),  # nobody to protect
        (0.5, 500, 450, True),
        (0.5, 500, 451, False),
        (0.9, 500, 51, False),  # answers grew longer than was likely
        (None, 500, 450, True),
        (None, 900, 60, False),
    ],
)
def test_a_newcomer_fits_below_the_hard_line(
    used_ratio: float | None, committed: int, own: int, *, answer: bool
):
    assert fits(1_000, used_ratio, committed, own) is answer
    assert fits(None, used_ratio, committed, own)


def test_a_session_has_a_share_and_its_first_request_always():
    assert is_within_share(1_000, 0, 5_000)
    assert is_within_share(1_000, 100, 150)
    assert not is_within_share(1_000, 100, 151)
    assert is_within_share(None, 100, 10_000)


@given(st.lists(st.tuples(st.sampled_from([A, B]), st.integers(0, 5_000)), max_size=30))
def test_all_that_flights_take_is_given_back(requests: list[tuple[bytes, int]]):
    flights = Flights()
    begun = [Flight(session, tokens) for session, tokens in requests]
    for flight in begun:
        flights.begin(flight)
    assert flights.count == len(begun)
    assert flights.committed_tokens == sum(flight.tokens for flight in begun)
    assert flights.count_of(A) == sum(flight.session_id == A for flight in begun)
    assert flights.tokens_of(A) == sum(one.tokens for one in begun if one.session_id == A)
    for flight in reversed(begun):
        flights.end(flight)
    assert (flights.count, flights.committed_tokens) == (0, 0)
    assert (flights.count_of(A), flights.tokens_of(B)) == (0, 0)


def test_before_answers_finished_an_answer_counts_as_long_as_it_may_get():
    sizes = RequestSizes()
    for _ in range(FEWEST - 1):
        sizes.add_finished(100, 20)
    assert sizes.bytes_per_token == UNKNOWN_BYTES_PER_TOKEN
    assert sizes.estimate_tokens(300, 512, 1, 16) == 100 + 512 + 16


def test_an_answer_is_likely_as_long_as_nine_of_ten_were_and_never_longer_than_it_may():
    sizes = RequestSizes()
    for length in range(1, 101):
        sizes.add_finished(100, length)
        sizes.add_answered(400)
    assert sizes.bytes_per_token == 4.0
    assert sizes.estimate_tokens(400, 512, 1, 16) == 100 + 90 + 16
    assert sizes.estimate_tokens(400, 50, 1, 16) == 100 + 50 + 16
    assert sizes.estimate_tokens(400, 512, 4, 16) == 100 + 4 * (90 + 16)


def test_old_answers_are_forgotten_and_old_prompts_fade():
    sizes = RequestSizes()
    for _ in range(2_000):
        sizes.add_finished(1_000, 500)
        sizes.add_answered(4_000)
    for _ in range(10 * WINDOW):
        sizes.add_finished(1_000, 10)
        sizes.add_answered(2_000)
    assert sizes.estimate_tokens(0, 512, 1, 0) == 10
    assert sizes.bytes_per_token < 2.5


def test_prompts_of_nothing_divide_by_nothing():
    sizes = RequestSizes()
    for _ in range(FEWEST):
        sizes.add_finished(0, 0)
        sizes.add_answered(0)
    assert sizes.estimate_tokens(30, 10, 1, 0) == 10


def test_the_rate_is_that_of_the_time_in_which_prompts_waited():
    rate = PromptRate()
    rate.add_step(100.0, 0, 900)
    rate.add_step(101.0, 300, 600)
    rate.add_step(103.0, 600, 0)
    rate.add_step(110.0, 0, 0)  # decoding alone
    assert rate.tokens_per_second == pytest.approx(900 / 3)


@pytest.mark.parametrize("idle_seconds", [3.0, 900.0])
def test_an_engine_that_idled_is_not_slow(idle_seconds: float):
    rate = PromptRate()
    rate.add_step(100.0, 0, 0)
    rate.add_step(100.0 + idle_seconds, 500, 0, longest_wait=0.2)
    assert rate.tokens_per_second is None  # 0.2 s of work is no rate yet
    rate.add_step(101.0 + idle_seconds, 700, 0, longest_wait=0.8)
    assert rate.tokens_per_second == pytest.approx(1_200 / 1.0)


def test_prompts_whose_clients_went_away_leave_no_work_behind():
    rate = PromptRate()
    rate.add_step(100.0, 0, 900)
    rate.add_step(100.0 + 2 * LONGEST_STEP_SECONDS, 500, 0, longest_wait=2.0)
    assert rate.tokens_per_second == pytest.approx(500 / 2)


def test_a_moment_is_no_rate_and_the_old_is_forgotten():
    rate = PromptRate()
    assert rate.tokens_per_second is None
    rate.add_step(100.0, 0, 900)
    rate.add_step(100.5, 900, 0)
    assert rate.tokens_per_second is None
    rate.add_step(103.0, 900, 0, longest_wait=2.0)
    assert rate.tokens_per_second is not None
    rate.add_step(103.0 + WINDOW_SECONDS, 0, 0)
    assert rate.tokens_per_second is None


@pytest.mark.parametrize(
    ("backlog", "rate", "waiting", "finished", "seconds"),
    [
        (0, None, 0, None, 0.0),
        (900, 300.0, 0, None, 3.0),
        (900, None, 0, 2.0, None),
        (None, 300.0, 0, 2.0, None),
        (900, 300.0, 8, 2.0, 4.0),
        (900, 300.0, 4, 2.0, 3.0),
        (None, None, 4, 2.0, 2.0),
        (0, None, 4, None, 0.0),
    ],
)
def test_the_wait_is_that_of_the_slower_of_prompts_and_seats(
    backlog: int | None,
    rate: float | None,
    waiting: int,
    finished: float | None,
    seconds: float | None,
):
    predicted = predict_first_token(
        backlog_tokens=backlog,
        tokens_per_second=rate,
        waiting_for_seats=waiting,
        finished_per_second=finished,
    )
    assert predicted == seconds


def test_newcomers_move_up_at_what_known_sessions_leave():
    waits = [
        predict_first_token(
            backlog_tokens=900,
            tokens_per_second=300.0,
            waiting_for_seats=2,
            finished_per_second=4.0,
            known_share=share,
        )
        for share in (0.0, 0.5, 3.0)
    ]
    assert waits == [3.0, 6.0, pytest.approx(30.0)]
