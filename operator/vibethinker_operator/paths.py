"""Where in the Kubernetes API an object lives. Pure."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from vibethinker_operator import names

PLURALS = {
    ("v1", "ConfigMap"): "configmaps",
    ("v1", "Event"): "events",
    ("v1", "Pod"): "pods",
    ("v1", "Secret"): "secrets",
    ("v1", "Service"): "services",
    ("apps/v1", "Deployment"): "deployments",
    ("batch/v1", "Job"): "jobs",
    ("policy/v1", "PodDisruptionBudget"): "poddisruptionbudgets",
    (names.API_VERSION, names.KIND): names.PLURAL,
}
"""Every kind the operator touches; a kind that is not here cannot be written by it."""


def collection_path(manifest: Mapping[str, Any]) -> str:
    """Returns the path that objects of the manifest's kind and namespace are created under."""
    version, kind = manifest["apiVersion"], manifest["kind"]
    root = "/api" if "/" not in version else "/apis"
    namespace = quote(manifest["metadata"]["namespace"])
    return f"{root}/{version}/namespaces/{namespace}/{PLURALS[version, kind]}"


def resources_path(namespace: str = "") -> str:
    """Returns the path of our resources in a namespace, or in all of them where it is empty."""
    within = f"/namespaces/{quote(namespace)}" if namespace else ""
    return f"/apis/{names.API_VERSION}{within}/{names.PLURAL}"


def object_path(manifest: Mapping[str, Any], subresource: str = "") -> str:
    """Returns the path of the object that the manifest names, or of its subresource."""
    path = f"{collection_path(manifest)}/{quote(manifest['metadata']['name'])}"
    return f"{path}/{subresource}" if subresource else path
