"""Why a fleet has no more pods Ready, in the words of the cluster."""

from typing import Any

import pytest
from vibethinker_doctor.finding import Finding
from vibethinker_doctor.termination import encode_finding
from vibethinker_operator.api import parse_deployment
from vibethinker_operator.causes import Cause, describe_refusal, find_cause
from vibethinker_operator.errors import (
    ClusterError,
    ConflictError,
    ForbiddenError,
    UnavailableError,
)
from vibethinker_operator.observed import build_observed

from tests.unit.operating.builders import Body, make_body, make_deployment, make_pod

PULL = 'Back-off pulling image "vllm/vllm-openai:v9": not found'
NO_GPU = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."
QUOTA = 'pods "chat-7d" is forbidden: exceeded quota: gpus, requested: 1, used: 2, limited: 2'
SECURITY = 'pods "chat-7d" is forbidden: violates PodSecurity "restricted:latest": hostPath volumes'
BACK_OFF = "back-off 5m0s restarting failed container=engine"
LOGS = "its log says more: kubectl logs --previous chat-a"
TOO_LONG = Finding(
    code="MaxModelLenTooLarge",
    cause="one sequence does not fit",
    evidence="ValueError: To serve at least one request",
    remedy="make it shorter",
    field="engine.maxModelLen",
    value=2048,
)
OOM = {"terminated": {"reason": "OOMKilled", "exitCode": 137}}


def find(*pods: Body, failure: str = "", spec: Body | None = None) -> Cause | None:
    conditions = (
        [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": failure}]
        if failure
        else []
    )
    resource = make_body(spec)
    observed = build_observed(make_deployment(resource, 1, *conditions), pods)
    return find_cause(observed, parse_deployment(resource).spec)


def waiting(reason: str, message: str = "", **container: Any) -> Body:
    state = {"waiting": {"reason": reason, "message": message}}
    return make_pod(ready=False, containerStatuses=[{"state": state} | container])


def restarted(times: int, last: Body = OOM) -> Body:
    status = {"state": {"running": {}}, "restartCount": times, "lastState": last}
    return make_pod(ready=False, containerStatuses=[status])


def unplaced(name: str = "a") -> Body:
    conditions = [{"type": "PodScheduled", "status": "False", "message": NO_GPU}]
    return make_pod(name, ready=False, conditions=conditions)


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "InvalidImageName"])
def test_an_image_that_cannot_be_pulled(reason: str):
    assert find(waiting(reason, PULL)) == Cause(reason, f"pod chat-a: {PULL}")


def test_a_pod_that_no_node_takes():
    assert find(unplaced()) == Cause("Unschedulable", f"pod chat-a: {NO_GPU}")


@pytest.mark.parametrize("words", [QUOTA, SECURITY])
def test_pods_that_may_not_be_made_by_quota_or_pod_security(words: str):
    assert find(failure=words) == Cause("FailedCreate", words)


def test_a_crash_loop_says_how_it_last_ended_and_where_to_look():
    ended = {"terminated": {"reason": "Error", "exitCode": 1}}
    assert find(waiting("CrashLoopBackOff", BACK_OFF, lastState=ended)) == Cause(
        "CrashLoopBackOff",
        f"pod chat-a: {BACK_OFF}; its container last ended with Error (exit code 1); {LOGS}",
    )


def test_a_crash_loop_for_want_of_memory_names_it():
    cause = find(waiting("CrashLoopBackOff", BACK_OFF, lastState=OOM))
    assert cause is not None
    assert cause.reason == "OOMKilled"
    assert "was ended by its memory limit" in cause.message


def test_a_pod_killed_for_memory_again_and_again_between_two_waits():
    limited = {"resources": {"limits": {"memory": "4Gi"}}}
    assert find(restarted(2), spec=limited) == Cause(
        "OOMKilled",
        "pod chat-a: container engine was ended by its memory limit; remedy: give the"
        f" pod more memory: set spec.resources.limits.memory to 6Gi; {LOGS}",
    )


def test_what_the_engine_wrote_at_its_end_is_the_cause_with_its_remedy():
    ended = {"terminated": {"reason": "Error", "exitCode": 1, "message": encode_finding(TOO_LONG)}}
    assert find(waiting("CrashLoopBackOff", BACK_OFF, lastState=ended)) == Cause(
        "MaxModelLenTooLarge",
        "pod chat-a: one sequence does not fit; remedy: make it shorter: set"
        f" spec.engine.maxModelLen to 2048; {LOGS}",
    )


def test_the_end_of_its_log_is_read_where_the_engine_wrote_nothing():
    tail = "entry.py: error: unrecognized arguments: --from-the-future"
    ended = {"terminated": {"reason": "Error", "exitCode": 2, "message": tail}}
    cause = find(waiting("CrashLoopBackOff", BACK_OFF, lastState=ended))
    assert cause is not None
    assert cause.reason == "FlagUnknown"
    assert "change spec.engine.image" in cause.message


def test_one_restart_alone_is_bad_luck():
    assert find(restarted(1)) is None


def test_a_missing_config_map_is_told_even_without_a_sentence():
    assert find(waiting("CreateContainerConfigError")) == Cause(
        "CreateContainerConfigError", "pod chat-a: the kubelet gives no message"
    )


@pytest.mark.parametrize(
    "pod",
    [
        pytest.param(make_pod(ready=True), id="ready"),
        pytest.param(make_pod(ready=False), id="starting"),
        pytest.param(waiting("ContainerCreating"), id="on its ordinary way up"),
        pytest.param(
            make_pod(containerStatuses=[{"restartCount": 9, "lastState": OOM}]),
            id="ready after restarts",
        ),
    ],
)
def test_where_nothing_stands_in_the_way_there_is_no_cause(pod: Body):
    assert find(pod) is None


def test_the_words_of_a_pod_on_its_way_out_are_of_no_interest():
    leaving = unplaced()
    leaving["metadata"]["deletionTimestamp"] = "2027-01-15T08:00:00Z"
    assert find(leaving) is None
    assert find(make_pod(ready=False, phase="Failed", containerStatuses=[])) is None


def test_that_pods_cannot_be_made_at_all_comes_before_what_one_pod_says():
    cause = find(unplaced(), failure=QUOTA)
    assert cause is not None
    assert cause.reason == "FailedCreate"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("seccomp killed", "SeccompKilled"),  # CRI-O's own word
        ("OOMKilled", "OOMKilled"),
        ("exit status 1", "ExitStatus1"),
        ("137", "Unknown"),
        ("", "Unknown"),
        ("x" * 200, "X" + "x" * 127),
    ],
)
def test_a_runtimes_word_becomes_one_that_a_condition_may_carry(said: str, reason: str):
    cause = find(restarted(3, {"terminated": {"reason": said, "exitCode": 1}}))
    assert cause is not None
    assert cause.reason == reason


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (
            ConflictError('conflict with "helm"'),
            Cause(
                "NameTaken", 'an object of that name belongs to somebody else: conflict with "helm"'
            ),
        ),
        (ForbiddenError("exceeded quota"), Cause("WriteForbidden", "exceeded quota")),
        (UnavailableError("no answer"), Cause("ApiUnavailable", "no answer")),
        (ClusterError("spec.ports is wrong"), Cause("WriteRefused", "spec.ports is wrong")),
    ],
)
def test_a_refused_write_is_a_cause(error: ClusterError, cause: Cause):
    assert describe_refusal(error) == cause
