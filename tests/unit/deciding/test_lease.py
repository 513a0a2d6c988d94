"""What the pods are told."""

import json

import pytest
from vibethinker_operator.lease import build_fleet_message, has_grown
from vibethinker_operator.scaling import Growth, GrowthVerdict

from tests.unit.deciding.builders import START, make_observed, make_pod, make_starting

OLD = make_pod("a")


def lease(growth: GrowthVerdict, *pods):
    message = build_fleet_message(growth, make_observed(*pods or (OLD,)), START)
    return message["lease"]


def test_the_message_is_the_lease_and_nothing_else():
    growth = GrowthVerdict(Growth.CAN_GROW, START + 42.5, "1 on their way")
    message = build_fleet_message(growth, make_observed(OLD), START)
    assert json.loads(json.dumps(message)) == {
        "lease": {
            "growth": "CanGrow",
            "reliefSeconds": 42.5,
            "moveConnections": False,
            "ttlSeconds": 10,
            "peers": ["10.0.0.1"],
        },
    }


def test_pods_hear_of_every_pod_that_has_an_address():
    growth = GrowthVerdict(Growth.CAN_GROW, None, "below maxReplicas")
    pods = [OLD, make_pod("b", ip="10.0.0.3"), make_pod("c", ip="10.0.0.2"), make_pod("d", ip=None)]
    assert lease(growth, *pods)["peers"] == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]


@pytest.mark.parametrize(
    ("growth", "word"),
    [
        (Growth.CAN_GROW, "CanGrow"),
        (Growth.CANNOT_GROW, "CannotGrow"),
        (Growth.NOT_OURS, "NotOurs"),
    ],
)
def test_the_verdict_is_passed_on(growth, word):
    assert lease(GrowthVerdict(growth, None, ""))["growth"] == word


def test_relief_that_nobody_can_name_is_null_and_overdue_relief_is_now():
    assert lease(GrowthVerdict(Growth.CAN_GROW, None, ""))["reliefSeconds"] is None
    assert lease(GrowthVerdict(Growth.CAN_GROW, START - 9, ""))["reliefSeconds"] == 0.0


@pytest.mark.parametrize(
    ("ready_since", "moves"), [(START - 1, True), (START - 59.9, True), (START - 60, False)]
)
def test_connections_move_in_the_minute_after_a_pod_joined(ready_since, moves):
    assert has_grown(make_observed(OLD, make_pod("b", ready_since=ready_since)), START) is moves


def test_a_first_pod_has_nobody_to_take_connections_from():
    assert not has_grown(make_observed(make_pod("a", ready_since=START - 1)), START)


def test_pods_that_came_together_share_their_clients_already():
    pods = [make_pod(uid, ready_since=START - 5) for uid in "abc"]
    assert not has_grown(make_observed(*pods), START)


def test_a_pod_on_its_way_or_drained_moves_nobody():
    starting = make_starting("b", created=START - 5)
    drained = make_pod("c", ready_since=START - 5, draining_since=START - 1)
    assert not has_grown(make_observed(OLD, starting, drained), START)
