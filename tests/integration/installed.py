"""A real API server with everything under manifests/ installed, for tests that need no node."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cluster.apiserver import ControlPlane, start_control_plane
from tests.cluster.commands import CommandError

MANIFESTS = Path(__file__).parents[2] / "manifests"
FORCE_SECONDS = 30.0
DRY_RUN = ("create", "--dry-run=server", "--validate=strict", "-o", "json", "-f", "-")


@contextmanager
def installed_control_plane() -> Iterator[ControlPlane]:
    """Starts an API server, installs manifests/ into it, and ends it afterwards."""
    plane = start_control_plane()
    try:
        plane.kubectl("apply", "--server-side", "-k", str(MANIFESTS))
        plane.kubectl("wait", "--for=condition=Established", "crd", "--all")
        wait_for(lambda: "is not allowed" in refusal_of(plane, with_image("elsewhere/vllm:v1")))
        yield plane
    finally:
        plane.stop()


def fleet(spec: dict[str, Any], name: str = "chat", **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "vibethinker.io/v1alpha1",
        "kind": "VibeThinkerDeployment",
        "metadata": {"name": name, "namespace": "default", **metadata},
        "spec": spec,
    }


def with_image(image: str) -> dict[str, Any]:
    return fleet({"engine": {"image": image}})


def dry_run(plane: ControlPlane, manifest: dict[str, Any]) -> dict[str, Any]:
    """Returns what the API server would store, defaults filled in."""
    stored: dict[str, Any] = json.loads(plane.kubectl(*DRY_RUN, stdin=json.dumps(manifest)))
    return stored


def refusal_of(plane: ControlPlane, manifest: dict[str, Any]) -> str:
    """Returns what the API server says against `manifest`; empty: it takes it."""
    try:
        dry_run(plane, manifest)
    except CommandError as error:
        return str(error)
    return ""


def wait_for(condition: Callable[[], bool]) -> None:
    """Waits until the API server's own watches have brought about what was written."""
    deadline = time.monotonic() + FORCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not so after {FORCE_SECONDS:.0f} s")
        time.sleep(0.1)
