"""The demo's box with the operator in a pod of it and real vLLM to run, without the demo's fleet.

Its images stay, as after the demo: the next run of either finds them loaded.
"""

from collections.abc import Iterator

import pytest

from tests.cluster import Box
from tests.demo.box_place import BoxPlace
from tests.demo.install import install_operator, provide_model
from tests.integration.operations.box_network import BoxNetwork
from tests.integration.operations.kube import Kube


@pytest.fixture(scope="session")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    place = BoxPlace()
    assert not place.box.alive, "the demo's box is in use: wait for its end, or stop it"
    try:
        place.start()
        install_operator(place, tmp_path_factory.mktemp("install"))
        provide_model(place)
        yield place.box
    finally:
        place.leave()


@pytest.fixture(scope="session")
def kube(box: Box) -> Iterator[Kube]:
    network = BoxNetwork(box)
    kube = Kube(box, network)
    yield kube
    kube.close()
    network.close()
