"""The spec as deciding reads it, and what the first lease after a start says."""

import pytest
from vibethinker_operator.api import Spec
from vibethinker_operator.policy import assume_growth, build_scaling_policy
from vibethinker_operator.scaling import Growth, Mode, ScalingPolicy

from tests.unit.deciding.builders import make_observed, make_pod
from tests.unit.operating.builders import Body

TWO = make_observed(make_pod("a"), make_pod("b"))


def policy_of(spec: Body) -> ScalingPolicy:
    return build_scaling_policy(Spec.model_validate(spec))


def test_an_empty_spec_is_the_policy_of_the_defaults():
    assert policy_of({}) == ScalingPolicy()


def test_every_number_of_the_spec_gets_to_where_it_decides():
    spec = {
        "replicas": 7,
        "saturation": {"memoryUsedPercentage": 60, "requestQueueLength": 9, "sustainedSeconds": 30},
        "scaling": {
            "mode": "Advisory",
            "minReplicas": 2,
            "maxReplicas": 5,
            "scaleDownStabilizationSeconds": 60,
            "startupDeadlineSeconds": 600,
            "provisioningDeadlineSeconds": 120,
        },
    }
    assert policy_of(spec) == ScalingPolicy(
        mode=Mode.ADVISORY,
        written_replicas=7,
        min_replicas=2,
        max_replicas=5,
        memory_used_percentage=60,
        request_queue_length=9,
        sustained_seconds=30,
        stabilization_seconds=60,
        startup_deadline_seconds=600,
        provisioning_deadline_seconds=120,
    )


@pytest.mark.parametrize(
    ("overload", "grows"), [("ScaleOut", True), ("ScaleOutThenReject", True), ("Reject", False)]
)
def test_only_under_reject_load_adds_no_replicas(overload: str, grows: bool):
    assert policy_of({"overload": {"policy": overload}}).grows is grows


@pytest.mark.parametrize(
    ("policy", "growth"),
    [
        (ScalingPolicy(max_replicas=3), Growth.CAN_GROW),
        (ScalingPolicy(max_replicas=2), Growth.CANNOT_GROW),
        (ScalingPolicy(max_replicas=1), Growth.CANNOT_GROW),
        (ScalingPolicy(max_replicas=3, grows=False), Growth.CANNOT_GROW),
        (ScalingPolicy(mode=Mode.MANUAL, max_replicas=3), Growth.NOT_OURS),
        (ScalingPolicy(mode=Mode.ADVISORY, max_replicas=3), Growth.NOT_OURS),
    ],
)
def test_before_the_first_decision_the_lease_says_what_the_bounds_allow(policy, growth):
    assert assume_growth(policy, TWO).growth is growth
