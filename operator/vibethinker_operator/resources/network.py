"""How clients reach the fleet, and how many pods a node drain may take at once."""

from typing import Any

from vibethinker_operator import names
from vibethinker_operator.api import VibeThinkerDeployment
from vibethinker_operator.resources.metadata import build_metadata


def build_service(resource: VibeThinkerDeployment) -> dict[str, Any]:
    """Returns the Service of the client port. The ops port is in no Service."""
    owner, service = resource.metadata, resource.spec.service
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": build_metadata(owner, owner.name),
        "spec": {
            "type": service.type.value,
            "selector": names.selector_labels(owner.name),
            "ports": [
                {
                    "name": names.CLIENT_PORT_NAME,
                    "port": service.port,
                    "targetPort": names.CLIENT_PORT_NAME,
                    "protocol": "TCP",
                    "appProtocol": "http",
                }
            ],
        },
    }


def render_url(resource: VibeThinkerDeployment) -> str:
    """Returns the base address for OpenAI clients inside the cluster."""
    owner = resource.metadata
    return f"http://{owner.name}.{owner.namespace}.svc:{resource.spec.service.port}/v1"


def build_pod_disruption_budget(resource: VibeThinkerDeployment) -> dict[str, Any]:
    """Returns the budget: one pod at a time at every size, and a broken pod whenever asked.

    A minimum would block node drains of a fleet of one for ever.
    """
    owner = resource.metadata
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": build_metadata(owner, owner.name),
        "spec": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": names.selector_labels(owner.name)},
        },
    }
