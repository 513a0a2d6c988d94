"""The cluster admin's lists, enforced by the real API server."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.apiserver import ControlPlane
from tests.cluster.commands import CommandError
from tests.integration.installed import (
    fleet,
    installed_control_plane,
    refusal_of,
    wait_for,
    with_image,
)

PARAMETERS = ("-n", "vibethinker-system", "configmap", "vibethinker-admission-policy")


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    with installed_control_plane() as plane:
        yield plane


def set_parameters(plane: ControlPlane, **lists: str) -> None:
    patch = json.dumps({"data": lists})
    plane.kubectl("patch", *PARAMETERS, "--type=merge", "-p", patch)


def with_endpoint(endpoint: str) -> dict[str, Any]:
    return fleet({"model": {"endpoint": endpoint}})


def with_priority(name: str) -> dict[str, Any]:
    return fleet({"scheduling": {"priorityClassName": name}})


@pytest.mark.parametrize(
    "manifest",
    [
        pytest.param(with_image(""), id="the operator's default"),
        pytest.param(with_image("vllm/vllm-openai:v0.33.0"), id="a tag"),
        pytest.param(with_image(f"vllm/vllm-openai@sha256:{'a' * 64}"), id="a digest"),
        pytest.param(with_image("vllm/vllm-openai-cpu:v0.32.0"), id="the other engine"),
        pytest.param(with_endpoint("https://huggingface.co"), id="the hub"),
        pytest.param(with_endpoint("https://www.modelscope.cn"), id="the other hub"),
    ],
)
def test_what_is_on_the_lists_is_taken(plane, manifest):
    assert refusal_of(plane, manifest) == ""


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        pytest.param(
            with_image("elsewhere/vllm-openai:v0.33.0"),
            'spec.engine.image "elsewhere/vllm-openai:v0.33.0" is not allowed',
            id="another registry",
        ),
        pytest.param(
            with_image("vllm/vllm-openai-of-mine:v1"),
            "spec.engine.image",
            id="a name that begins so",
        ),
        pytest.param(with_image("vllm/vllm"), "spec.engine.image", id="a shorter name"),
        pytest.param(
            with_endpoint("http://169.254.169.254"), "spec.model.endpoint", id="cloud metadata"
        ),
        pytest.param(
            with_endpoint("https://huggingface.co.evil.example"),
            "spec.model.endpoint",
            id="a host that begins so",
        ),
        pytest.param(
            with_priority("system-node-critical"),
            "spec.scheduling.priorityClassName",
            id="a priority above the cluster's own",
        ),
    ],
)
def test_what_is_on_no_list_is_refused_with_the_list_to_change(plane, manifest, message):
    refusal = refusal_of(plane, manifest)
    assert message in refusal
    assert "ConfigMap vibethinker-system/vibethinker-admission-policy" in refusal


def test_an_admin_allows_more_by_one_line(plane):
    set_parameters(plane, allowedPriorityClasses="serving\n")
    wait_for(lambda: refusal_of(plane, with_priority("serving")) == "")
    assert "[serving]" in refusal_of(plane, with_priority("other"))


def test_a_list_made_shorter_binds_new_specs_and_leaves_old_resources_deletable(plane):
    plane.kubectl("create", "-f", "-", stdin=json.dumps(with_image("vllm/vllm-openai:v0.33.0")))
    before = plane.kubectl("get", *PARAMETERS, "-o", "jsonpath={.data.allowedImagePrefixes}")
    set_parameters(plane, allowedImagePrefixes="")
    wait_for(lambda: refusal_of(plane, with_image("vllm/vllm-openai:v0.33.0")) != "")

    plane.kubectl("annotate", "vtd", "chat", "team=a")
    plane.kubectl(
        "patch", "vtd", "chat", "--type=merge", "-p", '{"metadata":{"finalizers":["a/b"]}}'
    )
    plane.kubectl("patch", "vtd", "chat", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    with pytest.raises(CommandError, match=r"spec\.engine\.image"):
        plane.kubectl("patch", "vtd", "chat", "--type=merge", "-p", '{"spec":{"replicas":2}}')
    plane.kubectl("delete", "vtd", "chat")

    set_parameters(plane, allowedImagePrefixes=before)
    wait_for(lambda: refusal_of(plane, with_image("vllm/vllm-openai:v0.33.0")) == "")


def test_without_the_lists_nothing_is_taken(plane):
    saved = plane.kubectl("get", *PARAMETERS, "-o", "json")
    plane.kubectl("delete", *PARAMETERS)
    wait_for(lambda: refusal_of(plane, fleet({})) != "")
    kept = json.loads(saved)
    kept["metadata"] = {key: kept["metadata"][key] for key in ("name", "namespace")}
    plane.kubectl("create", "-f", "-", stdin=json.dumps(kept))
    wait_for(lambda: refusal_of(plane, fleet({})) == "")
