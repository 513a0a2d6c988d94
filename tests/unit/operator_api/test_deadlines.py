import pytest
from vibethinker_operator.deadlines import (
    ENDPOINT_SETTLE_SECONDS,
    LONGEST_DRAIN_SECONDS,
    PROBE_PERIOD_SECONDS,
    TEARDOWN_SECONDS,
    WORST_SECONDS_PER_TOKEN,
    derive_deadlines,
    derive_drain_deadline_seconds,
)
from vibethinker_operator.resources import build_deployment
from vibethinker_operator.resources.engine_settings import render_engine_settings

from tests.unit.operator_api.resource import choose_first, make_resource

SPECS = [
    pytest.param({}, id="defaults"),
    pytest.param({"scaling": {"startupDeadlineSeconds": 61}}, id="odd start-up"),
    pytest.param({"scaling": {"provisioningDeadlineSeconds": 7200}}, id="long provisioning"),
    pytest.param({"engine": {"maxModelLen": 40_960}}, id="long answers"),
]


@pytest.mark.parametrize("spec", SPECS)
def test_all_time_limits_of_a_fleet_agree(spec):
    resource = make_resource(spec)
    scaling = resource.spec.scaling
    deployment = build_deployment(resource, choose_first(resource))["spec"]
    pod = deployment["template"]["spec"]
    startup = pod["containers"][0]["startupProbe"]

    budget = startup["failureThreshold"] * startup["periodSeconds"]
    assert 0 <= budget - scaling.startup_deadline_seconds < PROBE_PERIOD_SECONDS
    supply = scaling.startup_deadline_seconds + scaling.provisioning_deadline_seconds
    assert deployment["progressDeadlineSeconds"] == supply + 60
    drain = render_engine_settings(resource.spec)["drainSeconds"]
    assert pod["terminationGracePeriodSeconds"] == drain + TEARDOWN_SECONDS


def test_a_pod_waits_long_enough_for_the_longest_answer_it_could_be_giving():
    deadlines = derive_deadlines(make_resource().spec)
    assert deadlines.drain_seconds >= ENDPOINT_SETTLE_SECONDS + 4096 * WORST_SECONDS_PER_TOKEN


def test_the_operator_waits_for_the_largest_token_limit_only():
    resource = make_resource({"tokenLimits": {"math": 512, "code": 768, "qa": 256}})
    assert derive_drain_deadline_seconds(resource.spec) == 10 + 192


def test_the_operator_never_waits_longer_than_the_pod_itself():
    spec = make_resource({"tokenLimits": {"code": 4095}}).spec
    assert derive_drain_deadline_seconds(spec) <= derive_deadlines(spec).drain_seconds


@pytest.mark.parametrize(
    "limits", [{"preset": "Reasoning"}, {"others": [{"name": "proof", "tokens": 3072}]}]
)
def test_the_operator_waits_for_presets_and_further_tasks_too(limits):
    spec = make_resource({"tokenLimits": limits}).spec
    assert derive_drain_deadline_seconds(spec) == 10 + 768


def test_no_pod_holds_a_node_for_ever():
    spec = make_resource({"engine": {"maxModelLen": 131_072}}).spec
    assert derive_deadlines(spec).drain_seconds == LONGEST_DRAIN_SECONDS
