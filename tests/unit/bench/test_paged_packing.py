import pytest

from tests.bench.paged.lengths import Request
from tests.bench.paged.packing import FLOOR, PAGED, WAYS, Pool, compare, reserve

POOL = Pool(tokens=40_960, block=16, max_model_len=4096)


@pytest.mark.parametrize(
    ("request_", "cap", "reserved"),
    [
        pytest.param(Request(1, 100, 50), 768, (4096, 868, 160, 150), id="ends before its cap"),
        pytest.param(Request(1, 100, 900), 768, (4096, 868, 880, 868), id="cut by its cap"),
        pytest.param(Request(1, 4000, 900), 768, (4096, 4096, 4096, 4096), id="cut by the length"),
        pytest.param(Request(1, 100, 60), 768, (4096, 868, 160, 160), id="whole blocks"),
    ],
)
def test_each_way_reserves_what_it_says(request_, cap, reserved):
    assert tuple(reserve(way, request_, POOL, cap) for way in WAYS) == reserved


def test_what_fits_and_what_is_wasted_by_hand():
    # Held: 1024 and 512, mean 768; a pool of 40,960 has room for 10 of 4096, 26 of 1536, 53 of 768.
    figures = compare([Request(1, 1000, 24), Request(1, 500, 12)], POOL, 786)
    ways = figures["ways"]
    assert [ways[way]["sequences"] for way in WAYS] == [10, 26, 53, 53]
    assert ways["max_model_len"]["wasted_share"] == 0.8125
    assert ways["prompt_and_cap"]["reserved_tokens_mean"] == 1536
    assert figures["paged_more_sequences"] == {"max_model_len": 4.3, "prompt_and_cap": 1.0385}


def test_no_way_is_better_than_the_floor():
    requests = [Request(1, 37 * n, 29 * n) for n in range(1, 90)]
    ways = compare(requests, POOL, 768)["ways"]
    assert ways[FLOOR]["of_floor"] == 1
    assert all(ways[way]["of_floor"] <= 1 for way in WAYS)
    assert ways[PAGED]["reserved_tokens_mean"] <= ways[FLOOR]["reserved_tokens_mean"] + POOL.block


def test_weights_count_as_requests():
    many = compare([Request(3, 1000, 24), Request(1, 500, 12)], POOL, 786)
    assert many == compare([Request(1, 1000, 24)] * 3 + [Request(1, 500, 12)], POOL, 786)


def test_a_prompt_without_room_for_an_answer_is_left_out_and_counted():
    figures = compare([Request(1, 4096, 5), Request(3, 1000, 24)], POOL, 768)
    assert figures["refused_share"] == 0.25
    assert figures["held_tokens_mean"] == 1024


def test_answers_of_exactly_the_cap_are_not_longer_than_it():
    requests = [Request(1, 10, 768), Request(1, 10, 769), Request(2, 10, 5)]
    assert compare(requests, POOL, 768)["answers_longer_than_cap"] == 0.25
