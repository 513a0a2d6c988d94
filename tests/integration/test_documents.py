"""The real API server takes every resource on the pages, and knows what kubectl is told there."""

import re
from collections.abc import Iterator

import pytest
import yaml
from vibethinker_operator.names import API_VERSION

from tests.cluster.apiserver import ControlPlane
from tests.integration.installed import installed_control_plane, refusal_of
from tests.support.documents import read_documents

DOCUMENTS = read_documents()
RESOURCES = [
    pytest.param(resource, id=str(block))
    for document in DOCUMENTS
    for block in document.blocks
    if block.language == "yaml"
    for resource in yaml.safe_load_all(block.text)
    if isinstance(resource, dict) and resource.get("apiVersion") == API_VERSION
]
COMMAND = re.compile(
    r"\bkubectl (?:-n \S+ |--namespace \S+ )?"
    r"(?:get|describe|wait|delete|scale|explain|annotate|patch|port-forward) ([a-z][\w./-]*)"
)


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    with installed_control_plane() as plane:
        yield plane


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_resource_on_a_page_is_taken(plane, resource):
    metadata = {"namespace": "default"} | resource["metadata"]
    assert refusal_of(plane, resource | {"metadata": metadata}) == ""


def test_kubectl_knows_every_kind_of_resource_that_a_page_names(plane):
    known: set[str] = set()
    for line in plane.kubectl("api-resources", "--no-headers").splitlines():
        name, *rest = line.split()
        short = rest[0].split(",") if len(rest) == 4 else []
        kind = rest[-1].lower()
        known |= {name, kind, *short}
    named = {
        word.split("/")[0].split(".")[0]
        for document in DOCUMENTS
        for word in COMMAND.findall(document.commands)
    }
    assert {"vtd", "service", "deployment", "nodes"} <= named
    assert named - known == set()
