"""A fleet read from what the watches show."""

import json

import pytest
from vibethinker_operator.errors import InvalidSpecError
from vibethinker_operator.fleet import read_fleet
from vibethinker_operator.images import DefaultImages
from vibethinker_operator.inventory import Snapshot

from tests.unit.operating.builders import (
    DEFAULTS,
    Body,
    make_body,
    make_deployment,
    make_fleet,
    make_pod,
)
from tests.unit.operator_api.resource import IMAGES, NEWER, UID

UPGRADED = DefaultImages(package=NEWER.package, engine_gpu=NEWER.engine)


def read(resource: Body, deployment: Body | None, *pods: Body, images=DEFAULTS):
    return read_fleet(Snapshot(resource, deployment, pods), images)


def test_the_deployment_and_its_pods_are_observed():
    fleet = make_fleet(make_body(), make_pod("a"), make_pod("b", ready=False), replicas=3)
    assert fleet.observed is not None
    assert fleet.observed.spec_replicas == 3
    assert [pod.name for pod in fleet.observed.serving] == ["chat-a"]


def test_before_there_is_a_deployment_nothing_is_observed():
    fleet = make_fleet(make_body(), deployed=False)
    assert (fleet.deployment, fleet.observed) == (None, None)
    assert fleet.choice.images == IMAGES


@pytest.mark.parametrize("owners", [None, [], [{"uid": "of one deleted before"}]])
def test_a_deployment_of_a_namesake_is_not_ours(owners: list[Body] | None):
    deployment = make_deployment(make_body(), 2)
    deployment["metadata"]["ownerReferences"] = owners
    fleet = read(make_body(), deployment, make_pod())
    assert (fleet.deployment, fleet.observed) == (None, None)


@pytest.mark.parametrize(
    ("owner", "leftover"),
    [
        ({"kind": "VibeThinkerDeployment", "uid": "of one deleted before"}, True),
        ({"kind": "VibeThinkerDeployment", "uid": UID}, False),
        ({"kind": "Application", "uid": "of somebody else"}, False),
    ],
)
def test_what_a_deleted_namesake_left_is_told_from_what_others_own(owner: Body, leftover: bool):
    deployment = make_deployment(make_body())
    deployment["metadata"]["ownerReferences"] = [owner]
    assert read(make_body(), deployment).leftover is leftover


def test_an_upgraded_operator_keeps_the_template_and_offers_its_own():
    fleet = read(make_body(), make_deployment(make_body()), make_pod(), images=UPGRADED)
    assert fleet.choice.images == IMAGES
    assert fleet.choice.update_available
    assert fleet.choice.offered_images == NEWER


def test_an_edit_of_the_engine_is_a_new_template():
    fleet = read(make_body({"engine": {"maxNumSeqs": 64}}), make_deployment(make_body()))
    assert "64" in json.dumps(fleet.choice.template)
    assert not fleet.choice.update_available


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"engine": {"device": "CPU"}}, "spec.engine.image is required with engine.device CPU"),
        ({"scaling": {"maxReplicas": "many"}}, "spec.scaling.maxReplicas: "),
        ({"scalling": {}}, "spec.scalling: "),
    ],
)
def test_a_spec_that_cannot_be_obeyed_is_refused_with_the_field_at_fault(spec: Body, said: str):
    with pytest.raises(InvalidSpecError, match=said):
        read(make_body(spec), None)


def test_nonsense_in_the_status_does_not_make_the_resource_unreadable():
    resource = make_body() | {"status": {"conditions": "none", "replicas": -1}}
    assert read(resource, None).resource.status.replicas is None
