"""One box for all tests of this folder, with the shipped manifests, and the operator as a process.

The box stays when the tests end, with its images: the next run starts it anew in seconds.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import Box, start_box
from tests.cluster.images import BASE, LLAMA_SERVER, SERVER, STUB_ENGINE
from tests.integration.operations.box_network import BoxNetwork
from tests.integration.operations.fleet import NAMESPACE, Fleet, build_fleet
from tests.integration.operations.kube import Kube
from tests.integration.operations.operator_process import SYSTEM, OperatorProcess
from tests.integration.operations.prepare import make_namespace, offer_gpus

NAME = "ops-test"
MANIFESTS = Path(__file__).parents[3] / "manifests"


@pytest.fixture(scope="session")
def box() -> Iterator[Box]:
    Box(NAME).stop()
    box = start_box(NAME, [SERVER, STUB_ENGINE, LLAMA_SERVER, BASE])
    try:
        install(box)
        yield box
    finally:
        box.stop()


def install(box: Box) -> None:
    """Applies manifests/ without a pod for the operator, allows our images, offers GPUs."""
    box.kubectl("apply", "--server-side", "-k", str(MANIFESTS))
    operator = ("-n", SYSTEM, "deployment/vibethinker-operator")
    box.kubectl("scale", *operator, "--replicas=0")
    lists = json.dumps({"data": {"allowedImagePrefixes": "vibethinker.io/"}})
    policy = ("-n", SYSTEM, "configmap/vibethinker-admission-policy")
    box.kubectl("patch", *policy, "--type=merge", "-p", lists)
    offer_gpus(box)
    box.kubectl("wait", "--for=condition=Established", "crd", "--all")
    make_namespace(box, NAMESPACE)


@pytest.fixture(scope="session")
def network(box: Box) -> Iterator[BoxNetwork]:
    network = BoxNetwork(box)
    yield network
    network.close()


@pytest.fixture(scope="session")
def kube(box: Box, network: BoxNetwork) -> Iterator[Kube]:
    kube = Kube(box, network)
    yield kube
    kube.close()


@pytest.fixture(scope="session")
def operator_process(
    box: Box, network: BoxNetwork, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    process = OperatorProcess(box, network, tmp_path_factory.mktemp("operator"))
    yield process
    if process.running:
        process.kill()


@pytest.fixture
def operator(operator_process: OperatorProcess) -> OperatorProcess:
    """The operator, running; a test may end it, and the next one finds it running again."""
    if not operator_process.running:
        operator_process.start()
    return operator_process


@pytest.fixture(scope="module")
def fleets(
    request: pytest.FixtureRequest, kube: Kube, operator_process: OperatorProcess
) -> Iterator[dict[str, Fleet]]:
    """The module's FLEETS, name to spec, made all at once so that their pods start side by side.

    They are deleted afterwards, without waiting for their pods' drains.
    """
    if not operator_process.running:
        operator_process.start()
    specs: dict[str, dict[str, Any]] = request.module.FLEETS
    kube.apply(*(build_fleet(name, **spec) for name, spec in specs.items()))
    yield {name: Fleet(kube, name) for name in specs}
    kube.box.kubectl("delete", "vtd", "--all", "-n", NAMESPACE, "--wait=false")
