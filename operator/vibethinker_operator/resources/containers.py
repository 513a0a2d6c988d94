"""The two containers of a server pod: one copies our package in, the other is a stock vLLM."""

from typing import Any

from vibethinker_operator import names
from vibethinker_operator.api import Device, VibeThinkerDeployment
from vibethinker_operator.deadlines import PROBE_PERIOD_SECONDS, TEARDOWN_SECONDS, derive_deadlines
from vibethinker_operator.images import Images
from vibethinker_operator.resources.engine_settings import render_engine_variable
from vibethinker_operator.resources.volumes import build_inject_mounts, build_mounts

SECURITY_CONTEXT: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}
"""What Pod Security "restricted" demands of a container, and a read-only root."""

SERVER_COMMAND = ["python3", "-m", names.SERVER_MODULE]


def build_inject_container(images: Images) -> dict[str, Any]:
    """Returns the init container that copies the server package into the pod."""
    return {
        "name": names.INJECT_CONTAINER,
        "image": images.package,
        "command": ["cp", "-R", f"{names.PACKAGE_SOURCE}/.", f"{names.PACKAGE_PATH}/"],
        "resources": {
            "requests": {"cpu": "10m", "memory": "32Mi"},
            "limits": {"memory": "128Mi"},
        },
        "securityContext": SECURITY_CONTEXT,
        "volumeMounts": build_inject_mounts(),
    }


def build_engine_container(resource: VibeThinkerDeployment, images: Images) -> dict[str, Any]:
    """Returns the engine container: vLLM, started by our package."""
    return build_server_container(
        resource,
        name=names.ENGINE_CONTAINER,
        image=images.engine,
        environment=_vllm_environment(resource),
        resources=render_resources(resource),
    )


def build_server_container(
    resource: VibeThinkerDeployment,
    *,
    name: str,
    image: str,
    environment: list[dict[str, Any]],
    resources: dict[str, Any],
) -> dict[str, Any]:
    """Returns the container that runs our package: both ports, probes and drain are its own.

    Args:
        resource: the fleet.
        name: the container's name.
        image: its image.
        environment: variables beside those that every such container has.
        resources: what it asks for, and what it may use at most.
    """
    return {
        "name": name,
        "image": image,
        "command": [*SERVER_COMMAND, "serve"],
        "env": [*_environment(resource), *environment],
        "ports": [
            {"name": names.CLIENT_PORT_NAME, "containerPort": names.CLIENT_PORT, "protocol": "TCP"},
            {"name": names.OPS_PORT_NAME, "containerPort": names.OPS_PORT, "protocol": "TCP"},
        ],
        "resources": resources,
        "securityContext": SECURITY_CONTEXT,
        "volumeMounts": build_mounts(resource),
        # What the engine's process writes there tells more than the end of its log.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "lifecycle": {"preStop": {"exec": {"command": [*SERVER_COMMAND, "drain"]}}},
        **_probes(resource),
    }


def _environment(resource: VibeThinkerDeployment) -> list[dict[str, Any]]:
    cache = names.CACHE_PATH
    plain = {
        names.ENV_TERMINATION_LOG: names.TERMINATION_LOG,
        names.ENV_ENGINE: render_engine_variable(resource.spec),
        # getpass and everything under ~ fail for a uid that the image does not know.
        "USER": "vibethinker",
        "HOME": names.HOME_PATH,
        "XDG_CACHE_HOME": cache,
        "HF_HOME": f"{cache}/huggingface",
        "MODELSCOPE_CACHE": f"{cache}/modelscope",
        "PROMETHEUS_DISABLE_CREATED_SERIES": "true",
    }
    if resource.spec.model.token_secret_ref.name:
        plain["HF_TOKEN_PATH"] = f"{names.HUB_PATH}/{names.HUB_TOKEN}"
    if resource.spec.auth.api_keys_secret_ref.name:
        plain[names.ENV_API_KEYS] = names.API_KEYS_PATH
    pod_name = {"valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    return [{"name": names.ENV_POD_NAME, **pod_name}, *_list_plain(plain)]


def _vllm_environment(resource: VibeThinkerDeployment) -> list[dict[str, Any]]:
    plain = {
        "PYTHONPATH": names.PACKAGE_PATH,
        "VLLM_CACHE_ROOT": f"{names.CACHE_PATH}/vllm",
        "VLLM_NO_USAGE_STATS": "1",
        # Bounds on what one request may ask for; vLLM's own defaults are 16384 and 1024.
        "VLLM_MAX_N_SEQUENCES": "8",
        "VLLM_MAX_COMPLETION_PROMPTS": "8",
    }
    # The limit, rounded up to whole processors; without one, what the node has.
    cpus = {"valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1"}}}
    on_cpu = resource.spec.engine.device is Device.CPU
    return [*_list_plain(plain), *([{"name": names.ENV_CPUS, **cpus}] if on_cpu else [])]


def _list_plain(plain: dict[str, str]) -> list[dict[str, Any]]:
    return [{"name": name, "value": value} for name, value in plain.items()]


def render_resources(resource: VibeThinkerDeployment) -> dict[str, Any]:
    """Returns what the engine asks for and may use at most; on a GPU fleet one card."""
    spec = resource.spec
    # As strings, so that 4 and "4" are the same pod.
    requests, limits = (
        {name: str(amount) for name, amount in amounts.model_dump(exclude_none=True).items()}
        for amounts in (spec.resources.requests, spec.resources.limits)
    )
    if spec.engine.device is Device.GPU:
        limits[spec.gpu.resource_name] = "1"
    return {"requests": requests, "limits": limits}


def _probes(resource: VibeThinkerDeployment) -> dict[str, Any]:
    ready = {"httpGet": {"path": names.PATH_READY, "port": names.OPS_PORT_NAME}}
    deadlines = derive_deadlines(resource.spec)
    often = {"periodSeconds": PROBE_PERIOD_SECONDS, "timeoutSeconds": 2}
    return {
        "startupProbe": ready | often | {"failureThreshold": deadlines.startup_failure_threshold},
        "readinessProbe": ready | often | {"failureThreshold": 2},
        "livenessProbe": {
            "httpGet": {"path": names.PATH_HEALTH, "port": names.CLIENT_PORT_NAME},
            "periodSeconds": 10,
            "timeoutSeconds": 10,
            "failureThreshold": 12,
            # Answers of an engine that has been dead for two minutes are not worth a long drain.
            "terminationGracePeriodSeconds": TEARDOWN_SECONDS,
        },
    }
