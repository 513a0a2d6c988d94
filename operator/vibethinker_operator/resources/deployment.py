"""The Deployment of the server pods."""

import json
from typing import Any

from vibethinker_operator import names
from vibethinker_operator.api import VibeThinkerDeployment
from vibethinker_operator.deadlines import derive_deadlines
from vibethinker_operator.resources.metadata import build_metadata
from vibethinker_operator.resources.template import TemplateChoice


def build_deployment(resource: VibeThinkerDeployment, choice: TemplateChoice) -> dict[str, Any]:
    """Returns the Deployment, without `spec.replicas`.

    That field belongs to another field manager and is written through /scale: an apply that named
    it once and then left it out would reset the fleet to one pod.
    """
    owner, rollout = resource.metadata, resource.spec.rollout
    annotations = {
        names.ANNOTATION_IMAGES: json.dumps(choice.images.render()),
        names.ANNOTATION_TEMPLATE: json.dumps(choice.template, separators=(",", ":")),
        names.ANNOTATION_TEMPLATE_INPUTS: choice.inputs,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": build_metadata(owner, owner.name, annotations),
        "spec": {
            "selector": {"matchLabels": names.selector_labels(owner.name)},
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {
                    "maxSurge": rollout.max_surge,
                    "maxUnavailable": rollout.max_unavailable,
                },
            },
            "progressDeadlineSeconds": derive_deadlines(resource.spec).progress_seconds,
            "revisionHistoryLimit": 3,
            "template": choice.template,
        },
    }
