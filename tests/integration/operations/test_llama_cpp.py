"""A fleet of real llama-servers: its file is written by a Job, and it grows and shrinks whole."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cluster.images import LLAMA_SERVER
from tests.cluster.model import toy_model
from tests.integration.operations.fleet import NAMESPACE, Fleet, build_fleet
from tests.integration.operations.kube import Object
from tests.integration.operations.llama_load import Crowd
from tests.integration.operations.sampler import Sampler
from tests.integration.operations.volumes import let_in, offer_directory

POOL_BYTES = 128 * 2**20
SPEC: dict[str, Any] = {
    "model": {
        "source": "Volume",
        "volume": {"claimName": "toy"},
        "gguf": {"outtype": "Q8_0"},
        "cache": {"claimName": "gguf"},
    },
    "engine": {
        "backend": "LlamaCpp",
        "image": LLAMA_SERVER.name,
        "device": "CPU",
        "maxModelLen": 2048,
        "maxNumSeqs": 2,
        "maxNumBatchedTokens": 512,
        "kvCacheMemoryBytes": POOL_BYTES,
    },
    "profiles": [{"name": "webui", "kind": "WebUI", "timeToFirstTokenSeconds": 600}],
    "tokenLimits": {"code": 256},
    "saturation": {"requestQueueLength": 2, "sustainedSeconds": 3},
    "scaling": {"maxReplicas": 2, "scaleDownStabilizationSeconds": 10},
    "resources": {"requests": {"cpu": "100m"}, "limits": {"cpu": "1", "memory": "1Gi"}},
}
PEOPLE, FEW = 8, 1
TOKENS = 96


@pytest.fixture(scope="module")
def fleet(kube, operator_process, tmp_path_factory) -> Iterator[Fleet]:
    if not operator_process.running:
        operator_process.start()
    place: Path = tmp_path_factory.mktemp("gguf")
    let_in(place)
    offer_directory(kube.box, "toy", toy_model())
    offer_directory(kube.box, "gguf", place / "gguf")
    kube.apply(build_fleet("small", **SPEC))
    yield Fleet(kube, "small")
    kube.box.kubectl("delete", "vtd", "small", "-n", NAMESPACE, "--wait=false")
    for claim in ("toy", "gguf"):
        kube.box.kubectl("delete", "pvc", claim, "-n", NAMESPACE, "--wait=false")
        kube.box.kubectl("delete", "pv", f"{NAMESPACE}-{claim}", "--wait=false")


def ops_page(fleet: Fleet, pod: Object) -> dict[str, float]:
    """Returns a pod's series of ours, by name and labels."""
    url = f"http://{pod['status']['podIP']}:9100/metrics"
    lines = fleet.kube.network.call(httpx.get, url, timeout=5).text.splitlines()
    ours = (line.rpartition(" ") for line in lines if line.startswith("vibethinker_"))
    return {name: float(value) for name, _, value in ours}


def test_its_pod_serves_the_file_and_knows_its_memory(fleet):
    (pod,) = fleet.wait_ready(1)
    page = ops_page(fleet, pod)
    parts = [
        page[f'vibethinker_memory_bytes{{kind="{kind}"}}']
        for kind in ("weights", "kv_used", "kv_idle", "other")
    ]
    print({name: value for name, value in page.items() if "memory" in name})
    assert page["vibethinker_device_memory_bytes"] == 2**30
    assert 0 < page["vibethinker_memory_used_ratio"] < page["vibethinker_device_memory_used_ratio"]
    assert abs(parts[1] + parts[2] - POOL_BYTES) < 256 * 28_672
    assert sum(parts) == pytest.approx(
        page["vibethinker_device_memory_used_ratio"] * 2**30, rel=1e-3
    )
    answer = fleet.begin_chat(fleet.url(), tokens=8).result()
    assert answer.json()["choices"][0]["finish_reason"] == "length"


def test_it_grows_under_a_crowd_and_shrinks_under_a_few_and_cuts_nobody(fleet, operator):
    fleet.wait_ready(1)
    with Sampler(fleet) as sampler:
        with Crowd(fleet, PEOPLE, TOKENS) as crowd:
            fleet.wait_ready(2)
        with Crowd(fleet, FEW, TOKENS) as few:
            fleet.wait_ready(1)
    print(sampler, crowd.ends, few.ends)
    assert sampler.replicas == {1, 2}
    assert crowd.ends.cut == few.ends.cut == []
    assert set(crowd.ends.refused) <= {(429, "queue_full"), (429, "time_to_first_token")}
    assert {reason for _, reason in few.ends.finished} == {"length"}
    assert fleet.events("ScaledOut")
    assert fleet.events("ScaledIn")
    assert fleet.events("UnexpectedVictim") == []
