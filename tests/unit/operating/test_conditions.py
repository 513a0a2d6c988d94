"""Every condition both ways."""

from dataclasses import replace

import pytest
from vibethinker_operator.api.status import Condition, ConditionStatus, Status
from vibethinker_operator.causes import Cause
from vibethinker_operator.conditions import (
    render_conditions,
)
from vibethinker_operator.fleet_view import FleetView
from vibethinker_operator.images import Images
from vibethinker_operator.notices import tell_transitions
from vibethinker_operator.observed import DeploymentCondition
from vibethinker_operator.scaling import Mode, ScalingPolicy
from vibethinker_operator.status import render_status

from tests.unit.deciding.builders import (
    START,
    Load,
    make_observed,
    make_pending,
    make_pod,
    make_starting,
)
from tests.unit.operating.views import decide_once, make_view, read_once
from tests.unit.operator_api.resource import CPU_SPEC, NEWER

TRUE, FALSE, UNKNOWN = ConditionStatus.TRUE, ConditionStatus.FALSE, ConditionStatus.UNKNOWN
READY, STARTING = make_pod("a"), make_starting("b", created=START - 5)
NO_GPU = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."
PENDING = make_pending("c", created=START - 5, message=NO_GPU)
DRAINED = make_pod("d", draining_since=START - 5)
PROBLEM = Cause("WriteForbidden", "exceeded quota: services")
FAILURE = DeploymentCondition("ReplicaFailure", "True", "FailedCreate", "exceeded quota", None)
T4, L4 = ({"gpu": {"product": product}} for product in ("Tesla-T4", "NVIDIA-L4"))
LINE = "MemoryLineReachable"
IMAGE = "engine.example/vllm"


def answer(view: FleetView, type_: str) -> tuple[ConditionStatus, str]:
    condition = find(render_conditions(view, (), START), type_)
    assert condition.message
    return condition.status, condition.reason


def find(conditions: tuple[Condition, ...], type_: str) -> Condition:
    (found,) = (condition for condition in conditions if condition.type == type_)
    return found


@pytest.mark.parametrize(
    ("view", "status", "reason"),
    [
        (make_view(), TRUE, "Serving"),
        (make_view(make_observed(READY, PENDING)), TRUE, "Serving"),
        (make_view(problem=PROBLEM), TRUE, "Serving"),  # whatever is wrong, clients are served
        (make_view(make_observed(STARTING)), FALSE, "Starting"),
        (make_view(make_observed(PENDING)), FALSE, "Unschedulable"),
        (make_view(make_observed(DRAINED)), FALSE, "Starting"),
        (make_view(make_observed(replicas=1)), FALSE, "Starting"),
        (make_view(make_observed(replicas=0)), FALSE, "ScaledToZero"),
        (make_view(None), FALSE, "Creating"),
        (make_view(None, problem=PROBLEM), FALSE, "WriteForbidden"),
    ],
)
def test_ready_is_whether_somebody_serves(view, status, reason):
    assert answer(view, "Ready") == (status, reason)


@pytest.mark.parametrize(
    ("view", "status", "reason"),
    [
        (make_view(), FALSE, "Complete"),
        (make_view(None), TRUE, "Creating"),
        (make_view(None, problem=PROBLEM), FALSE, "WriteForbidden"),
        (make_view(problem=PROBLEM), FALSE, "WriteForbidden"),
        (make_view(make_observed(READY, STARTING)), TRUE, "Starting"),
        (make_view(make_observed(READY, replicas=2)), TRUE, "Starting"),
        (make_view(make_observed(READY, PENDING)), FALSE, "Unschedulable"),
        (make_view(make_observed(READY, DRAINED)), TRUE, "Draining"),
        (make_view(make_observed(READY, make_pod("e", template_hash="h2"))), TRUE, "RollingOut"),
    ],
)
def test_progressing_is_whether_the_fleet_moves_to_what_is_wanted(view, status, reason):
    assert answer(view, "Progressing") == (status, reason)


def test_a_pod_that_waits_for_its_volumes_is_named_in_both_and_is_no_news():
    stuck = replace(STARTING, sandbox_message="no pod sandbox exists")
    conditions = render_conditions(make_view(make_observed(stuck)), (), START)
    for type_ in ("Ready", "Progressing"):
        condition = find(conditions, type_)
        assert condition.reason == "Starting"
        assert f"volumes are not mounted or its network is not up ({stuck.sandbox_message})" in (
            condition.message
        )
        assert f"kubectl describe pod {stuck.name}" in condition.message


def test_a_fleet_that_cannot_make_pods_says_so_in_both():
    observed = make_observed(replicas=1)
    observed = replace(observed, deployment=replace(observed.deployment, conditions=(FAILURE,)))
    conditions = render_conditions(make_view(observed), (), START)
    for type_ in ("Ready", "Progressing"):
        condition = find(conditions, type_)
        assert (condition.status, condition.reason) == (FALSE, "FailedCreate")
        assert condition.message == "exceeded quota"


@pytest.mark.parametrize(
    ("policy", "status", "reason"),
    [
        (ScalingPolicy(max_replicas=3), TRUE, "MetricsKnown"),
        (ScalingPolicy(mode=Mode.MANUAL), FALSE, "ManualMode"),
        (ScalingPolicy(mode=Mode.ADVISORY), FALSE, "AdvisoryMode"),
    ],
)
def test_scaling_active_is_what_was_decided(policy, status, reason):
    view = make_view(decision=decide_once(policy))
    assert answer(view, "ScalingActive") == (status, reason)


@pytest.mark.parametrize(
    ("policy", "load", "status", "reason"),
    [
        (ScalingPolicy(max_replicas=3), None, FALSE, "DesiredWithinRange"),
        (ScalingPolicy(), None, TRUE, "FixedReplicas"),
        (ScalingPolicy(), Load(waiting=90), TRUE, "TooManyReplicas"),
    ],
)
def test_scaling_limited_is_what_was_decided(policy, load, status, reason):
    view = make_view(decision=decide_once(policy, load=load))
    assert answer(view, "ScalingLimited") == (status, reason)


@pytest.mark.parametrize("type_", ["ScalingActive", "ScalingLimited"])
def test_before_there_is_a_deployment_nothing_is_known_of_scaling(type_):
    assert answer(make_view(None), type_) == (UNKNOWN, "NoDeployment")


@pytest.mark.parametrize(
    ("spec", "status", "reason"),
    [
        (L4, TRUE, "LineReachable"),
        (T4 | {"engine": {"maxNumSeqs": 16}}, FALSE, "QueueDecides"),
        ({}, UNKNOWN, "MemoryUnknown"),
        (CPU_SPEC, UNKNOWN, "MemoryUnknown"),
    ],
)
def test_memory_line_reachable_is_computed_before_a_pod_runs(spec, status, reason):
    assert answer(make_view(None, spec=spec), LINE) == (status, reason)


def test_the_memory_line_is_told_with_what_fits():
    message = find(render_conditions(make_view(None, spec=T4), (), START), LINE).message
    assert message == (
        "up to 85 % at full length: the line of 75 % can be crossed; holds 318,336 tokens: 77"
        " sequences of 4,096, of the 128 that engine.maxNumSeqs lets run"
    )
    cpu = find(render_conditions(make_view(None, spec=CPU_SPEC), (), START), LINE)
    assert cpu.message.endswith(
        "reports it; holds 37,440 tokens: 9 sequences of 4,096, of the 128"
        " that engine.maxNumSeqs lets run"
    )


def test_weights_that_do_not_fit_are_said_before_the_first_start_and_told_as_a_warning():
    spec = T4 | {"engine": {"kvCacheMemoryBytes": 12 * 2**30}}
    status = render_status(make_view(None, spec=spec), Status(), START)
    condition = find(status.conditions or (), LINE)
    assert (condition.status, condition.reason) == (FALSE, "DoesNotFit")
    assert (
        "weights of 2.88 GiB, 1.00 GiB beside them and a KV cache of 12.00 GiB" in condition.message
    )
    warnings = [notice.reason for notice in tell_transitions(Status(), status)]
    assert "DoesNotFit" in warnings


def test_what_a_pod_reports_counts_for_more_than_the_name_of_its_card():
    observed = make_observed(READY)
    signals = read_once(observed)  # 24 GB, so that 16 sequences do not reach the line
    view = make_view(observed, spec={"engine": {"maxNumSeqs": 16}}, signals=signals)
    assert answer(view, LINE) == (FALSE, "QueueDecides")


@pytest.mark.parametrize(
    ("tag", "status", "reason"),
    [
        (":v0.33.0", TRUE, "VersionTested"),
        (":v0.12.0", FALSE, "VersionUntested"),
        (":nightly", UNKNOWN, "VersionUnknown"),
        ("@sha256:" + "0" * 64, UNKNOWN, "VersionUnknown"),
    ],
)
def test_engine_supported_is_what_the_images_tag_says(tag, status, reason):
    view = make_view(images=Images(engine=IMAGE + tag, package="p"))
    assert answer(view, "EngineSupported") == (status, reason)


def test_update_available_names_both_images_and_how_to_accept():
    view = make_view(offer="0123456789ab", offered_images=NEWER)
    condition = find(render_conditions(view, (), START), "UpdateAvailable")
    assert (condition.status, condition.reason) == (TRUE, "NewerTemplate")
    assert NEWER.engine in condition.message
    assert NEWER.package in condition.message
    command = "kubectl annotate vtd chat vibethinker.io/accept-update=0123456789ab --overwrite"
    assert condition.message.endswith(command)


def test_without_an_update_none_is_available():
    assert answer(make_view(), "UpdateAvailable") == (FALSE, "UpToDate")
