from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError
from vibethinker_operator.api import (
    Condition,
    ConditionStatus,
    Mode,
    OverloadPolicy,
    Status,
    StreakStatus,
    parse_deployment,
)
from vibethinker_operator.errors import InvalidSpecError

METADATA = {"name": "chat", "namespace": "team", "uid": "u", "generation": 7}


def parse(spec: Any = None, status: Any = None) -> Any:
    return parse_deployment({"metadata": METADATA, "spec": spec, "status": status})


def test_an_empty_spec_is_one_replica_on_one_gpu_held_below_75_percent():
    spec = parse({}).spec
    assert (spec.replicas, spec.scaling.min_replicas, spec.scaling.max_replicas) == (1, 1, 1)
    assert spec.scaling.mode is Mode.AUTO
    assert spec.overload.policy is OverloadPolicy.SCALE_OUT_THEN_REJECT
    assert spec.saturation.memory_used_percentage == 75
    assert spec.gpu.resource_name == "nvidia.com/gpu"


def test_null_means_unset():
    assert parse({"engine": {"dtype": None, "kvCacheMemoryBytes": None}}).spec == parse({}).spec


def test_metadata_that_the_operator_does_not_read_is_passed_over():
    body = {"metadata": METADATA | {"managedFields": [{"manager": "kubectl"}]}, "spec": {}}
    assert parse_deployment(body).metadata.generation == 7


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        pytest.param({"scaling": {"maxReplica": 3}}, "spec.scaling.maxReplica", id="misspelled"),
        pytest.param({"replicas": 1.5}, "spec.replicas", id="fraction"),
        pytest.param({"replicas": -1}, "spec.replicas", id="negative"),
        pytest.param({"scaling": {"mode": "auto"}}, "spec.scaling.mode", id="enum"),
        pytest.param({"model": {"repository": "../x"}}, "spec.model.repository", id="pattern"),
        pytest.param({"engine": None}, "spec.engine", id="null block"),
    ],
)
def test_a_spec_that_cannot_be_obeyed_names_its_field(spec, named):
    with pytest.raises(InvalidSpecError, match=named.replace(".", r"\.")):
        parse(spec)


def test_every_field_at_fault_is_named_at_once():
    with pytest.raises(InvalidSpecError) as refused:
        parse({"replicas": -1, "service": {"port": 0}})
    assert "spec.replicas" in str(refused.value)
    assert "spec.service.port" in str(refused.value)


@pytest.mark.parametrize(
    "status",
    [
        pytest.param({"streak": {"since": "yesterday"}}, id="no time"),
        pytest.param({"replicas": "many"}, id="no number"),
        pytest.param("nonsense", id="no object"),
    ],
)
def test_a_status_that_somebody_else_wrote_into_counts_as_empty(status):
    assert parse({}, status).status == Status()


def test_a_status_of_a_newer_operator_is_read_as_far_as_it_is_understood():
    assert parse({}, {"replicas": 2, "forecast": {"at": 3}}).status == Status(replicas=2)


def test_a_status_is_written_in_the_resources_spelling_without_what_is_unknown():
    since = datetime(2026, 11, 24, 4, 0, 1, 999, tzinfo=UTC)
    status = Status(observed_generation=7, streak=StreakStatus(signal="Memory", since=since))
    assert status.model_dump(mode="json", exclude_none=True) == {
        "observedGeneration": 7,
        "streak": {"signal": "Memory", "since": "2026-11-24T04:00:01Z"},
    }


def test_what_was_written_is_read_back_the_same():
    written = Status(
        conditions=(
            Condition(
                type="Ready",
                status=ConditionStatus.UNKNOWN,
                last_transition_time=datetime(2026, 11, 24, tzinfo=UTC),
                reason="Starting",
                message="one pod starts",
            ),
        )
    )
    assert parse({}, written.model_dump(mode="json", exclude_none=True)).status == written


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValidationError, match="timezone"):
        StreakStatus.model_validate({"since": "2026-11-24T04:00:00"})


def test_a_parsed_resource_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        parse({}).spec.replicas = 2
