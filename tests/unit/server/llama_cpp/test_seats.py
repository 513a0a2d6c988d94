import asyncio

import pytest
from vibethinker_server.llama_cpp.seats import Need, Seat, Seats

SMALL = Need(sequences=1, tokens=100, prompt_tokens=10)
KNOWN, NEWCOMER = 0, 10


@pytest.fixture
def seats() -> Seats:
    return Seats(slots=2, pool_tokens=1000, monotonic=lambda: 5.0)


def take(seats: Seats, need: Need = SMALL, priority: int = NEWCOMER) -> "asyncio.Task[Seat]":
    return asyncio.create_task(seats.take(priority, need))


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_as_many_as_there_are_slots_are_seated_and_the_rest_waits(seats: Seats):
    taken = [take(seats) for _ in range(3)]
    await settle()
    assert [task.done() for task in taken] == [True, True, False]
    assert (seats.waiting, len(seats.seated)) == (1, 2)
    seats.leave(taken[0].result())
    await settle()
    assert taken[2].done()
    assert (seats.waiting, len(seats.seated)) == (0, 2)


async def test_nobody_is_seated_whose_longest_answer_has_no_room(seats: Seats):
    large = take(seats, Need(1, 950, 10))
    await settle()
    small = take(seats)
    await settle()
    assert not small.done()
    seats.leave(large.result())
    await settle()
    assert small.done()


async def test_known_sessions_go_first_and_others_by_arrival(seats: Seats):
    seated = [take(seats), take(seats)]
    await settle()
    first, second, known = take(seats), take(seats), take(seats, priority=KNOWN)
    for wanted in (known, first, second):
        await settle()
        assert not wanted.done()
        seats.leave(seats.seated[0])
        await settle()
        assert wanted.done()
    assert all(task.done() for task in seated)


async def test_who_does_not_fit_is_not_overtaken_for_ever(seats: Seats):
    seated = take(seats, Need(1, 500, 10))
    await settle()
    large, small = take(seats, Need(1, 900, 10)), take(seats)
    await settle()
    assert not large.done()
    assert not small.done()
    seats.leave(seated.result())
    await settle()
    assert large.done()


async def test_more_than_there_is_counts_as_all_of_it(seats: Seats):
    seat = await seats.take(NEWCOMER, Need(8, 5000, 10))
    assert (seat.need.sequences, seat.need.tokens) == (2, 1000)


async def test_who_leaves_while_waiting_gives_way(seats: Seats):
    large = take(seats, Need(2, 100, 10))
    await settle()
    gone, after = take(seats, Need(2, 100, 7)), take(seats, Need(1, 100, 3))
    await settle()
    assert seats.backlog_tokens() == 20
    gone.cancel()
    await settle()
    assert (seats.waiting, seats.backlog_tokens()) == (1, 13)
    seats.leave(large.result())
    await settle()
    assert after.done()


async def test_who_is_called_and_gone_in_the_same_moment_leaves_no_seat_taken(seats: Seats):
    seated = [take(seats), take(seats)]
    await settle()
    waiting = take(seats)
    await settle()
    seats.leave(seated[0].result())  # calls it
    waiting.cancel()
    await settle()
    assert waiting.cancelled()
    assert len(seats.seated) == 1


async def test_prompts_count_as_backlog_until_their_first_token(seats: Seats):
    seat = await seats.take(NEWCOMER, SMALL)
    assert seats.backlog_tokens() == 10
    seat.begun = True
    assert seats.backlog_tokens() == 0
