"""The Job that writes weights in another format into the fleet's claim, once for all replicas.

Its name says what it makes, so that another format is another Job: a Job's template cannot be
changed. It runs in the image that our package comes in, which needs no engine and no GPU.
"""

import json
from typing import Any, Final

from vibethinker_operator import names
from vibethinker_operator.api import Source, VibeThinkerDeployment
from vibethinker_operator.effective import locate_volume
from vibethinker_operator.images import Images
from vibethinker_operator.prepared_model import PreparedModel
from vibethinker_operator.resources.containers import SECURITY_CONTEXT, SERVER_COMMAND
from vibethinker_operator.resources.engine_settings import escape_expansion
from vibethinker_operator.resources.metadata import build_metadata
from vibethinker_operator.resources.pod import build_pod_frame
from vibethinker_operator.resources.volumes import build_prepare_mounts, build_prepare_volumes

TRIES: Final = 3
"""Pods that may fail before the Job does: a lost node or a hub that does not answer."""

HOPELESS_EXIT: Final = 2
"""Exit status of our command where trying again would end alike (bad input)."""

RESOURCES: Final = {
    "requests": {"cpu": "500m", "memory": "512Mi"},
    # One tensor at a time: the largest, the embeddings, are copied as they are (0.5 GB).
    "limits": {"memory": "4Gi"},
}


def build_preparation_job(
    resource: VibeThinkerDeployment, prepared: PreparedModel, images: Images
) -> dict[str, Any]:
    """Returns the Job that writes `prepared`; created once, never changed."""
    owner = resource.metadata
    labels = names.prepare_labels(owner.name)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": build_metadata(
            owner, names.prepare_job(owner.name, prepared.digest), labels=labels
        ),
        "spec": {
            "backoffLimit": TRIES,
            "podFailurePolicy": {"rules": [_give_up_on(HOPELESS_EXIT)]},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    **build_pod_frame(resource),
                    "restartPolicy": "Never",
                    "containers": [_build_container(resource, prepared, images)],
                    "volumes": build_prepare_volumes(resource),
                },
            },
        },
    }


def render_preparation(resource: VibeThinkerDeployment, prepared: PreparedModel) -> dict[str, Any]:
    """Returns what the Job's command is told (VIBETHINKER_PREPARE)."""
    model = resource.spec.model
    of_volume = model.source is Source.VOLUME
    return {
        "model": locate_volume(model) if of_volume else model.repository,
        "revision": None if of_volume else model.revision,
        "endpoint": model.endpoint,
        "format": prepared.format,
        "out": prepared.path,
        "opsPort": names.OPS_PORT,
    }


def _build_container(
    resource: VibeThinkerDeployment, prepared: PreparedModel, images: Images
) -> dict[str, Any]:
    told = json.dumps(render_preparation(resource, prepared), separators=(",", ":"))
    plain = {
        names.ENV_PREPARE: escape_expansion(told),
        names.ENV_TERMINATION_LOG: names.TERMINATION_LOG,
        "USER": "vibethinker",
        "HOME": names.HOME_PATH,
        "XDG_CACHE_HOME": names.CACHE_PATH,
        "HF_HOME": f"{names.CACHE_PATH}/huggingface",
    }
    if resource.spec.model.endpoint:
        plain["HF_ENDPOINT"] = resource.spec.model.endpoint
    if resource.spec.model.token_secret_ref.name:
        plain["HF_TOKEN_PATH"] = f"{names.HUB_PATH}/{names.HUB_TOKEN}"
    return {
        "name": names.PREPARE_CONTAINER,
        "image": images.package,
        "command": [*SERVER_COMMAND, "prepare"],
        "env": [{"name": name, "value": value} for name, value in plain.items()],
        "ports": [
            {"name": names.OPS_PORT_NAME, "containerPort": names.OPS_PORT, "protocol": "TCP"}
        ],
        "resources": RESOURCES,
        "securityContext": SECURITY_CONTEXT,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": build_prepare_mounts(resource),
    }


def _give_up_on(exit_code: int) -> dict[str, Any]:
    codes = {
        "containerName": names.PREPARE_CONTAINER,
        "operator": "In",
        "values": [exit_code],
    }
    return {"action": "FailJob", "onExitCodes": codes}
