"""Real vLLM that the kernel ends at its container's memory limit, and the way out of it."""

from typing import Any

import pytest

from tests.cluster import Box
from tests.demo.settings import MIB
from tests.integration.operations.fleet import Fleet
from tests.integration.operations.kube import Kube, Object, wait_for
from tests.integration.real_engine.short_of_memory import (
    START_SECONDS,
    ask_for_fleet,
    check_remedy,
    examine,
)

pytestmark = pytest.mark.thorough

NAME, LIMIT = "starved", "1Gi"
FIELD = "spec.resources.limits.memory"


@pytest.fixture(scope="module")
def fleet(kube: Kube) -> Fleet:
    return ask_for_fleet(kube, NAME, pool_bytes=512 * MIB, limit=LIMIT)


@pytest.fixture(scope="module")
def killed(fleet: Fleet) -> Object:
    """The condition of the fleet once its engine was killed for memory again and again."""
    return fleet.wait_condition("Ready", "False", "OOMKilled", seconds=START_SECONDS)


@pytest.fixture(scope="module")
def said(box: Box, killed: Object) -> dict[str, Any]:
    """What the doctor says of it then."""
    return examine(box, NAME)


def test_the_kernel_ends_the_container_and_the_kubelet_says_why(fleet, killed):
    (status,) = fleet.pods()[0]["status"]["containerStatuses"]
    ended = status["lastState"]["terminated"]
    print({key: ended[key] for key in ("reason", "exitCode", "startedAt", "finishedAt")})
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)


def test_condition_and_event_name_cause_field_and_value(fleet, killed, said):
    events = wait_for(lambda: fleet.events("EngineDied"), "the Event EngineDied")
    messages = [killed["message"], *(event["message"] for event in events)]
    print(*messages, sep="\n")
    change = f"set {FIELD} to {said['findings'][0]['value']}"
    assert all("was ended by its memory limit" in message for message in messages)
    assert all(change in message for message in messages)


def test_the_doctor_says_it_first(said):
    first = said["findings"][0]
    assert (first["code"], first["field"]) == ("OOMKilled", FIELD.removeprefix("spec."))
    assert "exit code 137; its limit is 1.00 GiB" in first["evidence"]


def test_its_remedy_applied_has_the_fleet_serve(box, fleet, said):
    check_remedy(box, fleet, said["findings"][0])
