"""Which pod a request reaches."""

from collections import Counter

import pytest
from vibethinker_server.policy import Growth, Lease
from vibethinker_simulator.connections import LeastOutstanding, PooledConnections
from vibethinker_simulator.sequence import NEWCOMER, Sequence
from vibethinker_simulator.server import Server

from tests.unit.simulator.builders import make_server

OK, TOO_MANY, UNAVAILABLE = 200, 429, 503


@pytest.fixture
def servers() -> list[Server]:
    return [make_server(number) for number in (1, 2, 3)]


def test_a_connection_is_used_again_while_its_client_keeps_it(servers: list[Server]):
    routing = PooledConnections(1)
    first = routing.connect(servers, 0.0)
    routing.answer(first, OK, 0.5)
    routing.release(first, 1.0)
    assert routing.connect(servers, 5.9) is first


def test_a_connection_that_is_in_use_carries_no_second_request(servers: list[Server]):
    routing = PooledConnections(1)
    assert routing.connect(servers, 0.0) is not routing.connect(servers, 0.0)


def test_a_connection_is_gone_when_it_idled_for_five_seconds(servers: list[Server]):
    routing = PooledConnections(1)
    for connection in [routing.connect(servers, 0.0) for _ in range(3)]:
        routing.answer(connection, OK, 0.0)
        routing.release(connection, 0.0)
    late = routing.connect(servers, 5.0)
    assert late.opened == 5.0
    assert routing.connect(servers, 5.0).opened == 5.0


@pytest.mark.parametrize("status", [TOO_MANY, UNAVAILABLE])
def test_a_refusal_closes_its_connection(servers: list[Server], status: int):
    routing = PooledConnections(1)
    connection = routing.connect(servers, 0.0)
    routing.answer(connection, status, 0.0)
    routing.release(connection, 0.0)
    assert routing.connect(servers, 0.1) is not connection


@pytest.mark.parametrize(("age", "closes"), [(119.0, False), (120.0, True)])
def test_a_connection_serves_two_minutes_at_most(servers: list[Server], age: float, closes: bool):
    routing = PooledConnections(1)
    connection = routing.connect(servers, 0.0)
    routing.answer(connection, OK, age)
    assert connection.closing is closes


def test_a_draining_pod_and_a_fleet_that_grew_close_connections(servers: list[Server]):
    routing = PooledConnections(1)
    draining, moving, staying = (routing.connect([server], 0.0) for server in servers)
    servers[0].runtime.fleet.mark_drain(0.0)
    servers[1].runtime.fleet.accept(None, Lease(Growth.CAN_GROW, None, True, 10.0), 0.0)
    for connection in (draining, moving, staying):
        routing.answer(connection, OK, 0.0)
    assert [one.closing for one in (draining, moving, staying)] == [True, True, False]


@pytest.mark.parametrize("change", ["alive", "leaving"])
def test_a_connection_ends_with_its_pod(servers: list[Server], change: str):
    routing = PooledConnections(1)
    connection = routing.connect(servers[:1], 0.0)
    routing.answer(connection, OK, 0.0)
    routing.release(connection, 0.0)
    if change == "alive":
        servers[0].alive = False
    else:
        servers[0].leaving = True
    assert routing.connect(servers[1:], 0.1).server is not servers[0]


def place(seed: int, servers: list[Server]) -> list[int]:
    routing = PooledConnections(seed)
    return [routing.connect(servers, 0.0).server.number for _ in range(300)]


def test_connections_are_placed_at_random_by_the_seed(servers: list[Server]):
    assert place(1, servers) == place(1, servers)
    assert place(1, servers) != place(2, servers)
    assert all(70 < count < 130 for count in Counter(place(1, servers)).values())


def test_the_variant_takes_the_pod_with_the_fewest_requests(servers: list[Server]):
    routing = LeastOutstanding()
    assert routing.connect(servers, 0.0).server.number == 1
    servers[0].replica.submit(Sequence(0, 0.0, NEWCOMER, 10, 10))
    assert routing.connect(servers, 0.0).server.number == 2
