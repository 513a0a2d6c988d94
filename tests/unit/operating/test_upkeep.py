"""The objects of a fleet: made once, brought back, and written only when something changed."""

from dataclasses import replace
from typing import Any

import pytest
from vibethinker_operator.causes import Cause
from vibethinker_operator.children import REWRITE_SECONDS, Written
from vibethinker_operator.errors import ConflictError, ForbiddenError, UnavailableError
from vibethinker_operator.fleet import Fleet
from vibethinker_operator.upkeep import Upkeep, keep_children

from tests.unit.operating.builders import (
    ROOT_KEY,
    START,
    FakeCluster,
    failing,
    make_body,
    make_fleet,
    make_pod,
)

FLEET = make_fleet(make_body(), make_pod())
NEW = make_fleet(make_body(), deployed=False)
APPLIED = ["ConfigMap", "Service", "PodDisruptionBudget", "Deployment"]


class House:
    """A fleet's objects, kept tick by tick."""

    def __init__(self) -> None:
        self.cluster = FakeCluster()
        self.written = Written()
        self.now = START

    async def keep(self, fleet: Fleet = FLEET) -> Upkeep:
        self.cluster.calls.clear()
        self.now += 1.0
        upkeep = await keep_children(self.cluster, fleet, ROOT_KEY, self.written, self.now)
        self.written = upkeep.written
        return upkeep

    @property
    def applied(self) -> list[Any]:
        return [kind for kind, _ in self.cluster.done("apply")]


@pytest.fixture
async def house() -> House:
    house = House()
    await house.keep()
    return house


def edited(spec: dict[str, Any]) -> Fleet:
    return make_fleet(make_body(spec), make_pod())


async def test_a_new_fleet_gets_everything_and_its_secret_first():
    house = House()
    assert (await house.keep(NEW)).problem is None
    assert house.cluster.done("create") == ["Secret"]
    assert house.cluster.done("apply") == [(kind, False) for kind in APPLIED]
    assert house.cluster.calls[0][0] == "create"


async def test_until_the_deployment_is_seen_it_is_applied_again():
    house = House()
    await house.keep(NEW)
    await house.keep(NEW)
    assert house.applied == APPLIED


async def test_a_calm_fleet_is_left_alone(house: House):
    for _ in range(200):
        assert await house.keep() == Upkeep(house.written)
        assert house.cluster.calls == []


@pytest.mark.parametrize(
    ("spec", "kinds"),
    [
        pytest.param({"tokenLimits": {"math": 900}}, ["ConfigMap"], id="a limit"),
        pytest.param({"service": {"port": 80}}, ["Service"], id="a port"),
        pytest.param({"engine": {"maxNumSeqs": 64}}, ["Deployment"], id="the engine"),
        pytest.param({"scaling": {"maxReplicas": 3}}, [], id="a bound"),
    ],
)
async def test_an_edit_writes_what_it_touches_and_nothing_else(house: House, spec, kinds):
    await house.keep(edited(spec))
    assert house.applied == kinds


async def test_what_somebody_edited_in_the_deployment_is_taken_back(house: House):
    assert FLEET.observed is not None
    deployment = replace(FLEET.observed.deployment, generation=2)
    foreign = replace(FLEET, observed=replace(FLEET.observed, deployment=deployment))
    await house.keep(foreign)
    assert house.cluster.done("apply") == [("Deployment", True)]
    await house.keep(foreign)
    assert house.applied == []


async def test_what_somebody_deleted_is_back_after_five_minutes_the_secret_too(house: House):
    house.now += REWRITE_SECONDS - 2
    await house.keep()
    assert house.cluster.calls == []
    house.now += 2
    await house.keep()
    assert house.applied == APPLIED
    assert house.cluster.done("create") == ["Secret"]


async def test_a_refused_object_is_said_and_those_before_it_count_as_written():
    house = House()
    house.cluster.fail = failing("apply", ForbiddenError("exceeded quota: services"), "Service")
    assert (await house.keep(NEW)).problem == Cause("WriteForbidden", "exceeded quota: services")
    assert house.applied == ["ConfigMap"]
    assert house.written.secret
    house.cluster.fail = lambda _call, _manifest: None
    assert (await house.keep(NEW)).problem is None
    assert house.applied == APPLIED


async def test_a_refused_secret_makes_no_pods_that_would_wait_for_it():
    house = House()
    house.cluster.fail = failing("create", UnavailableError("no answer"), "Secret")
    assert (await house.keep(NEW)).problem == Cause("ApiUnavailable", "no answer")
    assert house.applied == []
    assert not house.written.secret


async def test_an_edit_that_is_refused_is_tried_again_each_tick(house: House):
    fleet = edited({"service": {"port": 80}})
    house.cluster.fail = failing("apply", UnavailableError("no answer"), "Service")
    await house.keep(fleet)
    house.cluster.fail = lambda _call, _manifest: None
    await house.keep(fleet)
    assert house.applied == ["Service"]


async def test_a_name_that_is_somebody_elses_is_not_taken():
    house = House()
    house.cluster.fail = failing("apply", ConflictError('conflict with "helm"'), "Service")
    upkeep = await house.keep(NEW)
    assert upkeep.problem is not None
    assert upkeep.problem.reason == "NameTaken"


async def test_nothing_is_made_over_what_a_deleted_namesake_left(house: House):
    upkeep = await house.keep(replace(NEW, leftover=True))
    assert upkeep.problem is not None
    assert upkeep.problem.reason == "CleaningUp"
    assert house.cluster.calls == []
