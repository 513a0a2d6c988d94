"""The two containers of a llama.cpp pod: llama-server, and our policy as a proxy before it.

llama-server is a sidecar (an init container that goes on): Kubernetes ends those after the other
containers, so the proxy can wait for the last answers; llama-server itself has no drain.
"""

from typing import Any

from vibethinker_operator import names
from vibethinker_operator.api import VibeThinkerDeployment
from vibethinker_operator.images import Images
from vibethinker_operator.resources.containers import (
    SECURITY_CONTEXT,
    build_server_container,
    render_resources,
)
from vibethinker_operator.resources.llama_args import render_llama_args
from vibethinker_operator.resources.volumes import build_llama_mounts

PROXY_RESOURCES = {
    "requests": {"cpu": "100m", "memory": "192Mi"},
    "limits": {"memory": "1Gi"},
}


def build_llama_container(resource: VibeThinkerDeployment, images: Images) -> dict[str, Any]:
    """Returns llama-server's container, a stock image that listens on the pod's loopback only."""
    return {
        "name": names.ENGINE_CONTAINER,
        "image": images.engine,
        "restartPolicy": "Always",
        "args": render_llama_args(resource.spec),
        "resources": render_resources(resource),
        "securityContext": SECURITY_CONTEXT,
        "volumeMounts": build_llama_mounts(resource),
    }


def build_proxy_container(resource: VibeThinkerDeployment, images: Images) -> dict[str, Any]:
    """Returns the container with our policy: what a client, a probe and the operator talk to."""
    limit = {"containerName": names.ENGINE_CONTAINER, "resource": "limits.memory", "divisor": "1"}
    return build_server_container(
        resource,
        name=names.PROXY_CONTAINER,
        image=images.package,
        environment=[
            {
                "name": names.ENV_ENGINE_MEMORY_LIMIT,
                "valueFrom": {"resourceFieldRef": limit},
            }
        ],
        resources=PROXY_RESOURCES,
    )
