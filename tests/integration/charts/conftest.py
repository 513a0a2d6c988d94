"""A box in which Helm installs the operator from its real image; it ends with its module."""

import json
from collections.abc import Iterator

import pytest

from tests.cluster import Box, start_box
from tests.cluster.images import BASE, OPERATOR, SERVER, STUB_ENGINE
from tests.integration.charts.release import Release
from tests.integration.operations.box_network import BoxNetwork
from tests.integration.operations.fleet import NAMESPACE
from tests.integration.operations.kube import Kube
from tests.integration.operations.prepare import make_namespace, offer_gpus

NAME = "charts-test"
MONITORING = {
    "PodMonitor": "podmonitors",
    "PrometheusRule": "prometheusrules",
    "ServiceMonitor": "servicemonitors",
}


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    Box(NAME).stop()
    box = start_box(NAME, [OPERATOR, SERVER, STUB_ENGINE, BASE])
    try:
        offer_gpus(box)
        for namespace in (NAMESPACE, "more-fleets"):
            make_namespace(box, namespace)
        definitions = [define(kind, plural) for kind, plural in MONITORING.items()]
        document = {"apiVersion": "v1", "kind": "List", "items": definitions}
        box.kubectl("apply", "-f", "-", stdin=json.dumps(document))
        yield box
    finally:
        box.stop()


def define(kind: str, plural: str) -> dict[str, object]:
    """Returns the definition of a kind of Prometheus Operator's, open to any spec."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.monitoring.coreos.com"},
        "spec": {
            "group": "monitoring.coreos.com",
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }


@pytest.fixture(scope="module")
def network(box: Box) -> Iterator[BoxNetwork]:
    network = BoxNetwork(box)
    yield network
    network.close()


@pytest.fixture(scope="module")
def kube(box: Box, network: BoxNetwork) -> Iterator[Kube]:
    kube = Kube(box, network)
    yield kube
    kube.close()


@pytest.fixture(scope="module")
def release(kube: Kube) -> Iterator[Release]:
    """The operator, installed with the chart's own values."""
    release = Release(kube)
    release.install()
    yield release
    release.write_times()
