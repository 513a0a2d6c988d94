"""What pods read from files: the policy, and the fleet's keys."""

import json
from typing import Any

from vibethinker_operator import names
from vibethinker_operator.api import Source, VibeThinkerDeployment
from vibethinker_operator.resources.metadata import build_metadata
from vibethinker_operator.token_limits import resolve_token_limits


def render_policy(resource: VibeThinkerDeployment) -> dict[str, Any]:
    """Returns the policy document: in the ConfigMap at a pod's start, over /-/fleet later."""
    spec = resource.spec
    return {
        "generation": resource.metadata.generation,
        "saturation": spec.saturation.model_dump(mode="json"),
        "overload": spec.overload.model_dump(mode="json"),
        "profiles": [profile.model_dump(mode="json") for profile in spec.profiles],
        "tokenLimits": resolve_token_limits(spec),
        "defaultTask": spec.token_limits.default_task,
        "sessions": spec.sessions.model_dump(mode="json"),
        # What a Job made of them lies in a directory that no longer says what it was.
        "repository": "" if spec.model.source is Source.VOLUME else spec.model.repository,
    }


def build_policy_config_map(resource: VibeThinkerDeployment) -> dict[str, Any]:
    """Returns the ConfigMap with the policy document."""
    owner = resource.metadata
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": build_metadata(owner, names.policy_config_map(owner.name)),
        "data": {names.POLICY_KEY: json.dumps(render_policy(resource), indent=2)},
    }


def build_fleet_secret(
    resource: VibeThinkerDeployment, *, ticket_key: str, fleet_token: str
) -> dict[str, Any]:
    """Returns the Secret with the fleet's keys, to be created once: it never changes."""
    owner = resource.metadata
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": build_metadata(owner, names.fleet_secret(owner.name, owner.uid)),
        "type": "Opaque",
        "immutable": True,
        "stringData": {names.FLEET_TICKET_KEY: ticket_key, names.FLEET_TOKEN: fleet_token},
    }
