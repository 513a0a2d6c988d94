"""One fleet in one tick: as it was asked for, and as the watches show it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vibethinker_operator import names
from vibethinker_operator.api import VibeThinkerDeployment, parse_deployment
from vibethinker_operator.images import DefaultImages, resolve_images
from vibethinker_operator.inventory import Snapshot
from vibethinker_operator.observed import Observed, build_observed
from vibethinker_operator.preparation import Preparation, read_preparation
from vibethinker_operator.prepared_model import find_prepared_model
from vibethinker_operator.resources import TemplateChoice, choose_template, parse_stored_template


@dataclass(frozen=True)
class Fleet:
    """One fleet.

    Attributes:
        body: The resource as the API server sent it.
        resource: The same, read.
        choice: The pod template that its Deployment gets.
        deployment: The Deployment's body; None while there is none of ours.
        observed: The Deployment and its pods, read; None likewise.
        preparation: The weights that a Job writes for it; None where it reads the model's own.
        leftover: Whether a deleted namesake's Deployment still waits for the garbage collector.
    """

    body: Mapping[str, Any]
    resource: VibeThinkerDeployment
    choice: TemplateChoice
    deployment: Mapping[str, Any] | None
    observed: Observed | None
    preparation: Preparation | None = None
    leftover: bool = False

    @property
    def waits_for_weights(self) -> bool:
        """Whether its pods may not be made, or changed, before a Job has done its work."""
        return self.preparation is not None and not self.preparation.complete


def read_fleet(snapshot: Snapshot, images: DefaultImages) -> Fleet:
    """Returns the fleet that the watches show.

    Raises:
        InvalidSpecError: the resource cannot be obeyed as written.
    """
    resource = parse_deployment(snapshot.resource)
    offered = resolve_images(resource.spec, images)
    deployment = snapshot.deployment if _is_controlled(snapshot) else None
    annotations = deployment["metadata"].get("annotations", {}) if deployment else {}
    stored = parse_stored_template(annotations)
    preparation = _read_preparation(resource, snapshot)
    waits = preparation is not None and not preparation.complete
    return Fleet(
        body=snapshot.resource,
        resource=resource,
        choice=choose_template(resource, offered=offered, stored=stored, hold=waits),
        deployment=deployment,
        observed=build_observed(deployment, snapshot.pods) if deployment else None,
        preparation=preparation,
        leftover=_is_leftover(snapshot),
    )


def _read_preparation(resource: VibeThinkerDeployment, snapshot: Snapshot) -> Preparation | None:
    wanted = find_prepared_model(resource.spec.model)
    if wanted is None:
        return None
    name = resource.metadata.name
    return read_preparation(name, wanted, snapshot.jobs, snapshot.preparing_pods)


def _is_controlled(snapshot: Snapshot) -> bool:
    return any(owner["uid"] == snapshot.uid for owner in _owners(snapshot))


def _is_leftover(snapshot: Snapshot) -> bool:
    # Applying over it would adopt pods that hold the deleted resource's keys.
    ours = [owner for owner in _owners(snapshot) if owner.get("kind") == names.KIND]
    return bool(ours) and not _is_controlled(snapshot)


def _owners(snapshot: Snapshot) -> Sequence[Mapping[str, Any]]:
    if snapshot.deployment is None:
        return ()
    return snapshot.deployment["metadata"].get("ownerReferences") or ()
