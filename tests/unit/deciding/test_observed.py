"""Plain Kubernetes dictionaries, as a watch delivers them."""

import copy
from typing import Any

import pytest
from vibethinker_operator.observed import (
    Termination,
    build_observed,
    parse_deployment,
    parse_pod,
)

POD: dict[str, Any] = {
    "metadata": {
        "name": "vt-abc",
        "namespace": "models",
        "uid": "u-1",
        "creationTimestamp": "2026-11-24T04:00:00Z",
        "labels": {"pod-template-hash": "7d4b9c"},
        "annotations": {
            "vibethinker.io/drain-since": "1795492860.500",
            "controller.kubernetes.io/pod-deletion-cost": "-1000",
        },
    },
    "spec": {"nodeName": "gpu-1"},
    "status": {
        "phase": "Running",
        "podIP": "10.1.2.3",
        "conditions": [
            {
                "type": "PodReadyToStartContainers",
                "status": "True",
                "lastTransitionTime": "2026-11-24T04:00:05Z",
            },
            {"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-24T04:01:00Z"},
            {
                "type": "PodScheduled",
                "status": "True",
                "lastTransitionTime": "2026-11-24T04:00:02Z",
            },
        ],
        "initContainerStatuses": [
            {
                "name": "inject",
                "restartCount": 0,
                "state": {"terminated": {"exitCode": 0, "reason": "Completed"}},
            }
        ],
        "containerStatuses": [
            {
                "name": "engine",
                "restartCount": 2,
                "state": {"running": {}},
                "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
            }
        ],
    },
}
FOUR = 1795492800.0  # 2026-11-24T04:00:00Z


def changed(**status: Any) -> dict[str, Any]:
    pod = copy.deepcopy(POD)
    pod["metadata"]["annotations"] = {}
    pod["status"].update(status)
    return pod


def waiting(reason: str, message: str = "", *, init: str | None = None) -> dict[str, Any]:
    return changed(
        containerStatuses=[{"state": {"waiting": {"reason": reason, "message": message}}}],
        initContainerStatuses=[] if init is None else [{"state": {"waiting": {"reason": init}}}],
    )


def test_a_ready_pod_is_read_whole():
    pod = parse_pod(POD)
    assert (pod.uid, pod.name, pod.namespace) == ("u-1", "vt-abc", "models")
    assert (pod.ip, pod.node, pod.template_hash) == ("10.1.2.3", "gpu-1", "7d4b9c")
    assert pod.created == FOUR
    assert pod.scheduled_since == FOUR + 2
    assert pod.scheduled
    assert (pod.ready, pod.ready_since, pod.unready_since) == (True, FOUR + 60, None)
    assert pod.restarts == 2
    assert pod.last_termination == Termination("OOMKilled", 137)
    assert (pod.draining_since, pod.deletion_cost) == (1795492860.5, -1000)
    assert not pod.terminating
    assert not pod.finished
    assert pod.active
    assert not pod.serving  # it is being drained


def test_a_pod_without_marks_that_is_ready_serves():
    assert parse_pod(changed()).serving


def test_a_pod_that_no_node_takes_tells_what_the_scheduler_said():
    message = "0/1 nodes are available: 1 Insufficient nvidia.com/gpu."
    body = changed(
        phase="Pending",
        podIP=None,
        conditions=[
            {
                "type": "PodScheduled",
                "status": "False",
                "reason": "Unschedulable",
                "message": message,
            }
        ],
        containerStatuses=[],
        initContainerStatuses=[],
    )
    body["spec"] = {}
    pod = parse_pod(body)
    assert pod.unschedulable_message == message
    assert not pod.scheduled
    assert not pod.pulling
    assert (pod.node, pod.ip) == (None, None)


def test_a_pod_that_the_scheduler_has_not_looked_at_is_not_unschedulable():
    body = changed(conditions=[])
    body["spec"] = {}
    pod = parse_pod(body)
    assert (pod.unschedulable_message, pod.scheduled_since) == (None, None)


def test_a_pod_bound_past_the_scheduler_counts_from_when_it_was_made():
    assert parse_pod(changed(conditions=[])).scheduled_since == FOUR


@pytest.mark.parametrize(
    "reason", ["ImagePullBackOff", "CreateContainerConfigError", "CrashLoopBackOff"]
)
def test_what_keeps_a_container_from_running_is_told(reason):
    pod = parse_pod(waiting(reason, "the kubelet's words"))
    assert (pod.waiting_reason, pod.waiting_message) == (reason, "the kubelet's words")
    assert not pod.pulling


@pytest.mark.parametrize("reason", ["ContainerCreating", "PodInitializing"])
def test_the_ordinary_way_up_is_no_reason_but_pulling(reason):
    pod = parse_pod(waiting(reason))
    assert (pod.waiting_reason, pod.pulling) == (None, True)


def test_the_image_of_the_init_container_is_pulled_first():
    pod = parse_pod(waiting("PodInitializing", init="PodInitializing"))
    assert pod.pulling


def test_a_pod_whose_volumes_are_not_mounted_yet_is_not_pulling():
    body = waiting("ContainerCreating")
    sandbox = {"type": "PodReadyToStartContainers", "status": "False", "message": "no sandbox"}
    body["status"]["conditions"] = [sandbox]
    assert not parse_pod(body).pulling
    assert parse_pod(body).sandbox_message == "no sandbox"
    assert parse_pod(POD).sandbox_message is None


def test_a_running_pod_is_not_pulling():
    assert not parse_pod(POD).pulling


def test_a_terminating_pod_is_not_active():
    body = changed()
    body["metadata"]["deletionTimestamp"] = "2026-11-24T05:00:00Z"
    pod = parse_pod(body)
    assert pod.terminating
    assert not pod.active
    assert not pod.serving


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_an_evicted_pod_is_finished_and_not_active(phase):
    pod = parse_pod(changed(phase=phase))
    assert pod.finished
    assert not pod.active


@pytest.mark.parametrize("text", ["", "soon", "nan", "inf", "-5"])
def test_an_annotation_that_is_no_time_marks_nothing(text):
    body = copy.deepcopy(POD)
    body["metadata"]["annotations"]["vibethinker.io/drain-since"] = text
    assert parse_pod(body).draining_since is None


def test_a_deletion_cost_that_is_no_number_is_none():
    body = copy.deepcopy(POD)
    body["metadata"]["annotations"]["controller.kubernetes.io/pod-deletion-cost"] = "low"
    assert parse_pod(body).deletion_cost is None


def test_a_body_that_is_not_a_stored_pod_is_refused_with_its_name():
    with pytest.raises(ValueError, match=r"object 'x' has no metadata\.uid: it is not stored"):
        parse_pod({"metadata": {"name": "x"}})
    body = copy.deepcopy(POD)
    body["metadata"]["creationTimestamp"] = "yesterday"
    with pytest.raises(
        ValueError, match=r"'vt-abc' has no readable metadata\.creationTimestamp: 'yesterday'"
    ):
        parse_pod(body)


DEPLOYMENT: dict[str, Any] = {
    "metadata": {
        "name": "vt",
        "namespace": "models",
        "uid": "d-1",
        "resourceVersion": "4711",
        "generation": 7,
        "annotations": {"vibethinker.io/images": "{}"},
    },
    "spec": {"replicas": 3, "progressDeadlineSeconds": 2760},
    "status": {
        "observedGeneration": 6,
        "conditions": [
            {
                "type": "ReplicaFailure",
                "status": "True",
                "reason": "FailedCreate",
                "message": "exceeded quota",
                "lastTransitionTime": "2026-11-24T04:00:00Z",
            },
            {"type": "Available", "status": "False"},
        ],
    },
}


def test_a_deployment_is_read_whole():
    deployment = parse_deployment(DEPLOYMENT)
    assert (deployment.uid, deployment.name, deployment.namespace) == ("d-1", "vt", "models")
    assert (deployment.spec_replicas, deployment.resource_version) == (3, "4711")
    assert (deployment.generation, deployment.observed_generation) == (7, 6)
    assert deployment.progress_deadline_seconds == 2760
    assert deployment.annotations == {"vibethinker.io/images": "{}"}
    failure = deployment.replica_failure
    assert failure is not None
    assert (failure.message, failure.since) == ("exceeded quota", FOUR)
    assert deployment.find_condition("Available") is None


def test_a_deployment_that_names_no_replicas_runs_one_and_one_that_names_zero_none():
    body = copy.deepcopy(DEPLOYMENT)
    body["spec"] = {}
    assert parse_deployment(body).spec_replicas == 1
    body["spec"] = {"replicas": 0}
    assert parse_deployment(body).spec_replicas == 0


def test_a_fleet_orders_its_pods_by_age_and_counts_its_replica_sets():
    younger, other = copy.deepcopy(POD), changed()
    younger["metadata"].update(uid="u-2", creationTimestamp="2026-11-24T04:30:00Z")
    other["metadata"].update(
        uid="u-3", creationTimestamp="2026-11-24T03:00:00Z", labels={"pod-template-hash": "old"}
    )
    observed = build_observed(DEPLOYMENT, [younger, POD, other], room_event_at=5.0)
    assert [pod.uid for pod in observed.pods] == ["u-3", "u-1", "u-2"]
    assert observed.replica_set_count_with_pods == 2
    assert [pod.uid for pod in observed.serving] == ["u-3"]
    assert [pod.uid for pod in observed.draining] == ["u-1", "u-2"]
    assert (observed.spec_replicas, observed.room_event_at) == (3, 5.0)


def test_pods_on_their_way_out_belong_to_no_replica_set():
    leaving = changed()
    leaving["metadata"].update(
        uid="u-9", deletionTimestamp="2026-11-24T05:00:00Z", labels={"pod-template-hash": "old"}
    )
    assert build_observed(DEPLOYMENT, [POD, leaving]).replica_set_count_with_pods == 1
