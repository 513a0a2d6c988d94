"""What the operator builds, and what it may do, as the real API server sees it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from vibethinker_operator.api import VibeThinkerDeployment, parse_deployment
from vibethinker_operator.images import Images
from vibethinker_operator.manifests import render_tree
from vibethinker_operator.resources import (
    build_deployment,
    build_fleet_secret,
    build_pod_disruption_budget,
    build_policy_config_map,
    build_service,
    choose_template,
)

from tests.cluster.apiserver import ControlPlane
from tests.cluster.commands import CommandError
from tests.integration.installed import fleet, installed_control_plane, refusal_of

IMAGES = Images(engine="vllm/vllm-openai:v0.33.0", package="vibethinker-server:0.1.0")
ACCOUNT = "system:serviceaccount:vibethinker-system:vibethinker-operator"
TERM = {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}
POD_TERM = {
    "labelSelector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]},
    "topologyKey": "kubernetes.io/hostname",
}
EVERYTHING: dict[str, Any] = {
    "model": {
        "source": "Volume",
        "volume": {"claimName": "models", "path": "v"},
        "tokenSecretRef": {"name": "vibethinker-hub"},
        "cache": {"claimName": "cache"},
    },
    "engine": {"imagePullSecrets": [{"name": "vibethinker-registry"}]},
    "gpu": {"product": "Tesla-T4"},
    "service": {"type": "LoadBalancer", "port": 80},
    "scheduling": {
        "nodeSelector": {"pool": "gpu"},
        "tolerations": [{"key": "team", "operator": "Equal", "value": "a", "effect": "NoExecute"}],
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [TERM]},
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": 1, "preference": TERM}
                ],
            },
            "podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [POD_TERM]},
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": 1, "podAffinityTerm": POD_TERM}
                ]
            },
        },
        "topologySpreadConstraints": [{"topologyKey": "topology.kubernetes.io/zone"}],
        "runtimeClassName": "nvidia",
    },
    "resources": {"requests": {"cpu": 2, "memory": "8Gi"}, "limits": {"ephemeral-storage": "40Gi"}},
}
CPU: dict[str, Any] = {
    "engine": {"device": "CPU", "kvCacheMemoryBytes": 2**30},
    "resources": {"limits": {"memory": "6Gi"}},
}
SPECS = [
    pytest.param({}, id="defaults"),
    pytest.param(CPU, id="cpu"),
    pytest.param(EVERYTHING, id="everything"),
]


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    with installed_control_plane() as plane:
        plane.kubectl("create", "namespace", "strict")
        label = "pod-security.kubernetes.io/enforce=restricted"
        plane.kubectl("label", "namespace", "strict", label)
        yield plane


def resource_of(spec: dict[str, Any]) -> VibeThinkerDeployment:
    uid = "6d1c3c0a-0f5e-4b8e-9d5b-0b1f2a3c4d5e"
    return parse_deployment(fleet(spec, namespace="strict", uid=uid, generation=1))


def deployment_of(spec: dict[str, Any]) -> dict[str, Any]:
    resource = resource_of(spec)
    return build_deployment(resource, choose_template(resource, offered=IMAGES, stored=None))


def pod_of(template: dict[str, Any]) -> dict[str, Any]:
    # The admission plugin of runtime classes wants the class to exist; it is not what is tested.
    spec = {key: value for key, value in template["spec"].items() if key != "runtimeClassName"}
    metadata = {"name": "tried", "namespace": "strict"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


@pytest.mark.parametrize("spec", SPECS)
def test_every_object_of_a_fleet_is_taken_without_an_unknown_field(plane, spec):
    resource = resource_of(spec)
    for manifest in (
        deployment_of(spec),
        build_service(resource),
        build_policy_config_map(resource),
        build_fleet_secret(resource, ticket_key="0" * 64, fleet_token="1" * 64),
        build_pod_disruption_budget(resource),
    ):
        assert refusal_of(plane, manifest) == ""


@pytest.mark.parametrize("spec", SPECS)
def test_a_server_pod_is_admitted_where_restricted_is_enforced(plane, spec):
    assert refusal_of(plane, pod_of(deployment_of(spec)["spec"]["template"])) == ""


def test_the_operators_pod_is_admitted_where_restricted_is_enforced(plane):
    operator = yaml.safe_load(render_tree()["operator/deployment.yaml"])
    assert refusal_of(plane, pod_of(operator["spec"]["template"])) == ""


def test_a_pod_that_may_become_root_is_refused_there(plane):
    # The control arm of the two tests above: the namespace does refuse.
    template = deployment_of({})["spec"]["template"]
    pod = pod_of(template)
    pod["spec"]["securityContext"] = {}
    assert "violates PodSecurity" in refusal_of(plane, pod)


def test_applying_the_deployment_again_leaves_the_replicas_to_the_scaler(plane):
    def apply(manifest: dict[str, Any], manager: str, *more: str) -> None:
        words = ("apply", "--server-side", "--force-conflicts", f"--field-manager={manager}", *more)
        plane.kubectl(*words, "-f", "-", stdin=json.dumps(manifest))

    first = deployment_of({})
    apply(first, "vibethinker-operator")
    scale = {
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": {"name": "chat", "namespace": "strict"},
        "spec": {"replicas": 4},
    }
    path = "/apis/apps/v1/namespaces/strict/deployments/chat/scale"
    plane.kubectl("replace", "--raw", path, "-f", "-", stdin=json.dumps(scale))
    apply(deployment_of({"engine": {"maxNumSeqs": 64}}), "vibethinker-operator")
    live = json.loads(plane.kubectl("get", "-n", "strict", "deployment", "chat", "-o", "json"))
    assert live["spec"]["replicas"] == 4
    assert live["spec"]["template"] != first["spec"]["template"]


def may(plane: ControlPlane, verb: str, resource: str, *where: str) -> bool:
    # `kubectl auth can-i get pods/log` would ask about a pod named log.
    resource, _, subresource = resource.partition("#")
    words = ("auth", "can-i", verb, resource, f"--subresource={subresource}", f"--as={ACCOUNT}")
    try:
        answer = plane.kubectl(*words, *where)
    except CommandError:
        return False
    return answer.strip() == "yes"


@pytest.mark.parametrize(
    ("verb", "resource"),
    [
        ("watch", "vibethinkerdeployments.vibethinker.io"),
        ("patch", "vibethinkerdeployments.vibethinker.io#status"),
        ("create", "deployments.apps"),
        ("patch", "deployments.apps#scale"),
        ("patch", "pods"),
        ("create", "secrets"),
        ("create", "events"),
    ],
)
def test_the_operator_may_do_its_work_in_every_namespace(plane, verb, resource):
    assert may(plane, verb, resource, "-n", "strict")


@pytest.mark.parametrize(
    ("verb", "resource"),
    [
        ("get", "secrets"),
        ("list", "secrets"),
        ("patch", "secrets"),
        ("create", "pods"),
        ("delete", "pods"),
        ("create", "pods#exec"),
        ("get", "pods#log"),
        ("delete", "deployments.apps"),
        ("update", "vibethinkerdeployments.vibethinker.io"),
        ("patch", "vibethinkerdeployments.vibethinker.io"),
        ("list", "nodes"),
        ("create", "clusterrolebindings.rbac.authorization.k8s.io"),
        ("impersonate", "users"),
        ("escalate", "clusterroles.rbac.authorization.k8s.io"),
    ],
)
def test_the_operator_may_do_nothing_else(plane, verb, resource):
    assert not may(plane, verb, resource, "-n", "strict")


def test_the_operator_reads_its_root_key_and_no_other_secret_beside_it(plane):
    where = ("-n", "vibethinker-system")
    assert may(plane, "get", "secret/vibethinker-operator-root", *where)
    assert not may(plane, "get", "secret/other", *where)
    assert not may(plane, "list", "secrets", *where)
