"""The Job that writes weights, and the paths on which both sides have to agree."""

import json
from typing import Any

import pytest
from vibethinker_operator.prepared_model import find_prepared_model
from vibethinker_operator.resources import build_preparation_job
from vibethinker_operator.resources.network import build_service

from tests.unit.operator_api.resource import IMAGES, make_resource

CLAIM = {"cache": {"claimName": "weights"}}
INT8 = {"model": CLAIM | {"quantization": {"type": "Int8"}}}
VOLUME = {"source": "Volume", "volume": {"claimName": "models", "path": "a/b"}}
OF_VOLUME = {"model": CLAIM | VOLUME | {"gguf": {"outtype": "Q8_0"}}}


def job_of(spec: dict[str, Any], name: str = "chat") -> dict[str, Any]:
    resource = make_resource(spec, name=name)
    prepared = find_prepared_model(resource.spec.model)
    assert prepared is not None
    return build_preparation_job(resource, prepared, IMAGES)


def container_of(job: dict[str, Any]) -> dict[str, Any]:
    container: dict[str, Any] = job["spec"]["template"]["spec"]["containers"][0]
    return container


def told_to(job: dict[str, Any]) -> dict[str, Any]:
    (value,) = (
        variable["value"]
        for variable in container_of(job)["env"]
        if variable["name"] == "VIBETHINKER_PREPARE"
    )
    told: dict[str, Any] = json.loads(value)
    return told


def test_nothing_is_prepared_unless_it_is_asked_for():
    assert find_prepared_model(make_resource().spec.model) is None


@pytest.mark.parametrize("spec", [INT8, OF_VOLUME])
def test_it_runs_our_image_as_the_restricted_profile_wants_it(spec):
    job = job_of(spec)
    pod, container = job["spec"]["template"]["spec"], container_of(job)
    assert container["image"] == IMAGES.package
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    volumes = {volume["name"] for volume in pod["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes
    assert "nvidia.com/gpu" not in container["resources"]["limits"]


def test_no_service_of_the_fleet_selects_its_pods():
    selector = build_service(make_resource(INT8))["spec"]["selector"]
    labels = job_of(INT8)["spec"]["template"]["metadata"]["labels"]
    assert not selector.items() <= labels.items()


def test_the_source_in_a_volume_is_mounted_read_only_beside_a_cache_that_is_not():
    mounts = {mount["name"]: mount for mount in container_of(job_of(OF_VOLUME))["volumeMounts"]}
    assert mounts["model"]["readOnly"] is True
    assert "readOnly" not in mounts["cache"]
    assert told_to(job_of(OF_VOLUME))["model"] == "/model/a/b"


def test_bad_input_is_not_tried_again():
    (rule,) = job_of(INT8)["spec"]["podFailurePolicy"]["rules"]
    assert rule["action"] == "FailJob"
    assert rule["onExitCodes"]["values"] == [2]


def test_the_longest_name_gives_a_name_that_kubernetes_takes():
    assert len(job_of(INT8, name="a" * 40)["metadata"]["name"]) <= 63


@pytest.mark.parametrize(
    "other",
    [
        {"quantization": {"method": "BitsAndBytes"}},
        {"quantization": {}, "revision": "v2"},
        {"quantization": {}, "repository": "org/other"},
        {"quantization": {}, "cache": {"claimName": "elsewhere"}},
        {"quantization": {}} | VOLUME,
    ],
)
def test_other_weights_are_another_job_and_another_path(other):
    one, two = job_of(INT8), job_of({"model": CLAIM | other})
    assert one["metadata"]["name"] != two["metadata"]["name"]
    assert told_to(one)["out"] != told_to(two)["out"]


def test_what_has_no_part_in_the_weights_leaves_the_job_alone():
    served = {"model": INT8["model"] | {"servedName": "other"}, "replicas": 3}
    assert job_of(INT8)["metadata"]["name"] == job_of(served)["metadata"]["name"]
