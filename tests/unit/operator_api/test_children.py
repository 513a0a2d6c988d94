import json
from typing import Any

import pytest
from vibethinker_operator.api import VibeThinkerDeployment
from vibethinker_operator.resources import (
    build_deployment,
    build_fleet_secret,
    build_pod_disruption_budget,
    build_policy_config_map,
    build_service,
    render_policy,
    render_url,
)

from tests.unit.operator_api.resource import UID, choose_first, make_resource

KEYS = ("0" * 64, "1" * 64)
SELECTOR = {
    "app.kubernetes.io/name": "vibethinker-server",
    "app.kubernetes.io/instance": "chat",
}


def build_children(resource: VibeThinkerDeployment) -> dict[str, Any]:
    return {
        "deployment": build_deployment(resource, choose_first(resource)),
        "service": build_service(resource),
        "policy": build_policy_config_map(resource),
        "secret": build_fleet_secret(resource, ticket_key=KEYS[0], fleet_token=KEYS[1]),
        "budget": build_pod_disruption_budget(resource),
    }


@pytest.mark.parametrize("kind", ["deployment", "service", "policy", "secret", "budget"])
def test_every_child_goes_with_its_owner_and_carries_its_labels(kind):
    metadata = build_children(make_resource())[kind]["metadata"]
    (owner,) = metadata["ownerReferences"]
    assert (owner["uid"], owner["kind"], owner["controller"]) == (
        UID,
        "VibeThinkerDeployment",
        True,
    )
    assert "blockOwnerDeletion" not in owner
    assert metadata["namespace"] == "team"
    assert metadata["labels"].items() >= SELECTOR.items()
    assert metadata["labels"]["app.kubernetes.io/managed-by"] == "vibethinker-operator"


def test_children_of_the_longest_name_have_names_and_labels_that_kubernetes_takes():
    for child in build_children(make_resource(name="a" * 40)).values():
        assert len(child["metadata"]["name"]) <= 63
        assert all(len(value) <= 63 for value in child["metadata"]["labels"].values())


@pytest.mark.parametrize("mode", ["Auto", "Advisory", "Manual"])
def test_the_deployment_never_says_how_many_replicas(mode):
    resource = make_resource({"replicas": 3, "scaling": {"mode": mode}})
    assert "replicas" not in build_deployment(resource, choose_first(resource))["spec"]


def test_the_deployment_selects_its_own_pods_only():
    deployment = build_children(make_resource())["deployment"]["spec"]
    assert deployment["selector"]["matchLabels"] == SELECTOR
    assert deployment["template"]["metadata"]["labels"].items() >= SELECTOR.items()


def test_pods_are_replaced_as_the_rollout_says():
    resource = make_resource({"rollout": {"maxSurge": 2, "maxUnavailable": 0}})
    strategy = build_deployment(resource, choose_first(resource))["spec"]["strategy"]
    assert strategy["rollingUpdate"] == {"maxSurge": 2, "maxUnavailable": 0}


def test_the_service_carries_the_client_port_and_not_the_ops_port():
    (port,) = build_service(make_resource({"service": {"port": 80}}))["spec"]["ports"]
    assert (port["port"], port["targetPort"]) == (80, "http")


def test_the_url_is_what_an_openai_client_wants():
    assert render_url(make_resource()) == "http://chat.team.svc:8000/v1"


def test_the_policy_document_is_the_one_that_servers_agreed_to():
    assert render_policy(make_resource()) == {
        "generation": 3,
        "saturation": {
            "memoryUsedPercentage": 75,
            "memoryRecoverPercentage": 65,
            "requestQueueLength": 4,
            "sustainedSeconds": 10,
        },
        "overload": {"policy": "ScaleOutThenReject", "maxQueuedRequests": 64},
        "profiles": [
            {
                "name": "webui",
                "kind": "WebUI",
                "systemPrompt": "",
                "clientSystemMessages": "Refuse",
                "maxSystemPromptCharacters": 4096,
                "isolation": None,
                "timeToFirstTokenSeconds": None,
                "sampling": {
                    "temperaturePercentage": None,
                    "topPPercentage": None,
                    "topK": None,
                },
                "apiKeys": [],
            }
        ],
        "tokenLimits": {"math": 512, "code": 768, "qa": 256},
        "defaultTask": "code",
        "sessions": {
            "ttlSeconds": 900,
            "maxConcurrentRequests": 4,
            "maxKnownPerKey": 256,
            "trustedHeader": "",
        },
        "repository": "WeiboAI/VibeThinker-1.5B",
    }


def test_the_config_map_holds_the_policy_document():
    resource = make_resource()
    data = build_policy_config_map(resource)["data"]
    assert json.loads(data["policy.json"]) == render_policy(resource)


def test_the_fleets_secret_cannot_be_changed_once_made():
    secret = build_fleet_secret(make_resource(), ticket_key=KEYS[0], fleet_token=KEYS[1])
    assert secret["immutable"] is True
    assert secret["stringData"] == {"ticket-key": KEYS[0], "fleet-token": KEYS[1]}


def test_a_node_drain_takes_one_pod_at_a_time_and_is_never_blocked_by_a_broken_one():
    budget = build_pod_disruption_budget(make_resource())["spec"]
    assert budget["maxUnavailable"] == 1
    assert "minAvailable" not in budget
    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
