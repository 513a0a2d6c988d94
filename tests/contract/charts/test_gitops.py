"""What Argo CD's script and kstatus make of a fleet, in every situation, is what the page says."""

from typing import Any

import lupa
import pytest
import yaml

from tests.support.documents import read_document
from tests.unit.operating.situations import list_situations

PAGE = read_document("docs/gitops.md")
SITUATIONS = list_situations()
ARGO_KEY = "resource.customizations.health.vibethinker.io_VibeThinkerDeployment"
READY_TO_KSTATUS = {"True": "Current", "False": "InProgress", "Unknown": "InProgress"}


def read_table() -> dict[str, tuple[str, str]]:
    """Returns the page's verdicts by situation."""
    rows = [line.strip("| ").split(" | ") for line in PAGE.text.splitlines() if line[:2] == "| "]
    return {situation: (argo, kstatus) for situation, argo, kstatus in rows[2:]}


def read_script() -> str:
    """Returns the Lua that the page tells people to install."""
    (block,) = (block for block in PAGE.blocks if block.language == "yaml")
    return str(yaml.safe_load(block.text)["data"][ARGO_KEY])


def judge_by_argo(resource: dict[str, Any]) -> dict[str, str]:
    """Returns health as Argo CD does: what is being deleted is not shown to a script."""
    if "deletionTimestamp" in resource["metadata"]:
        return {"status": "Progressing", "message": "Pending deletion"}
    lua = lupa.LuaRuntime(unpack_returned_tuples=True)
    lua.globals().obj = lua.table_from(resource, recursive=True)
    # Argo CD offers a script none of these.
    for name in ("os", "io", "require", "package", "python"):
        lua.globals()[name] = None
    return dict(lua.execute(read_script()))


def judge_by_kstatus(resource: dict[str, Any]) -> str:
    """Returns the status of a kind that kstatus has no rules for, as its documentation says."""
    metadata, status = resource["metadata"], resource.get("status", {})
    if "deletionTimestamp" in metadata:
        return "Terminating"
    if status.get("observedGeneration", metadata["generation"]) != metadata["generation"]:
        return "InProgress"
    conditions = {each["type"]: each["status"] for each in status.get("conditions", ())}
    if conditions.get("Reconciling") == "True":
        return "InProgress"
    if conditions.get("Stalled") == "True":
        return "Failed"
    return READY_TO_KSTATUS.get(conditions.get("Ready", ""), "Current")


def test_the_page_lists_every_situation():
    assert list(read_table()) == list(SITUATIONS)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_argo_cd_and_kstatus_say_of_it_what_the_page_says(situation):
    resource = SITUATIONS[situation]
    verdicts = (judge_by_argo(resource)["status"], judge_by_kstatus(resource))
    assert verdicts == read_table()[situation]


@pytest.mark.parametrize("situation", SITUATIONS)
def test_argo_cd_gives_a_sentence_for_it(situation):
    assert len(judge_by_argo(SITUATIONS[situation])["message"]) > 10


def test_nothing_that_serves_and_is_obeyed_is_unhealthy_to_either():
    for situation, resource in SITUATIONS.items():
        conditions = {c["type"]: c for c in resource.get("status", {}).get("conditions", ())}
        if "Stalled" in conditions or conditions.get("Ready", {}).get("status") != "True":
            continue
        if situation not in {"deleted", "edited, not seen yet"}:
            assert judge_by_argo(resource)["status"] == "Healthy"
            assert judge_by_kstatus(resource) == "Current"


def test_a_fleet_without_the_conditions_it_should_have_is_not_healthy():
    resource = SITUATIONS["serving"]
    status = {"observedGeneration": 3, "conditions": []}
    assert judge_by_argo(resource | {"status": status})["status"] == "Progressing"
