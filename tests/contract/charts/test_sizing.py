"""The table of sizes: by the operator's arithmetic, and in line with what it says of a spec."""

import pytest
from vibethinker_operator.api import parse_deployment
from vibethinker_operator.card import CARD_MEMORY_BYTES, GIB
from vibethinker_operator.figures import Figures
from vibethinker_operator.kv import assess_capacity, assess_memory_line

from charts.source.reference.sizing import (
    CARDS,
    HEAD,
    full_memory_bytes,
    render_sizing_page,
    sequences_to_reach_the_line,
)

ROWS = [
    dict(zip(HEAD, (cell.strip() for cell in line.strip("|").split("|")), strict=True))
    for line in render_sizing_page().splitlines()
    if line.startswith("| ") and "KV tokens" not in line and line.count("|") == len(HEAD) + 1
]
BY_CARD = {row["card"].split(" (")[0]: row for row in ROWS[1:]}


def test_every_card_that_users_of_this_model_have_is_in_it():
    wanted = {"any of 8 GB", "any of 12 GB", "any of 16 GB", "any of 24 GB", "T4", "L4", "A10"}
    wanted |= {"A100, slice 1g.10gb", "A100, slice 2g.20gb", "H100 of 80 GB"}
    assert wanted <= set(BY_CARD)


def test_every_card_that_the_operator_knows_is_in_it():
    assert {card.memory_bytes for card in CARDS} >= set(CARD_MEMORY_BYTES.values())


def test_a_t4_has_the_figures_that_were_worked_out_by_hand():
    # 14.56 × 0.85 − 2.875 − 1 = 8.50 GiB; over 28,672 bytes a token; over 4096 tokens.
    assert BY_CARD["T4"]["KV pool, GiB"] == "8.50"
    assert BY_CARD["T4"]["sequences of 4096 that fit"] == "77"
    assert BY_CARD["T4"]["with INT8 weights"] == "88"
    assert BY_CARD["T4"]["`maxNumSeqs` that reaches it"] == "65"


@pytest.mark.parametrize(("sequences", "gigabytes"), [(16, "6.04"), (32, "7.92")])
def test_sixteen_and_thirty_two_full_sequences_take_the_6_to_8_gb_that_users_report(
    sequences, gigabytes
):
    assert f"{full_memory_bytes(sequences=sequences, tokens=4096) / 1e9:.2f}" == gigabytes
    assert f"take {gigabytes} GB" in render_sizing_page()


@pytest.mark.parametrize("product", CARD_MEMORY_BYTES)
def test_what_the_table_says_of_a_line_is_what_the_operator_says_of_a_fleet(product):
    metadata = {"name": "chat", "namespace": "team", "uid": "u"}
    spec = parse_deployment({"metadata": metadata, "spec": {"gpu": {"product": product}}}).spec
    (row,) = (row for row in ROWS if f"(`{product}`)" in row["card"])
    reach = assess_memory_line(spec)
    assert row["75 % line"].startswith("can be crossed") == reach.reachable
    assert row["highest live memory, 128 sequences"] == f"{reach.percentage} %"


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_one_sequence_fewer_does_not_reach_the_line(card):
    def reaches(sequences: int) -> bool | None:
        metadata = {"name": "chat", "namespace": "team", "uid": "u"}
        body = {"metadata": metadata, "spec": {"engine": {"maxNumSeqs": sequences}}}
        spec = parse_deployment(body).spec
        return assess_memory_line(spec, Figures(device_bytes=card.memory_bytes)).reachable

    needed = sequences_to_reach_the_line(card.memory_bytes)
    assert needed is not None
    assert reaches(needed)
    assert not reaches(needed - 1)


def test_fp8_holds_twice_the_tokens_and_longer_sequences_fewer():
    def capacity(**engine: object) -> tuple[int, int]:
        metadata = {"name": "chat", "namespace": "team", "uid": "u"}
        spec = parse_deployment({"metadata": metadata, "spec": {"engine": engine}}).spec
        found = assess_capacity(spec, Figures(device_bytes=24 * GIB))
        assert found is not None
        return found.tokens, found.sequences

    tokens, sequences = capacity()
    assert capacity(flags={"kvCacheDtype": "Fp8"})[0] == pytest.approx(2 * tokens, abs=32)
    assert capacity(maxModelLen=32_768)[1] == sequences // 8
    assert capacity(gpuMemoryUtilizationPercentage=42)[0] < tokens / 2


def test_a_card_too_small_for_the_weights_has_room_for_nothing():
    metadata = {"name": "chat", "namespace": "team", "uid": "u"}
    spec = parse_deployment({"metadata": metadata, "spec": {}}).spec
    found = assess_capacity(spec, Figures(device_bytes=4 * GIB))
    assert found is not None
    assert found.sequences == 0
