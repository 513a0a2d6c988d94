"""The Kubernetes API may be gone for longer than any time limit: the operator waits, and lives."""

import time

from tests.integration.operations.kube import wait_for

OUTAGE_SECONDS = 75.0
LOAD_AFTER_SECONDS = 30.0
ABOVE = 0.9
FLEETS = {"outage": {"scaling": {"maxReplicas": 2}}}


def test_the_operator_outlives_75_s_without_the_api_and_writes_once_it_is_back(fleets, operator):
    fleet = fleets["outage"]
    pods = fleet.wait_ready(1)
    fleet.wait_condition("ScalingActive", "True")
    box, pid = fleet.kube.box, operator.pid
    loaded, unhealthy, asked = False, 0, 0
    box.control("kill", "kube-apiserver")
    try:
        began = time.monotonic()
        while (lasted := time.monotonic() - began) < OUTAGE_SECONDS:
            asked += 1
            unhealthy += not operator.is_healthy()
            if lasted > LOAD_AFTER_SECONDS and not loaded:
                # Its line stays crossed until the API is back: the write is long due then.
                fleet.set_kv_usage(ABOVE, pods)
                loaded = True
            time.sleep(1)
    finally:
        begun = time.monotonic()
        box.control("start", "kube-apiserver")
        back = time.monotonic()
    failed = operator.failed_writes("SetReplicas")
    wait_for(lambda: fleet.replicas() == 2, "the write that was due")
    took = time.monotonic() - back
    print(
        f"API gone for {OUTAGE_SECONDS:.0f} s, {asked} health checks; it took {back - begun:.1f} s"
        f" to start, and the write was seen {took:.1f} s after that"
    )
    late = operator.failed_writes("SetReplicas") - failed
    print(f"{failed:.0f} writes failed, {late:.0f} more after the API was back")
    # It tried, no more than once a tick, and was let through within a few.
    assert 1 <= failed <= back - began
    assert late <= 5
    assert unhealthy == 0, operator.tail()
    assert operator.pid == pid
    # Its watches are back too: it hears of a change.
    words = ("patch", "vtd", "-n", fleet.namespace, fleet.name, "--type=merge", "-p")
    box.kubectl(*words, '{"spec": {"scaling": {"maxReplicas": 3}}}')
    wait_for(lambda: fleet.status()["observedGeneration"] == 2, "the change that was heard of")
