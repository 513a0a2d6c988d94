"""The pod template: what a fleet's pods are. Nothing measured enters it."""

from typing import Any

from vibethinker_operator import names
from vibethinker_operator.api import Backend, Device, VibeThinkerDeployment
from vibethinker_operator.api.base import ApiModel
from vibethinker_operator.deadlines import derive_deadlines
from vibethinker_operator.images import Images
from vibethinker_operator.resources.containers import build_engine_container, build_inject_container
from vibethinker_operator.resources.llama_containers import (
    build_llama_container,
    build_proxy_container,
)
from vibethinker_operator.resources.volumes import build_volumes

USER_ID = 10001

SECURITY_CONTEXT = {
    "runAsNonRoot": True,
    "runAsUser": USER_ID,
    "runAsGroup": USER_ID,
    "fsGroup": USER_ID,
    # Without it the kubelet walks a whole model cache at each start.
    "fsGroupChangePolicy": "OnRootMismatch",
    "seccompProfile": {"type": "RuntimeDefault"},
}

GPU_PRODUCT_LABEL = "nvidia.com/gpu.product"

GPU_TOLERATION = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
"""GPU nodes of the large clouds carry this taint to keep other pods off."""


def build_template(resource: VibeThinkerDeployment, images: Images) -> dict[str, Any]:
    """Returns the pod template of the fleet's Deployment."""
    return {
        "metadata": {
            "labels": names.child_labels(resource.metadata.name),
            "annotations": {
                "kubectl.kubernetes.io/default-container": names.ENGINE_CONTAINER,
                "prometheus.io/scrape": "true",
                "prometheus.io/port": str(names.OPS_PORT),
                "prometheus.io/path": names.PATH_METRICS,
            },
        },
        "spec": _build_pod(resource, images),
    }


def _build_pod(resource: VibeThinkerDeployment, images: Images) -> dict[str, Any]:
    return {
        **_build_containers(resource, images),
        "volumes": build_volumes(resource),
        **build_pod_frame(resource),
        "terminationGracePeriodSeconds": derive_deadlines(resource.spec).grace_seconds,
        **_build_scheduling(resource),
    }


def build_pod_frame(resource: VibeThinkerDeployment) -> dict[str, Any]:
    """Returns what every pod of the fleet has in common, whatever runs in it."""
    pull_secrets = [{"name": secret.name} for secret in resource.spec.engine.image_pull_secrets]
    return {
        "securityContext": SECURITY_CONTEXT,
        "automountServiceAccountToken": False,
        # A Service named `vllm` would set VLLM_PORT in the pod, which vLLM reads.
        "enableServiceLinks": False,
        **({"imagePullSecrets": pull_secrets} if pull_secrets else {}),
    }


def _build_containers(resource: VibeThinkerDeployment, images: Images) -> dict[str, Any]:
    if resource.spec.engine.backend is Backend.LLAMA_CPP:
        # A sidecar: it ends after the proxy, which waits for the last answers before.
        return {
            "initContainers": [build_llama_container(resource, images)],
            "containers": [build_proxy_container(resource, images)],
            "shareProcessNamespace": True,
        }
    return {
        "initContainers": [build_inject_container(images)],
        "containers": [build_engine_container(resource, images)],
    }


def _build_scheduling(resource: VibeThinkerDeployment) -> dict[str, Any]:
    spec = resource.spec
    scheduling, gpu = spec.scheduling, spec.engine.device is Device.GPU
    selector = dict(scheduling.node_selector)
    tolerations = [_dump(toleration) for toleration in scheduling.tolerations]
    if gpu:
        tolerations.append(GPU_TOLERATION)
    if gpu and spec.gpu.product:
        selector[GPU_PRODUCT_LABEL] = spec.gpu.product
    fields = {
        "nodeSelector": selector,
        "tolerations": tolerations,
        "affinity": _dump(scheduling.affinity),
        "topologySpreadConstraints": _build_spread(resource),
        "priorityClassName": scheduling.priority_class_name,
        "runtimeClassName": scheduling.runtime_class_name,
    }
    return {name: value for name, value in fields.items() if value}


def _build_spread(resource: VibeThinkerDeployment) -> list[dict[str, Any]]:
    ours = {
        "labelSelector": {"matchLabels": names.selector_labels(resource.metadata.name)},
        # Pods of a rollout are spread among themselves, not against those they replace.
        "matchLabelKeys": ["pod-template-hash"],
    }
    return [
        _dump(constraint) | ours
        for constraint in resource.spec.scheduling.topology_spread_constraints
    ]


def _dump(part: ApiModel) -> dict[str, Any]:
    dumped: dict[str, Any] = part.model_dump(mode="json", exclude_none=True)
    return _without_empty(dumped)


def _without_empty(value: dict[str, Any]) -> dict[str, Any]:
    # The schema fills in `[]` where the writer left a list out; the pod is to say nothing then.
    pruned = {
        key: _without_empty(part) if isinstance(part, dict) else part for key, part in value.items()
    }
    return {key: part for key, part in pruned.items() if part not in ({}, [])}
