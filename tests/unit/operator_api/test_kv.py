from typing import Any

import pytest
from vibethinker_operator.card import card_memory_bytes
from vibethinker_operator.figures import Figures
from vibethinker_operator.kv import Reachability, assess_memory_line

from tests.unit.operator_api.resource import CPU_SPEC, changed, make_resource

GIB = 2**30
T4 = {"gpu": {"product": "Tesla-T4"}}


def assess(spec: dict[str, Any], **told: int) -> Reachability:
    return assess_memory_line(make_resource(spec).spec, Figures(**told))


def t4(max_num_seqs: int, **engine: Any) -> dict[str, Any]:
    return T4 | {"engine": {"maxNumSeqs": max_num_seqs, **engine}}


@pytest.mark.parametrize(
    ("sequences", "percentage", "reachable"),
    [(16, 39, False), (32, 51, False), (64, 75, False), (65, 76, True), (128, 85, True)],
)
def test_how_full_a_t4_can_get(sequences, percentage, reachable):
    found = assess(t4(sequences))
    assert (found.percentage, found.reachable) == (percentage, reachable)


def test_a_line_out_of_reach_is_said_with_what_follows_from_it():
    message = assess(t4(16)).message
    assert message == (
        "at most 39 % at full length, below the line of 75 %: queue length decides here"
    )


def test_a_share_just_below_the_line_does_not_read_as_if_it_were_reached():
    assert assess(t4(64)).message.startswith("at most 74.7 % at full length, below")


def test_a_lower_line_can_be_reached_by_the_same_fleet():
    spec = changed(
        t4(16), "saturation", {"memoryUsedPercentage": 30, "memoryRecoverPercentage": 20}
    )
    assert assess(spec).reachable is True


def test_an_fp8_cache_fills_half_as_much():
    assert assess(t4(16, flags={"kvCacheDtype": "Fp8"})).percentage == 33


def test_float32_fills_twice_as_much():
    cpu = {"device": "CPU", "kvCacheMemoryBytes": 64 * GIB, "maxNumSeqs": 16}
    limits = {"limits": {"memory": "100Gi"}}
    found = [
        assess(
            {"engine": cpu | {"dtype": dtype}, "resources": limits},
            non_kv_bytes=10 * GIB,
        ).percentage
        for dtype in ("BFloat16", "Float32")
    ]
    # 16 x 4096 tokens are 1.75 GiB, or 3.5 GiB.
    assert found == [12, 14]


def test_a_pool_of_exact_size_bounds_what_sequences_can_take():
    assert assess(t4(128, kvCacheMemoryBytes=GIB)).percentage == 34


def test_nothing_is_claimed_about_a_card_that_is_not_known():
    assert card_memory_bytes("Some-Card") is None
    found = assess({"gpu": {"product": "Some-Card"}})
    assert (found.reachable, found.percentage) == (None, None)
    assert "until a pod reports it" in found.message


def test_what_a_pod_reports_counts_more_than_what_was_expected():
    found = assess(t4(16), device_bytes=8 * GIB, non_kv_bytes=5 * GIB)
    assert (found.percentage, found.reachable) == (85, True)


def test_a_pool_that_the_weights_leave_no_room_for_is_empty_and_not_negative():
    found = assess(T4, device_bytes=4 * GIB, non_kv_bytes=int(3.5 * GIB))
    assert found.percentage == 88


def test_a_cpu_fleet_is_unknown_until_a_pod_says_what_its_processes_take():
    assert assess(CPU_SPEC).reachable is None


def test_a_cpu_fleet_is_measured_against_its_memory_limit():
    found = assess(CPU_SPEC, non_kv_bytes=int(3.6 * GIB))
    assert (found.percentage, found.reachable) == (77, True)


def test_another_models_tokens_are_not_guessed_at_but_its_pool_still_bounds_it():
    spec = changed(t4(1), "model", {"repository": "org/other"})
    assert assess(spec).reachable is None
    found = assess(spec, non_kv_bytes=2 * GIB)
    assert found.percentage == 85
    # One sequence of 4096 tokens of 64 KiB is a quarter of a GiB.
    assert assess(spec, non_kv_bytes=2 * GIB, kv_token_bytes=65_536).percentage == 16


def test_a_pool_that_an_engine_tells_counts_more_than_a_share_of_the_card():
    assert assess(t4(128)).percentage == 85
    assert assess(t4(128), pool_tokens=100_000).percentage == 45
