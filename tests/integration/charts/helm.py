"""Helm as a person runs it, and what it renders."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.binaries import helm_binary
from tests.cluster.commands import run

CHART = Path(__file__).parents[3] / "charts" / "vibethinker-operator"
INSTALLS = sorted(CHART.glob("ci/*-values.yaml"))
RELEASE = "vibethinker"
SYSTEM = "vibethinker-system"


def template(*options: str, namespace: str = SYSTEM) -> list[dict[str, Any]]:
    """Returns the objects that a release consists of, hooks included.

    Raises:
        CommandError: Helm refused the values; its message is in it.
    """
    words = ("template", RELEASE, str(CHART), "--namespace", namespace, *options)
    return list(_objects(run([helm_binary(), *words])))


def find(objects: list[dict[str, Any]], kind: str, name: str = "") -> dict[str, Any]:
    """Returns the one object of that kind, and of that name where one is given."""
    (found,) = (
        each for each in objects if each["kind"] == kind and name in ("", each["metadata"]["name"])
    )
    return found


def environment_of(deployment: dict[str, Any]) -> dict[str, Any]:
    """Returns the operator's variables that have a value of their own."""
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return {each["name"]: each["value"] for each in container["env"] if "value" in each}


def _objects(text: str) -> Iterator[dict[str, Any]]:
    return (each for each in yaml.load_all(text, Loader=yaml.CSafeLoader) if each)
