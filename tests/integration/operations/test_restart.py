"""The operator's process may end at any moment: the fleet neither moves nor forgets."""

import time
from datetime import datetime
from typing import Any

from tests.cluster.images import SERVER
from tests.integration.operations.fleet import Fleet
from tests.integration.operations.kube import Object, unix_now, wait_for
from tests.integration.operations.sampler import Sampler

HOLDS_THREE = 0.6
"""KV use of three pods at which the fleet needs three, and is below the line (0.61 of 0.75)."""
ABOVE = 0.9
LIVES = (2.0, 0.3, 1.5, 3.0, 6.0)
"""Seconds after which it is killed, each from its start but the first: while it imports, while its
watches fill, in its first ticks and later."""
STABILIZATION = 15
WINDOW = 20
"""Seconds for which the line is to stay crossed."""
GAP = 8
FLEETS: dict[str, dict[str, Any]] = {
    "killed": {
        "scaling": {
            "minReplicas": 3,
            "maxReplicas": 6,
            "scaleDownStabilizationSeconds": STABILIZATION,
        }
    },
    "streak": {"saturation": {"sustainedSeconds": WINDOW}, "scaling": {"maxReplicas": 2}},
    "deleted": {},
    "updated": {},
}
CHILDREN = {
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "ReplicaSet": "/apis/apps/v1/namespaces/{}/replicasets",
    "Pod": "/api/v1/namespaces/{}/pods",
    "Service": "/api/v1/namespaces/{}/services",
    "EndpointSlice": "/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices",
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "Secret": "/api/v1/namespaces/{}/secrets",
    "PodDisruptionBudget": "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
}


def test_five_kills_at_three_of_six_never_move_the_replicas(fleets, operator):
    fleet = fleets["killed"]
    pods = fleet.wait_ready(3)
    fleet.set_kv_usage(HOLDS_THREE, pods)
    fleet.kube.box.kubectl(
        *("patch", "vtd", "-n", fleet.namespace, fleet.name, "--type=merge"),
        *("-p", '{"spec": {"scaling": {"minReplicas": 1}}}'),
    )
    generation = fleet.deployment()["metadata"]["generation"]
    with Sampler(fleet) as sampler:
        for seconds in LIVES:
            time.sleep(seconds)
            operator.kill()
            operator.start(wait=False)
        operator.wait_healthy()
        # What it forgot may not shrink the fleet either, once a whole window has been seen again.
        time.sleep(STABILIZATION + 3)
        # It does decide, and on the load: a fleet that nobody looks at stands still as well.
        fleet.wait_condition("ScalingActive", "True")
    print(sampler)
    assert sampler.replicas == {3}
    assert len(sampler.generations) == 1
    # Nor did the size move between two samples.
    assert fleet.deployment()["metadata"]["generation"] == generation
    inputs = fleet.status()["decision"]["inputs"]
    assert (inputs["knownReplicas"], inputs["memoryNeed"]) == ("3", "3")
    assert [pod["metadata"]["uid"] for pod in fleet.pods()] == [p["metadata"]["uid"] for p in pods]


def test_a_streak_cut_at_seventy_percent_goes_on_there_and_the_gap_is_not_counted(fleets, operator):
    fleet = fleets["streak"]
    fleet.set_kv_usage(ABOVE, fleet.wait_ready(1))
    since = when(wait_for(lambda: fleet.status().get("streak"), "the streak")["since"])
    wait_for(lambda: unix_now() - since >= 0.7 * WINDOW, "70 % of the streak")
    operator.kill()
    before = fleet.status()["streak"]
    time.sleep(GAP)
    operator.start()
    counted = when(before["lastSeen"]) - since
    wait_for(lambda: fleet.status()["streak"] != before, "a streak that goes on")
    resumed = when(fleet.status()["streak"]["lastSeen"])
    wait_for(lambda: fleet.replicas() == 2, "growth")
    grew = when(wait_for(lambda: grown(fleet.status()), "the decision to grow")["decision"]["time"])
    print(
        f"streak of {WINDOW} s: {counted:.0f} s counted, a gap of {resumed - since - counted:.0f} s"
        f" that was not, and {grew - resumed:.0f} s to the decision to grow"
    )
    # Begun anew it would have been a whole window after the gap, with the gap counted no time.
    assert WINDOW - 3 <= counted + (grew - resumed) <= WINDOW + 5


def test_a_resource_deleted_while_the_operator_is_gone_leaves_nothing(fleets, operator):
    fleet = fleets["deleted"]
    fleet.wait_ready(1)
    assert "finalizers" not in fleet.resource()["metadata"]
    assert {kind for kind, _ in children(fleet)} == set(CHILDREN)
    operator.kill()
    fleet.kube.box.kubectl("delete", "vtd", "-n", fleet.namespace, fleet.name, "--timeout=30s")
    wait_for(lambda: not children(fleet), "the children's end")
    assert not operator.running


def test_a_newer_operator_rolls_no_pod_and_offers_the_update(fleets, operator):
    fleet = fleets["updated"]
    pods = fleet.wait_ready(1)
    assert fleet.wait_condition("UpdateAvailable", "False")["reason"] == "UpToDate"
    generation = fleet.deployment()["metadata"]["generation"]
    operator.stop()
    operator.start(package_image="vibethinker.io/server:newer")
    try:
        offer = fleet.wait_condition("UpdateAvailable", "True")
        assert "vibethinker.io/server:newer" in offer["message"]
        assert fleet.deployment()["metadata"]["generation"] == generation
        assert fleet.status()["engine"]["packageImage"] == SERVER.name
        assert [p["metadata"]["uid"] for p in fleet.pods()] == [p["metadata"]["uid"] for p in pods]
    finally:
        operator.stop()


def when(text: str) -> float:
    """Returns unix seconds of a time in a status."""
    return datetime.fromisoformat(text).timestamp()


def grown(status: Object) -> Object:
    """Returns the status if it is the one with the decision to grow."""
    decision = status.get("decision") or {}
    return status if decision.get("reason") == "MemoryAboveLine" else {}


def children(fleet: Fleet) -> list[tuple[str, str]]:
    """Returns kind and name of everything that carries the fleet's label."""
    return [
        (kind, item["metadata"]["name"])
        for kind, path in CHILDREN.items()
        for item in fleet.kube.list_items(
            path.format(fleet.namespace), labelSelector=fleet.selector
        )
    ]
