"""What fits on a card: expected from the spec, then as pods tell, and what is said of either."""

from dataclasses import replace
from typing import Any

import pytest
from vibethinker_operator.card import CARD_MEMORY_BYTES
from vibethinker_operator.figures import NOTHING_TOLD, Figures
from vibethinker_operator.fit import Fit, assess_fit, describe_fit, read_figures
from vibethinker_operator.kv import assess_capacity
from vibethinker_operator.model_sizes import MODEL_SIZES, WeightFormat
from vibethinker_operator.signals import Missing, Signals, fold_signals
from vibethinker_operator.windows import Windows

from tests.unit.deciding.builders import (
    DEVICE,
    OTHER,
    START,
    WEIGHTS,
    make_observed,
    make_pod,
    make_sample,
    make_starting,
)
from tests.unit.operator_api.resource import CPU_SPEC, VOLUME_SPEC, changed, make_resource

GIB = 2**30
T4: dict[str, Any] = {"gpu": {"product": "Tesla-T4"}}
SIZE = MODEL_SIZES["WeiboAI/VibeThinker-1.5B"]
TOLD = {
    "checkpoint_weights_bytes": 3_087_428_608.0,
    "kv_token_bytes": 28_672.0,
    "kv_pool_tokens": 320_000.0,
}


def fit(spec: dict[str, Any], **told: int) -> Fit:
    return assess_fit(make_resource(spec).spec, Figures(**told))


def said(spec: dict[str, Any], **told: int) -> str | None:
    return describe_fit(make_resource(spec).spec, fit(spec, **told))


@pytest.mark.parametrize(
    ("product", "weights", "expected"),
    [
        ("Tesla-T4", WeightFormat.FLOAT, (8.501, 318_336, 19_896, 77, 263_810)),
        ("Tesla-T4", WeightFormat.W8A8, (9.718, 363_936, 22_746, 88, 309_411)),
        ("NVIDIA-A10", WeightFormat.FLOAT, (14.978, 560_896, 35_056, 136, 477_834)),
        ("NVIDIA-A10", WeightFormat.W8A8, (16.195, 606_496, 37_906, 148, 523_434)),
        ("NVIDIA-L4", WeightFormat.FLOAT, (14.850, 556_112, 34_757, 135, 473_613)),
        ("NVIDIA-L4", WeightFormat.W8A8, (16.068, 601_728, 37_608, 146, 519_227)),
    ],
)
def test_the_table_that_was_worked_out_by_hand(
    product: str, weights: WeightFormat, expected: tuple[float, ...]
):
    weights_bytes = SIZE.weights_bytes(weights)
    spec = make_resource({"gpu": {"product": product}}).spec
    found = assess_capacity(spec, Figures(weights_bytes=weights_bytes))
    assert found is not None
    pool_gib = round(found.pool_bytes / GIB, 3)
    # With so many of them in use, live memory stands at 75 % of the card.
    usage = (0.75 * CARD_MEMORY_BYTES[product] - weights_bytes - GIB) / found.pool_bytes
    at_the_line = found.tokens * usage
    tokens, sequences = found.tokens, found.sequences
    assert (pool_gib, tokens, tokens // 16, sequences, int(at_the_line)) == expected


def test_before_the_first_pod_it_is_computed_from_the_spec():
    found = fit(T4)
    assert found.source == "Spec"
    assert (found.weights_bytes, found.kv_token_bytes) == (3_087_428_608, 28_672)
    assert (found.tokens, found.sequences, found.obstacle) == (318_336, 77, None)
    assert said(T4) == (
        "holds 318,336 tokens: 77 sequences of 4,096, of the 128 that engine.maxNumSeqs lets run"
    )


def test_where_every_sequence_fits_nothing_is_added():
    assert (
        said(T4 | {"engine": {"maxNumSeqs": 77}}) == "holds 318,336 tokens: 77 sequences of 4,096"
    )


def test_what_an_engine_tells_counts():
    found = fit(T4, pool_tokens=320_000)
    assert found.source == "Measured"
    assert (found.tokens, found.sequences) == (320_000, 78)


def test_another_models_fit_is_unknown_until_its_headers_are_read():
    spec = T4 | VOLUME_SPEC
    assert not fit(spec).is_known
    assert said(spec) is None
    headers = fit(spec, weights_bytes=3 * 10**9, kv_token_bytes=65_536)
    assert (headers.source, headers.is_known) == ("Spec", True)
    assert headers.tokens == (int(14.56 * GIB * 0.85) - 3 * 10**9 - GIB) // (16 * 65_536) * 16


def test_an_unknown_card_leaves_weights_and_token():
    found = fit({})
    assert (found.weights_bytes, found.tokens, found.sequences) == (3_087_428_608, None, None)


@pytest.mark.parametrize(
    ("dtype", "weights", "token"),
    [("BFloat16", 3_087_428_608, 28_672), ("Float32", 6_174_857_216, 57_344)],
)
def test_on_a_cpu_the_pool_is_written_and_its_tokens_follow_from_the_type(dtype, weights, token):
    spec = changed(changed(CPU_SPEC, "engine.dtype", dtype), "resources.limits.memory", "16Gi")
    found = fit(spec)
    assert (found.weights_bytes, found.kv_token_bytes) == (weights, token)
    assert found.tokens == GIB // (32 * token) * 32
    assert found.obstacle is None


@pytest.mark.parametrize(
    ("spec", "told", "obstacle"),
    [
        pytest.param(
            {},
            {"device_bytes": 4 * GIB},
            "weights of 2.88 GiB and 1.00 GiB beside them do not fit into 85 % of 4.00 GiB, so no"
            " engine can start: raise engine.gpuMemoryUtilizationPercentage, take a larger card, or"
            " weights in eight bits",
            id="a small card",
        ),
        pytest.param(
            T4 | {"engine": {"kvCacheMemoryBytes": 12 * GIB}},
            {},
            "weights of 2.88 GiB, 1.00 GiB beside them and a KV cache of 12.00 GiB do not fit into"
            " 14.56 GiB, so no engine can start: change engine.kvCacheMemoryBytes, or take a larger"
            " card, or weights in eight bits",
            id="a pool that is too large",
        ),
        pytest.param(
            changed(CPU_SPEC, "resources.limits.memory", "3Gi"),
            {},
            "weights of 2.88 GiB and a KV cache of 1.00 GiB do not fit into 3.00 GiB, so no engine"
            " can start: change engine.kvCacheMemoryBytes or raise resources.limits.memory",
            id="a small container",
        ),
        pytest.param(
            {"engine": {"maxModelLen": 131_072}},
            {"device_bytes": 8 * GIB},
            "the KV cache holds 109,520 tokens, less than one sequence of 131,072, so no engine can"
            " start: set engine.maxModelLen to 109,520 or less, or raise"
            " engine.gpuMemoryUtilizationPercentage, take a larger card, or weights in eight bits",
            id="a sequence that is too long",
        ),
        pytest.param(
            changed(CPU_SPEC, "engine.maxModelLen", 65_536),
            {},
            "the KV cache holds 37,440 tokens, less than one sequence of 65,536, so no engine can"
            " start: set engine.maxModelLen to 37,440 or less, or change engine.kvCacheMemoryBytes"
            " or raise resources.limits.memory",
            id="a pool that is too small",
        ),
    ],
)
def test_an_engine_that_cannot_start_is_said_with_its_numbers(spec, told, obstacle):
    assert fit(spec, **told).obstacle == obstacle


def test_an_engine_that_runs_has_no_obstacle_whatever_was_expected():
    small = {"device_bytes": 4 * GIB}
    assert fit({}, **small, pool_tokens=4096).obstacle is None
    # Pods of an older package tell no tokens; their memory tells as well that an engine runs.
    assert fit({}, **small, non_kv_bytes=3 * GIB).obstacle is None


def test_eight_bits_fit_where_sixteen_do_not():
    int8 = SIZE.weights_bytes(WeightFormat.W8A8)
    assert fit({}, device_bytes=4 * GIB, weights_bytes=int8).obstacle is None


def read(*samples: dict[str, Any], starting: bool = False) -> Signals:
    """The load of a fleet whose pods answer so."""
    make = make_starting if starting else make_pod
    pods = [make(f"p{number}", created=START - 99) for number, _ in enumerate(samples)]
    readings = [
        make_sample(pod.uid, START, **facts) for pod, facts in zip(pods, samples, strict=True)
    ]
    windows = Windows().record(readings, {pod.uid for pod in pods}, START)
    return fold_signals(windows, make_observed(*pods), START)


def test_no_pod_tells_nothing():
    assert read_figures(None) == read_figures(read()) == NOTHING_TOLD


def test_of_pods_that_differ_the_one_with_the_least_room_counts():
    other = TOLD | {"kv_pool_tokens": 318_000.0}
    assert read_figures(read(TOLD, other)) == Figures(
        device_bytes=round(DEVICE),
        weights_bytes=3_087_428_608,
        non_kv_bytes=round(WEIGHTS + OTHER),
        kv_token_bytes=28_672,
        pool_tokens=318_000,
    )


def test_a_starting_pod_tells_what_its_headers_and_its_device_say():
    headers = {name: value for name, value in TOLD.items() if name != "kv_pool_tokens"}
    nothing = {"weights_bytes": None, "other_bytes": None, "kv_idle_bytes": None}
    found = read_figures(read(headers | nothing | {"kv_used_bytes": None}, starting=True))
    assert found == Figures(
        device_bytes=round(DEVICE), weights_bytes=3_087_428_608, kv_token_bytes=28_672
    )


def test_a_reading_that_is_old_still_tells_what_does_not_change():
    signals = read(TOLD)
    stale = tuple(replace(pod, missing=Missing.STALE) for pod in signals.pods)
    assert read_figures(replace(signals, memory=None, pods=stale)).pool_tokens == 320_000
