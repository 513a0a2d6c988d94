"""What a sweep tells a pod: the lease always, the policy until the pod obeys it."""

import pytest
from vibethinker_operator.lease import add_policy, build_fleet_message
from vibethinker_operator.scaling import Growth, GrowthVerdict
from vibethinker_operator.windows import Windows

from tests.unit.deciding.builders import START, make_observed, make_pod, make_sample

DOCUMENT = {"generation": 5, "profiles": [{"systemPrompt": "long"}]}
GROWTH = GrowthVerdict(Growth.CAN_GROW, START + 30, "below maxReplicas")
MESSAGE = build_fleet_message(GROWTH, make_observed(make_pod()), START)


def test_the_lease_goes_to_every_pod_every_time():
    assert MESSAGE == {
        "lease": {
            "growth": "CanGrow",
            "reliefSeconds": 30.0,
            "moveConnections": False,
            "ttlSeconds": 10,
            "peers": ["10.0.0.1"],
        }
    }


@pytest.mark.parametrize(
    ("reported", "sent"),
    [
        pytest.param([], True, id="a pod that was never heard"),
        pytest.param([None], True, id="an engine that reports none"),
        pytest.param([4.0], True, id="an older one"),
        pytest.param([5.0], False, id="this one"),
        pytest.param([5.0, 0.0], True, id="a container that started anew with its defaults"),
        pytest.param([4.0, 5.0], False, id="this one since the last sweep"),
        pytest.param([6.0], True, id="one that is none of ours"),
    ],
)
def test_the_policy_goes_to_pods_that_do_not_obey_it(reported: list[float | None], sent: bool):
    windows = Windows()
    for second, generation in enumerate(reported):
        time = START + second
        sample = make_sample("a", time, policy_generation=generation)
        windows = windows.record([sample], {"a"}, time)
    message = add_policy(MESSAGE, DOCUMENT, "a", windows)
    assert message["lease"] == MESSAGE["lease"]
    assert message.get("policy") == (DOCUMENT if sent else None)
