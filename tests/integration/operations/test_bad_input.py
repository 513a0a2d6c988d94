"""What people get wrong: a fleet says why in the cluster's own words, and its neighbour serves."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.images import BASE
from tests.integration.operations.fleet import Fleet, build_fleet
from tests.integration.operations.kube import wait_for
from tests.integration.operations.prepare import make_namespace

CROWDED = "crowded"
GOOD = "neighbour"
QUOTA = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "nobody", "namespace": CROWDED},
    "spec": {"hard": {"pods": "0"}},
}
FLEETS: dict[str, dict[str, Any]] = {
    GOOD: {},
    "no-such-image": {"engine": {"image": "vibethinker.io/nothing:v0.33.0"}},
    # It starts, finds no vLLM, and ends.
    "ends": {"engine": {"image": BASE.name}},
    "no-claim": {"model": {"source": "Volume", "volume": {"claimName": "nowhere"}}},
    "no-card": {"gpu": {"resourceName": "nvidia.com/mig-1g.10gb"}},
    "no-product": {"gpu": {"product": "Tesla-T4"}},
    "no-secret": {"model": {"tokenSecretRef": {"name": "vibethinker-nowhere"}}},
}


@pytest.fixture(scope="module")
def bad(kube, fleets) -> Iterator[dict[str, Fleet]]:
    """Those of FLEETS, and one more in a namespace that has no room for pods."""
    make_namespace(kube.box, CROWDED)
    kube.apply(QUOTA)
    kube.apply(build_fleet("over-quota", CROWDED))
    yield {**fleets, "over-quota": Fleet(kube, "over-quota", CROWDED)}
    kube.box.kubectl("delete", "vtd", "--all", "-n", CROWDED, "--wait=false")


@pytest.mark.parametrize(
    ("name", "reasons", "words"),
    [
        ("no-such-image", ("ErrImagePull", "ImagePullBackOff"), "vibethinker.io/nothing:v0.33.0"),
        ("ends", ("CrashLoopBackOff", "Error"), "exit code 1"),
        ("over-quota", ("FailedCreate",), "exceeded quota: nobody"),
        ("no-claim", ("Unschedulable",), 'persistentvolumeclaim "nowhere" not found'),
        ("no-card", ("Unschedulable",), "Insufficient nvidia.com/mig-1g.10gb"),
        ("no-product", ("Unschedulable",), "didn't match Pod's node affinity/selector"),
    ],
)
def test_a_fleet_that_cannot_start_says_why_in_the_clusters_words(bad, name, reasons, words):
    ready = bad[name].wait_condition("Ready", "False", *reasons)
    print(f"{name}: {ready['reason']}: {ready['message']}")
    assert words in ready["message"]
    assert bad[name].condition("Progressing")["reason"] in reasons


def test_a_fleet_without_the_secret_it_names_says_that_its_volumes_are_not_mounted(bad):
    # Which one, only the kubelet's Events about the pod say, and the operator may not read them.
    fleet = bad["no-secret"]
    words = "its volumes are not mounted"
    wait_for(lambda: words in fleet.condition("Ready").get("message", ""), words)
    assert fleet.condition("Ready")["reason"] == "Starting"


def test_its_neighbour_is_ready_and_the_operator_goes_on(bad, operator):
    neighbour = bad[GOOD]
    neighbour.wait_ready(1)
    neighbour.wait_condition("Ready", "True")
    answer = neighbour.begin_chat(neighbour.url(), tokens=3).result()
    assert answer.json()["choices"][0]["finish_reason"] == "length"
    assert operator.is_healthy()
    log = [json.loads(line) for line in operator.log.read_text().splitlines() if line[:1] == "{"]
    assert log
    ours = [line for line in log if any(f"/{name}:" in line["message"] for name in bad)]
    assert not [line for line in ours if "exception" in line]
