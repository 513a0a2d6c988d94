"""The objects a fleet consists of, and which of them need to be written now. Pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from vibethinker_operator.api import VibeThinkerDeployment
from vibethinker_operator.keys import derive_fleet_token, derive_ticket_key
from vibethinker_operator.resources import (
    TemplateChoice,
    build_deployment,
    build_fleet_secret,
    build_pod_disruption_budget,
    build_policy_config_map,
    build_service,
)

Manifest = dict[str, Any]

REWRITE_SECONDS: Final = 300.0
"""How often everything is applied again though nothing changed: somebody may have deleted a
Service. An apply that changes nothing writes nothing."""


@dataclass(frozen=True)
class Written:
    """What was written last.

    Attributes:
        secret: Whether the Secret is known to be there.
        fingerprints: Hash of each object as it was last applied, by kind.
        generation: Generation of the Deployment when it was last looked at: another one means that
            somebody edited it (or that we did: then one more apply changes nothing).
        at: When everything was last applied, in unix seconds.
    """

    secret: bool = False
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    generation: int | None = None
    at: float | None = None

    def note(self, manifest: Manifest) -> "Written":
        """Returns the record after `manifest` was applied."""
        done = {manifest["kind"]: _fingerprint(manifest)}
        return replace(self, fingerprints={**self.fingerprints, **done})

    def finish(self, generation: int | None, *, everything_at: float | None) -> "Written":
        """Returns the record after a pass; `everything_at` is its time if nothing was left out."""
        at = self.at if everything_at is None else everything_at
        return replace(self, generation=generation, at=at)


def build_secret(resource: VibeThinkerDeployment, root_key: bytes) -> Manifest:
    """Returns the Secret with the fleet's derived keys; created once, never read."""
    uid = resource.metadata.uid
    return build_fleet_secret(
        resource,
        ticket_key=derive_ticket_key(root_key, uid),
        fleet_token=derive_fleet_token(root_key, uid),
    )


def build_children(
    resource: VibeThinkerDeployment, choice: TemplateChoice | None
) -> tuple[Manifest, ...]:
    """Returns every applied object, the Deployment last: its pods mount what comes before.

    Without a `choice` there is no Deployment: its pods could not start yet.
    """
    return (
        build_policy_config_map(resource),
        build_service(resource),
        build_pod_disruption_budget(resource),
        *((build_deployment(resource, choice),) if choice else ()),
    )


def select_unwritten(
    children: tuple[Manifest, ...], written: Written, *, generation: int | None, now: float
) -> tuple[Manifest, ...]:
    """Returns the objects that are to be applied now.

    Args:
        children: Every object as it should be.
        written: What was applied before.
        generation: The live Deployment's generation; None where there is no Deployment.
        now: Unix seconds.
    """
    deploys = any(child["kind"] == "Deployment" for child in children)
    missing = deploys and generation is None
    if missing or written.at is None or now - written.at >= REWRITE_SECONDS:
        return children
    edited = generation != written.generation
    return tuple(
        child
        for child in children
        if written.fingerprints.get(child["kind"]) != _fingerprint(child)
        or (edited and child["kind"] == "Deployment")
    )


def _fingerprint(manifest: Manifest) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
