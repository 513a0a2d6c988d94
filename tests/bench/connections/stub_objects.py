"""A fleet of stub pods behind a Service, as plain dicts. Pure."""

import json
from collections.abc import Sequence
from typing import Any

from tests.demo import names
from tests.demo.objects import CONFINED, RESTRICTED, ImageNames, Object

NAMESPACE = "connections"
NAME = "stub"
SELECTOR = f"{names.INSTANCE_LABEL}={NAME}"
_LABELS = {names.INSTANCE_LABEL: NAME}
ENGINE_SETTINGS = {
    "model": "stub",
    "servedName": "stub",
    "device": "CPU",
    "dtype": "BFloat16",
    "blockSize": 32,
    "maxModelLen": 4096,
    "maxNumSeqs": 128,
    "maxNumBatchedTokens": 4096,
    "kvCacheMemoryBytes": 1 << 30,
}


def build_stub_fleet(images: ImageNames, script: str, token: str) -> Sequence[Object]:
    """Namespace, script, token, Service and a Deployment of one replica."""
    return [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": NAMESPACE,
                "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
            },
        },
        _object("v1", "ConfigMap", data={"stub_pod.py": script}),
        _object("v1", "Secret", stringData={"fleet-token": token, "ticket-key": token}),
        _object(
            "v1",
            "Service",
            spec={
                "selector": _LABELS,
                "ports": [{"name": "http", "port": names.CLIENT_PORT}],
            },
        ),
        _object("apps/v1", "Deployment", spec=_build_deployment_spec(images)),
    ]


def _build_deployment_spec(images: ImageNames) -> Object:
    package = {"name": "package", "mountPath": "/vibethinker"}
    inject = {
        "name": "inject",
        "image": images.package,
        "command": ["cp", "-R", "/opt/vibethinker/package/.", "/vibethinker/"],
        "securityContext": CONFINED,
        "volumeMounts": [package],
    }
    engine = {
        "name": "engine",
        "image": images.engine,
        "command": ["python3", "/script/stub_pod.py"],
        "env": [
            {"name": "PYTHONPATH", "value": "/vibethinker"},
            {"name": "PYTHONDONTWRITEBYTECODE", "value": "1"},
            {"name": "VIBETHINKER_ENGINE", "value": json.dumps(ENGINE_SETTINGS)},
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ],
        "readinessProbe": {
            "httpGet": {"path": "/-/ready", "port": names.OPS_PORT},
            "periodSeconds": 1,
        },
        "securityContext": CONFINED,
        "volumeMounts": [
            package,
            {"name": "script", "mountPath": "/script"},
            {"name": "fleet", "mountPath": "/etc/vibethinker/fleet"},
        ],
    }
    return {
        "replicas": 1,
        "selector": {"matchLabels": _LABELS},
        "template": {
            "metadata": {"labels": _LABELS},
            "spec": {
                "securityContext": RESTRICTED,
                "automountServiceAccountToken": False,
                "enableServiceLinks": False,
                "initContainers": [inject],
                "containers": [engine],
                "volumes": [
                    {"name": "package", "emptyDir": {}},
                    {"name": "script", "configMap": {"name": NAME}},
                    {"name": "fleet", "secret": {"secretName": NAME}},
                ],
            },
        },
    }


def _object(version: str, kind: str, **rest: Any) -> Object:
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        **rest,
    }
