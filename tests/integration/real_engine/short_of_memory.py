"""A fleet of real vLLM with too little memory, and how the doctor's remedy is tried on it."""

import json
from typing import Any

import yaml

from tests.cluster import Box
from tests.demo.objects import build_custom_resource
from tests.demo.settings import NAMESPACE
from tests.integration.operations.doctor import doctor
from tests.integration.operations.fleet import Fleet
from tests.integration.operations.kube import Kube, Object

START_SECONDS = 400.0


def ask_for_fleet(kube: Kube, name: str, *, pool_bytes: int, limit: str) -> Fleet:
    """Makes the demo's fleet with one replica, this KV pool and this memory limit."""
    fleet: Object = build_custom_resource()
    fleet["metadata"]["name"] = name
    fleet["spec"]["scaling"] = {"maxReplicas": 1}
    fleet["spec"]["engine"]["kvCacheMemoryBytes"] = pool_bytes
    fleet["spec"]["resources"]["limits"]["memory"] = limit
    kube.box.kubectl("apply", "-f", "-", stdin=json.dumps(fleet))
    return Fleet(kube, name, NAMESPACE)


def examine(box: Box, name: str) -> dict[str, Any]:
    """What the doctor finds of the fleet, which is told as a person reads it, too."""
    print(doctor(box, name, namespace=NAMESPACE).stdout)
    answer = doctor(box, name, "--format", "json", namespace=NAMESPACE)
    assert answer.stderr == ""
    document: dict[str, Any] = json.loads(answer.stdout)
    assert answer.returncode == document["status"]
    return document


def check_remedy(box: Box, fleet: Fleet, finding: dict[str, Any]) -> None:
    """Applies what `--fix` prints, and asks the fleet for an answer once it is Ready."""
    fixed = doctor(box, fleet.name, "--fix", namespace=NAMESPACE).stdout
    assert value_at(yaml.safe_load(fixed)["spec"], finding["field"]) == finding["value"]
    box.kubectl("apply", "-f", "-", stdin=fixed)
    fleet.wait_condition("Ready", "True", seconds=START_SECONDS)
    answer = fleet.begin_chat(fleet.url(), tokens=8).result().json()
    print(finding["field"], finding["value"], answer["usage"])
    assert answer["choices"][0]["finish_reason"] == "length"
    assert examine(box, fleet.name)["findings"] == []


def value_at(spec: dict[str, Any], path: str) -> Any:
    """The value of the field `path`, below `spec`."""
    value: Any = spec
    for part in path.split("."):
        value = value[part]
    return value
