import http.client
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from vibethinker_server import names, ops_server
from vibethinker_server.ops_server import OpsRoutes, OpsServer

from tests.support.policy_document import POLICY
from tests.support.server_runtime import Rig, make_rig
from tests.unit.server.test_policy import LEASE

SWEEP = json.dumps({"policy": POLICY, "lease": LEASE})
TOKEN = {"Authorization": "Bearer a fleet token"}


class Ops:
    """A running ops port with one kept connection to it."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.server = OpsServer(("127.0.0.1", 0), OpsRoutes(rig.runtime, CollectorRegistry()))
        self.port = self.server.server_address[1]
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self._thread.start()
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def call(
        self, method: str, path: str, body: str | None = None, headers: dict[str, str] = TOKEN
    ) -> tuple[int, str]:
        self.connection.request(method, path, body=body, headers=headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read().decode()

    def close(self) -> None:
        self.connection.close()
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


@pytest.fixture
def ops(tmp_path: Path) -> Iterator[Ops]:
    running = Ops(make_rig(tmp_path))
    yield running
    running.close()


def test_a_serving_pod_is_ready(ops: Ops):
    assert ops.call("GET", "/-/ready", headers={}) == (200, '{"phase": "Serving"}')


def test_a_draining_pod_is_not_ready_and_says_why(ops: Ops):
    ops.rig.runtime.fleet.mark_drain(0.0)
    assert ops.call("GET", "/-/ready", headers={}) == (503, '{"phase": "Draining"}')


def test_a_sweep_is_obeyed_and_answered_with_the_small_page(ops: Ops):
    status, page = ops.call("POST", "/-/fleet", SWEEP)
    assert status == 200
    assert "vibethinker_policy_generation 3.0" in page
    assert "vllm:" not in page
    fleet = ops.rig.runtime.fleet
    assert fleet.policy.generation == 3
    assert fleet.verdict(ops.rig.clock.now).move_connections


@pytest.mark.parametrize("body", ["", "{}", "null", json.dumps({"policy": POLICY})])
def test_a_wrong_sweep_is_refused_and_the_old_policy_stays(ops: Ops, body: str):
    status, answer = ops.call("POST", "/-/fleet", body)
    assert status == 400
    assert json.loads(answer)["error"]
    assert ops.rig.runtime.fleet.policy.generation == 7


@pytest.mark.parametrize(
    "route",
    [
        ("POST", "/-/fleet"),
        ("POST", "/-/drain"),
        ("DELETE", "/-/drain"),
        ("GET", "/-/nothing"),
        ("GET", "/"),
        ("POST", "/metrics"),
    ],
)
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="none"),
        pytest.param({"Authorization": "Bearer wrong"}, id="wrong"),
        pytest.param({"Authorization": "a fleet token"}, id="no Bearer"),
        pytest.param({"Authorization": "Basic a fleet token"}, id="Basic"),
        pytest.param({"Authorization": "Bearer a fleet token "[:-2]}, id="shortened"),
    ],
)
def test_without_the_token_nothing_is_told_or_done(
    ops: Ops, route: tuple[str, str], headers: dict[str, str]
):
    status, _ = ops.call(*route, SWEEP, headers)
    assert status == 401
    assert ops.rig.runtime.fleet.policy.generation == 7
    assert ops.rig.runtime.fleet.draining_seconds(ops.rig.clock.now) is None


def test_without_a_token_file_nobody_is_authorized(ops: Ops, tmp_path: Path):
    (tmp_path / "fleet-token").unlink()
    ops.rig.clock.advance(60)
    assert ops.call("POST", "/-/drain")[0] == 401
    assert ops.call("POST", "/-/drain", headers={"Authorization": "Bearer "})[0] == 401


def test_an_unknown_route_is_404_with_the_token(ops: Ops):
    assert ops.call("GET", "/-/nothing")[0] == 404


def test_a_drain_ends_when_the_grace_is_over_and_nobody_is_in_flight(ops: Ops):
    def drain() -> Any:
        status, answer = ops.call("POST", "/-/drain")
        assert status == 200
        return json.loads(answer)

    ops.rig.runtime.flights.count = 2
    assert drain() == {"inFlight": 2, "done": False}
    ops.rig.clock.advance(11)
    assert drain() == {"inFlight": 2, "done": False}
    ops.rig.runtime.flights.count = 0
    assert drain() == {"inFlight": 0, "done": True}


def test_a_pod_that_never_served_has_nothing_to_drain(ops: Ops):
    ops.rig.runtime.answering = False
    assert json.loads(ops.call("POST", "/-/drain")[1]) == {"inFlight": 0, "done": True}


def test_a_drain_is_undone_unless_a_signal_began_it(ops: Ops):
    ops.call("POST", "/-/drain")
    assert ops.call("DELETE", "/-/drain") == (200, '{"inFlight": 0, "done": false}')
    assert ops.call("GET", "/-/ready")[0] == 200
    ops.rig.runtime.fleet.mark_drain(0.0, by_signal=True)
    assert ops.call("DELETE", "/-/drain")[0] == 409
    assert ops.call("GET", "/-/ready")[0] == 503


def test_metrics_are_open_and_can_be_named(ops: Ops):
    ops.rig.runtime.ttft.labels("webui", "code")
    status, page = ops.call("GET", "/metrics", headers={})
    assert status == 200
    assert "vibethinker_memory_used_ratio 0.125" in page
    assert "vibethinker_time_to_first_token_seconds_bucket" in page
    query = "/metrics?name[]=vibethinker_draining&name%5B%5D=vibethinker_requests_running"
    _, named = ops.call("GET", query, headers={})
    lines = [line for line in named.splitlines() if not line.startswith("#")]
    assert sorted(lines) == ["vibethinker_draining 0.0", "vibethinker_requests_running 0.0"]


def test_a_body_too_large_is_refused_and_the_connection_closed(ops: Ops):
    headers = {**TOKEN, "Content-Length": str(512 * 1024 + 1)}
    ops.connection.putrequest("POST", "/-/fleet")
    for name, value in headers.items():
        ops.connection.putheader(name, value)
    ops.connection.endheaders()
    answer = ops.connection.getresponse()
    assert (answer.status, answer.getheader("Connection")) == (413, "close")


@pytest.mark.parametrize(
    "head", [b"Content-Length: x\r\n", b"Content-Length: -5\r\n", b"Transfer-Encoding: chunked\r\n"]
)
def test_a_body_without_an_honest_length_is_refused(ops: Ops, head: bytes):
    with socket.create_connection(("127.0.0.1", ops.port), timeout=10) as raw:
        raw.sendall(b"POST /-/fleet HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "garbage", [b"\0" * 100 + b"\r\n\r\n", b"GET\r\n\r\n", b"\xff / HTTP/9\r\n\r\n"]
)
def test_garbage_harms_nobody_else(ops: Ops, garbage: bytes):
    with socket.create_connection(("127.0.0.1", ops.port), timeout=10) as raw:
        raw.sendall(garbage)
        raw.recv(100)
    assert ops.call("GET", "/-/ready")[0] == 200


def test_connections_beyond_the_seats_are_closed_and_freed_seats_serve_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(ops_server, "MAX_CONNECTIONS", 2)
    ops = Ops(make_rig(tmp_path))
    try:
        assert ops.call("GET", "/-/ready")[0] == 200
        with socket.create_connection(("127.0.0.1", ops.port), timeout=10) as second:
            second.sendall(b"GET /-/ready HTTP/1.1\r\n\r\n")
            assert second.recv(100).startswith(b"HTTP/1.1 200")
            with socket.create_connection(("127.0.0.1", ops.port), timeout=10) as third:
                assert third.recv(100) == b""
        assert ops.call("GET", "/-/ready")[0] == 200
    finally:
        ops.close()


def test_an_error_of_ours_is_500_and_counted(ops: Ops, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: Any) -> Any:
        raise RuntimeError("on purpose")

    monkeypatch.setattr(ops_server, "parse_sweep", fail)
    assert ops.call("POST", "/-/fleet", SWEEP)[0] == 500
    assert ops.rig.runtime.errors.counts() == {names.WHERE_OPS: 1}
    assert ops.call("GET", "/-/ready")[0] == 200
