import pytest
from vibethinker_server.connections import (
    MAX_AGE_SECONDS,
    MAX_CONNECTIONS,
    Connections,
    should_close,
)
from vibethinker_server.fleet import ALONE, Verdict
from vibethinker_server.policy import Growth

STAY = Verdict(Growth.CAN_GROW, None, move_connections=False)
MOVE = Verdict(Growth.CAN_GROW, None, move_connections=True)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize(
    ("status", "age", "verdict", "draining", "closes"),
    [
        (200, 0.0, STAY, None, False),
        (200, 0.0, ALONE, None, False),
        (400, 0.0, STAY, None, False),
        (429, 0.0, STAY, None, True),
        (503, 0.0, STAY, None, True),
        (200, 0.0, MOVE, None, True),
        (200, 0.0, STAY, 0.0, True),
        (200, MAX_AGE_SECONDS - 0.1, STAY, None, False),
        (200, MAX_AGE_SECONDS, STAY, None, True),
    ],
)
def test_which_answers_close(
    *,
    version: str,
    status: int,
    age: float,
    verdict: Verdict,
    draining: float | None,
    closes: bool,
):
    assert should_close(version, status, age, verdict, draining) is closes
    assert not should_close("2", status, age, verdict, draining)


def test_a_connections_age_counts_from_its_first_request():
    connections = Connections()
    assert connections.age_seconds(("10.0.0.1", 5000), 100.0) == 0.0
    assert connections.age_seconds(("10.0.0.1", 5000), 221.0) == 121.0
    assert connections.age_seconds(("10.0.0.1", 5001), 221.0) == 0.0


def test_a_closed_connections_port_may_come_again():
    connections = Connections()
    connections.age_seconds(("10.0.0.1", 5000), 100.0)
    connections.forget(("10.0.0.1", 5000))
    assert connections.age_seconds(("10.0.0.1", 5000), 400.0) == 0.0


def test_a_client_without_an_address_is_always_new():
    connections = Connections()
    connections.forget(None)
    assert [connections.age_seconds(None, now) for now in (0.0, 500.0)] == [0.0, 0.0]


def test_only_so_many_connections_are_kept_in_mind():
    connections = Connections()
    for port in range(MAX_CONNECTIONS + 10):
        connections.age_seconds(("10.0.0.1", port), 0.0)
    assert connections.age_seconds(("10.0.0.1", 0), 50.0) == 0.0
    assert connections.age_seconds(("10.0.0.1", MAX_CONNECTIONS), 50.0) == 50.0
