"""Directories of a server pod. The root is read-only, so each is sized and listed here."""

from typing import Any

from vibethinker_operator import names
from vibethinker_operator.api import Source, VibeThinkerDeployment

PACKAGE_SIZE = "64Mi"
HOME_SIZE = "1Gi"
TMP_SIZE = "2Gi"
SHARED_MEMORY_SIZE = "1Gi"
"""Room, not use. Home takes what libraries keep beside the named caches; /dev/shm carries messages
between vLLM's processes and counts as the container's memory."""

SECRET_MODE = 0o440
"""Readable for the pod's group (fsGroup), writable for nobody."""


def build_volumes(resource: VibeThinkerDeployment) -> list[dict[str, Any]]:
    """Returns the volumes of a server pod."""
    name, uid, model = resource.metadata.name, resource.metadata.uid, resource.spec.model
    volumes = [
        _empty("package", PACKAGE_SIZE),
        _empty("home", HOME_SIZE),
        _empty("tmp", TMP_SIZE),
        {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": SHARED_MEMORY_SIZE}},
        _claim("cache", model.cache.claim_name)
        if model.cache.claim_name
        else _empty("cache", str(model.cache.size_limit)),
        {"name": "policy", "configMap": {"name": names.policy_config_map(name)}},
        _secret("fleet", names.fleet_secret(name, uid), names.FLEET_TICKET_KEY, names.FLEET_TOKEN),
    ]
    if model.token_secret_ref.name:
        volumes.append(_secret("hub", model.token_secret_ref.name, names.HUB_TOKEN))
    if keys := resource.spec.auth.api_keys_secret_ref.name:
        volumes.append(_secret("keys", keys))
    if model.source is Source.VOLUME:
        volumes.append(_claim("model", model.volume.claim_name, read_only=True))
    return volumes


def build_mounts(resource: VibeThinkerDeployment) -> list[dict[str, Any]]:
    """Returns where the engine container sees the volumes."""
    model = resource.spec.model
    mounts = [
        _mount("package", names.PACKAGE_PATH, read_only=True),
        _mount("home", names.HOME_PATH),
        _mount("tmp", "/tmp"),  # noqa: S108 (an emptyDir of the pod's own)
        _mount("shm", "/dev/shm"),  # noqa: S108 (likewise)
        _mount("cache", names.CACHE_PATH),
        _mount("policy", names.POLICY_PATH, read_only=True),
        _mount("fleet", names.FLEET_PATH, read_only=True),
    ]
    if model.token_secret_ref.name:
        mounts.append(_mount("hub", names.HUB_PATH, read_only=True))
    if resource.spec.auth.api_keys_secret_ref.name:
        mounts.append(_mount("keys", names.API_KEYS_PATH, read_only=True))
    if model.source is Source.VOLUME:
        mounts.append(_mount("model", names.MODEL_PATH, read_only=True))
    return mounts


def build_inject_mounts() -> list[dict[str, Any]]:
    """Returns where the init container sees the volume that it copies the package into."""
    return [_mount("package", names.PACKAGE_PATH)]


def build_prepare_volumes(resource: VibeThinkerDeployment) -> list[dict[str, Any]]:
    """Returns the volumes of the pod that prepares weights: those of a server pod that it reads."""
    wanted = {mount["name"] for mount in build_prepare_mounts(resource)}
    return [volume for volume in build_volumes(resource) if volume["name"] in wanted]


def build_prepare_mounts(resource: VibeThinkerDeployment) -> list[dict[str, Any]]:
    """Returns where the container that prepares weights sees the volumes."""
    unread = ("package", "shm", "policy", "keys")
    return [mount for mount in build_mounts(resource) if mount["name"] not in unread]


def build_llama_mounts(resource: VibeThinkerDeployment) -> list[dict[str, Any]]:
    """Returns where llama-server sees the volume with its file; it writes nothing."""
    model = resource.spec.model
    if model.gguf is not None:
        return [_mount("cache", names.CACHE_PATH, read_only=True)]
    return [_mount("model", names.MODEL_PATH, read_only=True)]


def _empty(name: str, size: str) -> dict[str, Any]:
    return {"name": name, "emptyDir": {"sizeLimit": size}}


def _claim(name: str, claim: str, *, read_only: bool = False) -> dict[str, Any]:
    source: dict[str, Any] = {"claimName": claim}
    return {
        "name": name,
        "persistentVolumeClaim": source | ({"readOnly": True} if read_only else {}),
    }


def _secret(name: str, secret: str, *keys: str) -> dict[str, Any]:
    # Only the keys named: whatever else the Secret holds stays out of the pod. None named: all,
    # where the keys' own names are what is told.
    items = [{"key": key, "path": key} for key in keys]
    source: dict[str, Any] = {"secretName": secret, "defaultMode": SECRET_MODE}
    return {"name": name, "secret": source | ({"items": items} if items else {})}


def _mount(name: str, path: str, *, read_only: bool = False) -> dict[str, Any]:
    mount: dict[str, Any] = {"name": name, "mountPath": path}
    return mount | ({"readOnly": True} if read_only else {})
