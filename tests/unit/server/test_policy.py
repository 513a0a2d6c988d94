import json
from copy import deepcopy
from typing import Any

import pytest
from vibethinker_server.policy import Growth, OverloadPolicy
from vibethinker_server.policy_document import DocumentError, parse_policy, parse_sweep

from tests.support.policy_document import POLICY

LEASE: dict[str, Any] = {
    "growth": "CanGrow",
    "reliefSeconds": 42.5,
    "moveConnections": True,
    "ttlSeconds": 10,
}
MISSING = object()


def changed(document: dict[str, Any], path: str, value: Any) -> str:
    copy = deepcopy(document)
    *parents, last = path.split(".")
    node = copy
    for parent in parents:
        node = node[parent]
    if value is MISSING:
        del node[last]
    else:
        node[last] = value
    return json.dumps(copy)


def test_a_policy_is_read_with_ratios_from_percentages():
    policy = parse_policy(json.dumps(POLICY))
    assert policy.generation == 3
    assert policy.saturation.memory_used_ratio == 0.75
    assert policy.saturation.memory_recover_ratio == 0.65
    assert policy.saturation.sustained_seconds == 10.0
    assert policy.overload is OverloadPolicy.SCALE_OUT_THEN_REJECT
    assert policy.max_queued_requests == 64
    assert dict(policy.token_limits) == {"math": 512, "code": 768, "qa": 256}


def test_a_sweep_is_read_with_its_lease():
    policy, lease = parse_sweep(json.dumps({"policy": POLICY, "lease": LEASE}))
    assert policy is not None
    assert policy.generation == 3
    assert lease.growth is Growth.CAN_GROW
    assert (lease.relief_seconds, lease.move_connections, lease.ttl_seconds) == (42.5, True, 10.0)


def test_a_sweep_may_leave_the_policy_out():
    assert parse_sweep(json.dumps({"lease": LEASE}))[0] is None


def test_a_newer_operators_fields_are_passed_over():
    newer = changed(POLICY, "saturation.somethingNew", {"deep": 1})
    assert parse_policy(newer) == parse_policy(json.dumps(POLICY))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param("generation", MISSING, id="no generation"),
        pytest.param("generation", -1, id="generation below 0"),
        pytest.param("generation", True, id="generation a bool"),
        pytest.param("generation", "3", id="generation a string"),
        pytest.param("saturation", MISSING, id="no saturation"),
        pytest.param("saturation.memoryUsedPercentage", 0, id="line at 0"),
        pytest.param("saturation.memoryUsedPercentage", 101, id="line above 100"),
        pytest.param("saturation.memoryUsedPercentage", 75.5, id="line a fraction"),
        pytest.param("saturation.memoryRecoverPercentage", 76, id="recover line above the line"),
        pytest.param("saturation.sustainedSeconds", -1, id="negative window"),
        pytest.param("saturation.requestQueueLength", None, id="null queue"),
        pytest.param("overload.policy", "Refuse", id="unknown policy"),
        pytest.param("overload.maxQueuedRequests", -1, id="negative queue"),
        pytest.param("tokenLimits", {}, id="no limits"),
        pytest.param("tokenLimits.math", 0, id="limit of 0"),
    ],
)
def test_a_wrong_policy_is_refused_and_its_field_named(path: str, value: Any):
    with pytest.raises(DocumentError) as refusal:
        parse_policy(changed(POLICY, path, value))
    assert path.split(".", maxsplit=1)[0] in str(refusal.value)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param("lease", MISSING, id="no lease"),
        pytest.param("lease.growth", "Maybe", id="unknown growth"),
        pytest.param("lease.reliefSeconds", -1, id="relief in the past"),
        pytest.param("lease.reliefSeconds", MISSING, id="relief left out"),
        pytest.param("lease.moveConnections", "yes", id="a word for a bool"),
        pytest.param("lease.ttlSeconds", 0, id="no life"),
        pytest.param("lease.ttlSeconds", 1e6, id="a life without end"),
    ],
)
def test_a_wrong_sweep_is_refused_and_its_field_named(path: str, value: Any):
    with pytest.raises(DocumentError) as refusal:
        parse_sweep(changed({"policy": POLICY, "lease": LEASE}, path, value))
    assert path.rsplit(".", maxsplit=1)[-1] in str(refusal.value)


@pytest.mark.parametrize("text", ["", "null", "[]", "{", '{"generation": NaN}', "\ufeff{}"])
def test_what_is_no_document_is_refused(text: str):
    with pytest.raises(DocumentError):
        parse_policy(text)
