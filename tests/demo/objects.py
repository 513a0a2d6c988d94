"""The demo's Kubernetes objects, as plain dicts. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.demo import names, settings

Object = dict[str, Any]

SYSTEM_NAMESPACE = "vibethinker-system"
OPERATOR = "vibethinker-operator"
CLAIM = "model"
DRIVER = "demo-driver"
MODEL_WRITER = "model-writer"
MODEL_GIGABYTES = 1
USER_ID = 10001
RESTRICTED = {
    "runAsNonRoot": True,
    "runAsUser": USER_ID,
    "runAsGroup": USER_ID,
    "fsGroup": USER_ID,
    "seccompProfile": {"type": "RuntimeDefault"},
}
CONFINED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


@dataclass(frozen=True, kw_only=True)
class ImageNames:
    """References that the cluster's nodes can run."""

    operator: str
    package: str
    engine: str


def build_namespace() -> Object:
    """The demo's namespace; it admits only pods that keep to Pod Security `restricted`."""
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": settings.NAMESPACE,
            "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
        },
    }


def build_local_volume(model: Path) -> Object:
    """A volume over a directory of the node, for the claim of `build_claim` alone."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"{settings.NAMESPACE}-{CLAIM}"},
        "spec": {
            "capacity": {"storage": f"{MODEL_GIGABYTES}Gi"},
            "accessModes": ["ReadWriteMany"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "",
            "claimRef": {"namespace": settings.NAMESPACE, "name": CLAIM},
            "hostPath": {"path": str(model), "type": "Directory"},
        },
    }


def build_claim(*, storage_class: str | None, mode: str) -> Object:
    """The claim that the fleet reads its model from; None takes the cluster's default class."""
    spec: Object = {
        "accessModes": [mode],
        "resources": {"requests": {"storage": f"{MODEL_GIGABYTES}Gi"}},
    }
    if storage_class is not None:
        spec["storageClassName"] = storage_class
    return _namespaced("v1", "PersistentVolumeClaim", CLAIM, spec=spec)


def build_custom_resource() -> Object:
    """The fleet: `saturation` is not touched, `scaling` only as far as a demo must."""
    return _namespaced(
        f"{names.GROUP}/{names.VERSION}",
        names.KIND,
        settings.NAME,
        spec={
            "model": {"source": "Volume", "volume": {"claimName": CLAIM}},
            "engine": {
                "device": "CPU",
                # BFloat16 without AVX512_BF16 or AMX runs at a tenth of the speed.
                "dtype": "Float32",
                "kvCacheMemoryBytes": settings.KV_POOL_BYTES,
                # Small steps: running answers go on while prompts are read.
                "maxNumBatchedTokens": 1024,
                "flags": {"enforceEager": True},
            },
            # A slow processor's wait for a first token is no sign of overload.
            "profiles": [{"name": "webui", "kind": "WebUI", "timeToFirstTokenSeconds": 600}],
            "scaling": {
                "minReplicas": 1,
                "maxReplicas": settings.MAX_REPLICAS,
                "scaleDownStabilizationSeconds": settings.SCALE_DOWN_STABILIZATION_SECONDS,
            },
            "resources": {
                "requests": {"cpu": "250m"},
                "limits": {"memory": f"{settings.MEMORY_LIMIT_BYTES // settings.MIB}Mi"},
            },
        },
    )


def build_overlay(manifests: str, images: ImageNames) -> Object:
    """A kustomization that installs the shipped manifests with these images.

    Args:
        manifests: the shipped kustomization, relative to the overlay's directory.
        images: what the operator runs as, and what it gives to fleets that name no image.
    """
    environment = {
        "VIBETHINKER_PACKAGE_IMAGE": images.package,
        "VIBETHINKER_ENGINE_IMAGE_CPU": images.engine,
    }
    patch = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": OPERATOR, "namespace": SYSTEM_NAMESPACE},
        "spec": {
            "template": {
                "spec": {
                    "containers": [
                        {
                            "name": "operator",
                            "image": images.operator,
                            "env": [{"name": k, "value": v} for k, v in environment.items()],
                        }
                    ]
                }
            }
        },
    }
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [manifests],
        "patches": [{"patch": json.dumps(patch)}],
    }


def build_model_writer(image: str, script: str) -> Sequence[Object]:
    """Writes the test model into the claim, with the engine image's own libraries."""
    command = ["python3", "-P", "/script/toy_model.py", "/model"]
    pod = _build_pod(
        MODEL_WRITER,
        image,
        command,
        mounts={"/script": "script", "/model": "model", "/tmp": "tmp"},  # noqa: S108
        volumes=[
            {"name": "script", "configMap": {"name": MODEL_WRITER}},
            {"name": "model", "persistentVolumeClaim": {"claimName": CLAIM}},
            {"name": "tmp", "emptyDir": {}},
        ],
        environment={"HOME": "/tmp", "HF_HUB_OFFLINE": "1"},  # noqa: S108
    )
    return [_build_config_map(MODEL_WRITER, {"toy_model.py": script}), pod]


def build_driver(image: str, modules: Mapping[str, str], arguments: Sequence[str]) -> list[Object]:
    """Traffic and recorder as a pod beside the fleet, with an account that only reads it."""
    account = _namespaced("v1", "ServiceAccount", DRIVER)
    role = _namespaced(
        "rbac.authorization.k8s.io/v1",
        "Role",
        DRIVER,
        rules=[
            {"apiGroups": [group], "resources": [resource], "verbs": ["get", "list"]}
            for group, resource in (
                (names.GROUP, names.PLURAL),
                ("apps", "deployments"),
                ("", "pods"),
            )
        ],
    )
    binding = _namespaced(
        "rbac.authorization.k8s.io/v1",
        "RoleBinding",
        DRIVER,
        roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": DRIVER},
        subjects=[{"kind": "ServiceAccount", "name": DRIVER, "namespace": settings.NAMESPACE}],
    )
    pod = _build_pod(
        DRIVER,
        image,
        ["python3", "-u", "-m", "tests.demo.drive", *arguments],
        mounts={"/code/tests/demo": "code", "/out": "out"},
        volumes=[
            {"name": "code", "configMap": {"name": DRIVER}},
            {"name": "out", "emptyDir": {}},
        ],
        environment={"PYTHONPATH": "/code"},
        # Engines take every processor they find: without a share, users and recorder would starve.
        cpu="500m",
    )
    pod["spec"]["serviceAccountName"] = DRIVER
    return [account, role, binding, _build_config_map(DRIVER, modules), pod]


def render_list(objects: Sequence[Object]) -> str:
    """The objects as one document that kubectl reads."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})


def _build_config_map(name: str, files: Mapping[str, str]) -> Object:
    return _namespaced("v1", "ConfigMap", name, data=dict(files))


def _build_pod(
    name: str,
    image: str,
    command: Sequence[str],
    *,
    mounts: Mapping[str, str],
    volumes: Sequence[Object],
    environment: Mapping[str, str],
    cpu: str = "0",
) -> Object:
    container = {
        "name": "main",
        "image": image,
        "command": list(command),
        "env": [{"name": key, "value": value} for key, value in environment.items()],
        "resources": {"requests": {"cpu": cpu}},
        "securityContext": CONFINED,
        "volumeMounts": [{"mountPath": path, "name": volume} for path, volume in mounts.items()],
    }
    return _namespaced(
        "v1",
        "Pod",
        name,
        spec={
            "restartPolicy": "Never",
            "securityContext": RESTRICTED,
            "containers": [container],
            "volumes": list(volumes),
        },
    )


def _namespaced(version: str, kind: str, name: str, **rest: Any) -> Object:
    metadata = {"name": name, "namespace": settings.NAMESPACE}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **rest}
