"""Which pod template a Deployment gets, and so when pods are replaced. Pure.

A GPU pod takes minutes to replace, so pods roll for two reasons only: their owner changed
something that the template depends on, or accepted an update. A newer operator that renders the
same resource differently, or ships newer images, rolls nothing: the Deployment keeps the template
it was given (in an annotation, as rendered) and the update is offered. Pods that roll for either
reason come as this operator renders them now, with the images it offers now: the package in the
pod and the renderer here are one contract, and an engine of one's own choice goes into the spec.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vibethinker_operator import names
from vibethinker_operator.api import VibeThinkerDeployment
from vibethinker_operator.api.base import ApiModel
from vibethinker_operator.images import Images
from vibethinker_operator.resources.pod import build_template

OFFER_LENGTH = 12


@dataclass(frozen=True, kw_only=True)
class StoredTemplate:
    """What a Deployment's annotations say of the template it has."""

    images: Images
    inputs: str
    template: dict[str, Any]

    def still_fits(self, inputs: str, accepted_offer: str, offer: str) -> bool:
        """Returns whether the owner wants nothing else since it was rendered."""
        return self.inputs == inputs and accepted_offer != offer


@dataclass(frozen=True, kw_only=True)
class TemplateChoice:
    """The template a Deployment gets.

    Attributes:
        template: the pod template.
        images: the pair it was rendered with.
        inputs: hash of what it depends on.
        offer: name of the update that is there to be accepted; empty where there is none.
        offered_images: the pair that the update would bring.
    """

    template: dict[str, Any]
    images: Images
    inputs: str
    offer: str
    offered_images: Images

    @property
    def update_available(self) -> bool:
        """Whether accepting would roll the pods to something else."""
        return bool(self.offer)


def choose_template(
    resource: VibeThinkerDeployment,
    *,
    offered: Images,
    stored: StoredTemplate | None,
    hold: bool = False,
) -> TemplateChoice:
    """Returns the template that the fleet's Deployment gets now.

    Args:
        resource: the fleet; its annotation `vibethinker.io/accept-update` accepts an offer.
        offered: the pair that a fresh pod would run.
        stored: what the Deployment has; None: there is none yet, or it says nothing usable.
        hold: whether pods of another template could not start yet: what is stored then stays.
    """
    fresh = build_template(resource, offered)
    offer = _fingerprint(fresh)[:OFFER_LENGTH]
    inputs = hash_template_inputs(resource)
    accepted = resource.metadata.annotations.get(names.ANNOTATION_ACCEPT_UPDATE, "")
    if stored is not None and (hold or stored.still_fits(inputs, accepted, offer)):
        images, template, inputs = stored.images, stored.template, stored.inputs
    else:
        images, template = offered, fresh
    return TemplateChoice(
        template=template,
        images=images,
        inputs=inputs,
        offer="" if template == fresh else offer,
        offered_images=offered,
    )


def hash_template_inputs(resource: VibeThinkerDeployment) -> str:
    """Returns a hash of everything of the resource that the template depends on, nothing else.

    Unset fields are left out, so a field that a later version adds must be unset by default:
    otherwise its arrival would roll every fleet. A test holds the hash of known resources.
    """
    spec = resource.spec
    facts = {
        "name": resource.metadata.name,
        "model": _facts(spec.model),
        "engine": _facts(spec.engine),
        "gpu": _facts(spec.gpu),
        "scheduling": _facts(spec.scheduling),
        "resources": _facts(spec.resources),
        "startupDeadlineSeconds": spec.scaling.startup_deadline_seconds,
    }
    if spec.auth.api_keys_secret_ref.name:
        facts["auth"] = _facts(spec.auth)
    return _fingerprint(facts)


def parse_stored_template(annotations: Mapping[str, str]) -> StoredTemplate | None:
    """Returns what a Deployment's annotations say; None where they are missing or unusable."""
    try:
        return StoredTemplate(
            images=Images(**json.loads(annotations[names.ANNOTATION_IMAGES])),
            inputs=annotations[names.ANNOTATION_TEMPLATE_INPUTS],
            template=dict(json.loads(annotations[names.ANNOTATION_TEMPLATE])),
        )
    except (KeyError, TypeError, ValueError):
        return None


def _facts(part: ApiModel) -> dict[str, Any]:
    facts: dict[str, Any] = part.model_dump(mode="json", exclude_none=True)
    return facts


def _fingerprint(value: Any) -> str:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
