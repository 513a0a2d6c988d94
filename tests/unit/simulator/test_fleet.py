"""Pods that start, serve and go, as Kubernetes has them."""

import pytest
from vibethinker_simulator.fleet import Fleet
from vibethinker_simulator.sequence import NEWCOMER, Sequence

from tests.unit.simulator.builders import make_blueprint


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(make_blueprint(), start_seconds=60.0, clock=lambda: 0.0)


def numbers(fleet: Fleet) -> list[int]:
    return [pod.number for pod in fleet.active]


def keep_busy(fleet: Fleet, number: int, requests: int = 1) -> None:
    server = next(pod.server for pod in fleet.pods if pod.number == number)
    assert server is not None
    for n in range(requests):
        server.replica.submit(Sequence(10 * number + n, 0.0, NEWCOMER, 10, 10))


def test_first_pods_are_ready_and_later_ones_after_their_start(fleet: Fleet):
    fleet.start_warm(2, 0.0)
    assert len(fleet.serving) == 2
    fleet.set_replicas(3, 100.0)
    fleet.tick(159.0)
    assert (len(fleet.active), len(fleet.serving)) == (3, 2)
    fleet.tick(160.0)
    assert len(fleet.serving) == 3
    assert fleet.pods[2].observed.ready_since == 160.0


def test_the_cluster_shows_what_is_asked_for_and_every_pod(fleet: Fleet):
    fleet.start_warm(1, 0.0)
    fleet.set_replicas(2, 1.0)
    observed = fleet.observe()
    assert observed.spec_replicas == 2
    assert [pod.ready for pod in observed.active] == [True, False]


def test_what_is_not_ready_goes_first(fleet: Fleet):
    fleet.start_warm(2, 0.0)
    fleet.set_replicas(3, 1.0)
    fleet.set_replicas(2, 2.0)
    assert numbers(fleet) == [1, 2]


def test_then_the_lower_deletion_cost_whatever_is_younger(fleet: Fleet):
    fleet.start_warm(3, 0.0)
    fleet.pods[1].show(deletion_cost=-1000)
    fleet.set_replicas(2, 2.0)
    assert numbers(fleet) == [1, 3]


def test_a_drained_pod_goes_before_one_that_serves(fleet: Fleet):
    fleet.start_warm(2, 0.0)
    fleet.pods[0].show(ready=False, draining_since=1.0, deletion_cost=-1000)
    fleet.set_replicas(1, 12.0)
    assert numbers(fleet) == [2]


def test_then_the_one_that_got_ready_last(fleet: Fleet):
    fleet.start_warm(1, 0.0)
    fleet.set_replicas(2, 1.0)
    fleet.tick(61.0)
    fleet.set_replicas(1, 100.0)
    assert numbers(fleet) == [1]


def test_a_pod_that_is_told_to_end_takes_no_connection_and_ends_its_answers(fleet: Fleet):
    fleet.start_warm(2, 0.0)
    keep_busy(fleet, 2)
    fleet.set_replicas(1, 10.0)
    assert [server.number for server in fleet.serving] == [1]
    assert fleet.tick(11.0) == []
    assert len(fleet.pods) == 2
    server = fleet.pods[1].server
    assert server is not None
    server.replica.advance(12.0)
    assert fleet.tick(12.0) == []
    assert len(fleet.pods) == 1


def test_what_a_pod_still_has_after_its_grace_is_cut(fleet: Fleet):
    fleet.start_warm(2, 0.0)
    keep_busy(fleet, 2, requests=3)
    fleet.grace_seconds = 30.0
    fleet.set_replicas(1, 10.0)
    assert fleet.tick(39.0) == []
    assert fleet.tick(40.0) == [20, 21, 22]
    assert len(fleet.pods) == 1


def test_pods_cost_from_their_making_to_their_end(fleet: Fleet):
    fleet.start_warm(2, 0.0)
    fleet.set_replicas(3, 100.0)
    assert fleet.total_pod_seconds(150.0) == 2 * 150 + 50
    fleet.set_replicas(1, 150.0)
    fleet.tick(151.0)
    assert len(fleet.pods) == 1
    assert fleet.pod_seconds == 151 + 51
    assert fleet.total_pod_seconds(200.0) == 151 + 51 + 200


def test_a_pod_that_fails_starts_anew(fleet: Fleet):
    fleet.start_warm(1, 0.0)
    keep_busy(fleet, 1, requests=2)
    assert fleet.pods[0].fail(10.0) == [10, 11]
    assert fleet.serving == []
    fleet.tick(69.0)
    assert fleet.serving == []
    fleet.tick(70.0)
    assert len(fleet.serving) == 1
    assert fleet.pods[0].observed.restarts == 1


def test_addresses_and_names_are_each_pods_own(fleet: Fleet):
    fleet.start_warm(300, 0.0)
    assert len({pod.observed.ip for pod in fleet.pods}) == 300
    assert len({pod.observed.uid for pod in fleet.pods}) == 300
