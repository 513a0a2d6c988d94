"""Fleets whose size somebody else decides: an HPA through /scale, and one that is only advised."""

from typing import Any

import httpx
from vibethinker_operator.manifests.samples import SAMPLES

from tests.integration.operations.fleet import NAMESPACE, Fleet
from tests.integration.operations.kube import Kube, Object, wait_for

BY_FILE = {sample.file: sample for sample in SAMPLES}
ELASTIC, LARGE = BY_FILE["manual-hpa.yaml"], BY_FILE["advisory-fleet.yaml"]
WRITTEN = 2
"""Of the forty that the sample has: what two cores can run."""

FULL = 0.93
"""Above the memory line, below the hard line that holds in every mode."""

HPA = f"/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers/{ELASTIC.name}"


# Without their card and their requests, which the box has not.
FLEETS: dict[str, dict[str, Any]] = {
    ELASTIC.name: {"scaling": ELASTIC.spec["scaling"]},
    LARGE.name: {
        "replicas": WRITTEN,
        "scaling": LARGE.spec["scaling"] | {"minReplicas": 1},
        "saturation": {"sustainedSeconds": 2},
    },
}


def bound(kube: Kube, least: int, most: int) -> None:
    """Applies the sample's HPA with other bounds."""
    (hpa,) = ELASTIC.beside
    metadata = hpa["metadata"] | {"namespace": NAMESPACE}
    bounds = {"minReplicas": least, "maxReplicas": most}
    kube.apply(hpa | {"metadata": metadata, "spec": hpa["spec"] | bounds})


def hpa_condition(kube: Kube, type_: str) -> Object:
    conditions = (kube.get(HPA) or {}).get("status", {}).get("conditions") or ()
    return next((dict(each) for each in conditions if each["type"] == type_), {})


def would_reject(pod: Object) -> float:
    """Returns how many newcomers a pod let in over its line, as its own page says."""
    name = "vibethinker_admission_would_reject_total"
    url = f"http://{pod['status']['podIP']}:9100/metrics?name[]={name}"
    lines = httpx.get(url, timeout=5).text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


def test_an_hpa_moves_a_manual_fleet_through_scale_and_a_drain_comes_before_each_shrink(
    fleets: dict[str, Fleet], kube: Kube, operator: Any
):
    fleet = fleets[ELASTIC.name]
    fleet.wait_ready(1)
    (hpa,) = ELASTIC.beside
    bound(kube, hpa["spec"]["minReplicas"], hpa["spec"]["maxReplicas"])
    fleet.wait_ready(hpa["spec"]["minReplicas"])
    assert (fleet.resource() or {})["spec"]["replicas"] == hpa["spec"]["minReplicas"]
    assert hpa_condition(kube, "AbleToScale")["status"] == "True"
    # No adapter serves the metric here: the HPA says so, and moves nothing between its bounds.
    said = wait_for(lambda: hpa_condition(kube, "ScalingActive"), "what the HPA says of its metric")
    assert (said["status"], said["reason"]) == ("False", "FailedGetPodsMetric")
    bound(kube, 1, 1)
    fleet.wait_ready(1)
    assert len(fleet.events("DrainStarted")) == 1
    assert fleet.events("ReplicasIgnored") == []
    assert fleet.events("UnexpectedVictim") == []


def test_an_advised_fleet_under_load_says_what_it_would_do_and_neither_grows_nor_refuses(
    fleets: dict[str, Fleet], kube: Kube, operator: Any
):
    fleet = fleets[LARGE.name]
    pods = fleet.wait_ready(WRITTEN)
    grown = len(fleet.events("ScaledOut"))  # to the size that is written
    fleet.set_kv_usage(FULL, pods)

    def advice() -> int:
        decision = fleet.status().get("decision") or {}
        return int((decision.get("inputs") or {}).get("recommendedReplicas", 0))

    assert wait_for(lambda: advice() > WRITTEN, "advice to grow")
    decision = fleet.status()["decision"]
    print(decision["message"])
    assert "mode is Advisory" in decision["message"]
    assert decision["desiredReplicas"] == WRITTEN
    answer = fleet.begin_chat(fleet.url(), tokens=5).result()
    assert answer.status_code == httpx.codes.OK
    assert sum(kube.network.call(would_reject, pod) for pod in pods) >= 1
    assert fleet.replicas() == WRITTEN
    assert len(fleet.events("ScaledOut")) == grown
    assert fleet.events("RejectingRequests") == []
    assert fleet.condition("ScalingActive")["reason"] == "AdvisoryMode"
