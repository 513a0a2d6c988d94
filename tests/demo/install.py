"""Installs the operator from the shipped manifests and asks for the demo's fleet."""

import json
import os
from pathlib import Path

from tests.cluster.progress import step
from tests.demo import settings
from tests.demo.objects import (
    MODEL_WRITER,
    OPERATOR,
    SYSTEM_NAMESPACE,
    build_custom_resource,
    build_namespace,
    build_overlay,
    render_list,
)
from tests.demo.place import Place

CHECKOUT = Path(__file__).parents[2]
MANIFESTS = CHECKOUT / "manifests"
READY_TIMEOUT = "--timeout=180s"


def install(place: Place, work: Path) -> None:
    """Bring operator, namespace, model and custom resource into a place.

    Args:
        place: the cluster.
        work: a directory for the kustomize overlay.

    Raises:
        CommandError: the cluster refused something, or the operator did not become ready.
    """
    install_operator(place, work)
    with step("asking for a fleet of 1 to 2 replicas"):
        provide_model(place)
        custom = json.dumps(build_custom_resource())
        place.kubectl("apply", "--server-side", "-f", "-", stdin=custom)
        place.kubectl(
            *("-n", settings.NAMESPACE, "wait", "--for=create", "--timeout=60s"),
            f"service/{settings.NAME}",
        )


def install_operator(place: Place, work: Path) -> None:
    """Bring the operator alone, and wait until it is ready; see `install`."""
    with step("installing the operator: kubectl apply -k"):
        overlay = _write_overlay(place, work / "overlay")
        place.kubectl("apply", "--server-side", "--force-conflicts", "-k", str(overlay))
        place.kubectl(
            *("-n", SYSTEM_NAMESPACE, "rollout", "status", f"deployment/{OPERATOR}"), READY_TIMEOUT
        )


def provide_model(place: Place) -> None:
    """Bring the demo's namespace, and the claim with the model in it; see `install`."""
    objects = [build_namespace(), *place.provide_model()]
    place.kubectl("apply", "--server-side", "-f", "-", stdin=render_list(objects))
    if any(item["metadata"]["name"] == MODEL_WRITER for item in objects):
        place.kubectl(
            *("-n", settings.NAMESPACE, "wait", f"pod/{MODEL_WRITER}"),
            *("--for=jsonpath={.status.phase}=Succeeded", READY_TIMEOUT),
        )


def _write_overlay(place: Place, directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    manifests = os.path.relpath(MANIFESTS, directory)
    kustomization = build_overlay(manifests, place.images)
    (directory / "kustomization.yaml").write_text(json.dumps(kustomization, indent=2) + "\n")
    return directory
