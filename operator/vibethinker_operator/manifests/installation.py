"""The operator's own objects: namespace, account, Deployment, metrics."""

from typing import Any

from vibethinker_operator import names
from vibethinker_operator.resources.containers import SECURITY_CONTEXT
from vibethinker_operator.resources.pod import SECURITY_CONTEXT as POD_SECURITY_CONTEXT
from vibethinker_operator.settings import Settings

VERSION = "0.1.0"
OPERATOR_IMAGE = f"vibethinker-operator:{VERSION}"
PACKAGE_IMAGE = f"vibethinker-server:{VERSION}"
"""Images built from this repository's Dockerfile; the README says how to put a registry before."""

METRICS_PORT_NAME = "metrics"
HEALTH_PORT_NAME = "health"

LABELS = {names.LABEL_NAME: names.OPERATOR_NAME, "app.kubernetes.io/part-of": "vibethinker"}
"""Not `managed-by`: that label marks what the operator manages, and it watches by it."""


def build_namespace() -> dict[str, Any]:
    """Returns the operator's namespace, which admits only pods of the strictest profile."""
    labels = {
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
    }
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": names.OPERATOR_NAMESPACE, "labels": LABELS | labels},
    }


def build_service_account() -> dict[str, Any]:
    """Returns the account that the operator's rights are given to."""
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata()}


def build_operator_deployment() -> dict[str, Any]:
    """Returns the operator's Deployment: one pod, and never two at once."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(),
        "spec": {
            "replicas": 1,
            # Two operators would scale the same fleets against each other.
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": {names.LABEL_NAME: names.OPERATOR_NAME}},
            "template": {"metadata": {"labels": LABELS}, "spec": _build_pod()},
        },
    }


def build_metrics_service() -> dict[str, Any]:
    """Returns the Service that Prometheus finds the operator's metrics by, and tests its health."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(f"{names.OPERATOR_NAME}-metrics"),
        "spec": {
            "selector": {names.LABEL_NAME: names.OPERATOR_NAME},
            "ports": [
                {"name": name, "port": port, "targetPort": name}
                for name, port in (
                    (METRICS_PORT_NAME, names.METRICS_PORT),
                    (HEALTH_PORT_NAME, names.HEALTH_PORT),
                )
            ],
        },
    }


def _build_pod() -> dict[str, Any]:
    return {
        "serviceAccountName": names.OPERATOR_NAME,
        "securityContext": POD_SECURITY_CONTEXT,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 30,
        # A lost node is left after half a minute, not after Kubernetes' five.
        "tolerations": [
            {
                "key": f"node.kubernetes.io/{taint}",
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": 30,
            }
            for taint in ("not-ready", "unreachable")
        ],
        "containers": [_build_container()],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}],
    }


def _build_container() -> dict[str, Any]:
    healthz = {"httpGet": {"path": names.PATH_HEALTHZ, "port": HEALTH_PORT_NAME}}
    return {
        "name": "operator",
        "image": OPERATOR_IMAGE,
        "env": _environment(),
        "ports": [
            {"name": HEALTH_PORT_NAME, "containerPort": names.HEALTH_PORT},
            {"name": METRICS_PORT_NAME, "containerPort": names.METRICS_PORT},
        ],
        "startupProbe": healthz | {"periodSeconds": 2, "failureThreshold": 30},
        "livenessProbe": healthz
        | {"periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 3},
        "readinessProbe": healthz | {"periodSeconds": 5, "timeoutSeconds": 5},
        "resources": {
            "requests": {"cpu": "100m", "memory": "128Mi"},
            "limits": {"memory": "512Mi"},
        },
        "securityContext": SECURITY_CONTEXT,
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 (an emptyDir)
    }


def _environment() -> list[dict[str, Any]]:
    fields = Settings.model_fields
    namespace, package = (str(fields[field].alias) for field in ("namespace", "package_image"))
    engines = (fields[field] for field in ("engine_image_gpu", "engine_image_llama_cpp"))
    return [
        {"name": namespace, "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
        {"name": package, "value": PACKAGE_IMAGE},
        *({"name": str(engine.alias), "value": engine.default} for engine in engines),
    ]


def _metadata(name: str = names.OPERATOR_NAME) -> dict[str, Any]:
    return {"name": name, "namespace": names.OPERATOR_NAMESPACE, "labels": LABELS}
