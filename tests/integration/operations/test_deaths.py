"""A pod that the kernel ends for want of memory: why, where people look, and the way out."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
import yaml

from tests.integration.operations.doctor import doctor
from tests.integration.operations.fleet import NAMESPACE
from tests.integration.operations.kube import wait_for

STARVED, WELL = "starved", "well"
FLEETS: dict[str, dict[str, Any]] = {
    # Too little for Python to import the server.
    STARVED: {"resources": {"limits": {"memory": "24Mi"}}},
    WELL: {},
}
FIELD = "spec.resources.limits.memory"


@pytest.fixture(scope="module")
def killed(fleets) -> Any:
    """The condition of the fleet whose pod was killed for memory again and again."""
    return fleets[STARVED].wait_condition("Ready", "False", "OOMKilled")


def test_the_condition_names_cause_field_and_value(killed):
    print(killed["message"])
    assert "was ended by its memory limit" in killed["message"]
    assert f"set {FIELD} to 1Gi" in killed["message"]


def test_each_death_is_an_event_with_the_same_words(fleets, killed):
    events = wait_for(lambda: fleets[STARVED].events("EngineDied"), "the Event EngineDied")
    assert all(FIELD in event["message"] for event in events)
    starved = fleets[STARVED].pods()[0]["status"]["containerStatuses"][0]
    assert len(events) <= starved["restartCount"] + 1


def test_the_doctor_says_it_first_and_its_remedy_applied_helps(box, fleets, killed):
    said = doctor(box, STARVED, "--format", "json")
    document = json.loads(said.stdout)
    print(said.stdout)
    assert (said.returncode, said.stderr) == (1, "")
    first = document["findings"][0]
    assert (first["code"], first["field"]) == ("OOMKilled", FIELD.removeprefix("spec."))
    fixed = doctor(box, STARVED, "--fix")
    assert yaml.safe_load(fixed.stdout)["spec"]["resources"]["limits"]["memory"] == first["value"]
    box.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=fixed.stdout)
    fleets[STARVED].wait_condition("Ready", "True")


def test_a_fleet_that_is_well_has_no_finding_and_its_page_is_read_through_the_api(box, fleets):
    fleets[WELL].wait_condition("Ready", "True")
    said = doctor(box, WELL, "--format", "json")
    document = json.loads(said.stdout)
    assert document["findings"] == []
    assert document["notes"] == []
    assert document["path"][1]["evidence"].startswith(f"pod {WELL}-")


def test_somebody_without_rights_is_told_so(box, fleets):
    box.kubectl("create", "serviceaccount", "nobody", "-n", NAMESPACE)
    token = box.kubectl("create", "token", "nobody", "-n", NAMESPACE).strip()
    config = json.loads(box.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": token}
    file = box.kubeconfig.with_name("nobody.kubeconfig")
    file.write_text(json.dumps(config))
    try:
        command = [sys.executable, "-m", "vibethinker_operator.kubectl", "doctor", WELL]
        said = subprocess.run(
            box.enter([*command, "-n", NAMESPACE]),
            env={**os.environ, "KUBECONFIG": str(file)},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        file.unlink()
    assert said.returncode == 2
    assert "is forbidden" in said.stderr
