"""Pods that tell each other over their real ops ports whom they let in."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from vibethinker_server import peer_reader
from vibethinker_server.ops_server import OpsRoutes, OpsServer
from vibethinker_server.peer_reader import PeerReader

from tests.support.server_runtime import Rig, make_lease, make_rig

NAME = b"n" * 16
HERE, THERE, NOBODY = "127.0.0.1", "127.0.0.2", "127.0.0.3"


class Pod:
    """A pod's runtime behind its ops port at one address of loopback."""

    def __init__(self, directory: Path, address: str, port: int) -> None:
        directory.mkdir()
        self.rig = make_rig(directory, opsPort=port)
        routes = OpsRoutes(self.rig.runtime, CollectorRegistry())
        self._server = OpsServer((address, port), routes)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.reader = PeerReader(self.rig.runtime)

    def told_of(self, *peers: str) -> None:
        lease = make_lease(peers=peers, ttl_seconds=1e-9)
        self.rig.runtime.fleet.accept(None, lease, self.rig.clock.now)

    def read(self) -> None:
        with ThreadPoolExecutor(2) as pool:
            self.reader.read(pool)

    def knows(self, name: bytes = NAME) -> bool:
        return self.rig.runtime.peer_sessions.knows(name, self.rig.clock.unix())

    def let_in(self, name: bytes = NAME) -> None:
        unix = self.rig.clock.unix()
        self.rig.runtime.sessions.renew(name, None, name, unix + 900, unix)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def pods(tmp_path: Path) -> Iterator[tuple[Pod, Pod]]:
    with socket.create_server((HERE, 0)) as free:
        port = free.getsockname()[1]
    here, there = Pod(tmp_path / "a", HERE, port), Pod(tmp_path / "b", THERE, port)
    here.told_of(HERE, THERE, NOBODY)
    yield here, there
    here.close()
    there.close()


def test_a_session_let_in_there_is_known_here_a_round_later(pods: tuple[Pod, Pod]):
    here, there = pods
    there.let_in()
    assert not here.knows()
    here.read()
    assert here.knows()
    there.let_in(b"m" * 16)
    here.read()
    assert here.knows(b"m" * 16)


def test_what_was_told_is_not_told_again(pods: tuple[Pod, Pod], monkeypatch: pytest.MonkeyPatch):
    here, there = pods
    told: list[Any] = []
    ask = peer_reader.ask_peer

    def record(*args: Any) -> Any:
        told.append(ask(*args))
        return told[-1]

    monkeypatch.setattr(peer_reader, "ask_peer", record)
    there.let_in()
    here.read()
    here.read()
    sizes = [len(one["sessions"]) for one in told if one["epoch"] == there_epoch(there)]
    assert sizes == [1, 0]


def there_epoch(pod: Pod) -> str:
    return pod.rig.runtime.sessions.journal.epoch


def test_a_pod_does_not_take_its_own_word(pods: tuple[Pod, Pod]):
    here, _ = pods
    here.let_in()
    here.read()
    here.read()
    assert not here.knows()


def test_a_peer_that_started_anew_is_read_from_the_beginning(pods: tuple[Pod, Pod]):
    here, there = pods
    for name in (b"1" * 16, b"2" * 16, b"3" * 16):
        there.let_in(name)
    here.read()
    there.rig.runtime.sessions.__init__()  # type: ignore[misc]
    there.let_in()
    here.read()
    assert here.knows()


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"epoch": "a", "number": 1, "sessions": [["61", "soon"]]},
        {"epoch": "a", "number": "x", "sessions": []},
        {"epoch": "a", "number": 1, "sessions": 7},
        [],
    ],
)
def test_a_peer_that_talks_nonsense_costs_nothing_else(
    pods: tuple[Pod, Pod], monkeypatch: pytest.MonkeyPatch, answer: Any
):
    here, there = pods
    monkeypatch.setattr(peer_reader, "ask_peer", lambda *_: answer)
    here.read()
    monkeypatch.undo()
    there.let_in()
    here.read()
    assert here.knows()
    assert here.rig.runtime.errors.counts() == {}


def test_an_answer_without_end_is_not_taken(pods: tuple[Pod, Pod], monkeypatch: pytest.MonkeyPatch):
    here, there = pods
    there.let_in()
    monkeypatch.setattr(peer_reader, "MAX_ANSWER_BYTES", 10)
    here.read()
    assert not here.knows()


def test_in_a_large_fleet_every_peer_has_its_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    rig: Rig = make_rig(tmp_path)
    asked: list[str] = []

    def note(peer: str, *_: Any) -> Any:
        asked.append(peer)
        raise OSError

    monkeypatch.setattr(peer_reader, "ask_peer", note)
    everybody = tuple(f"10.0.0.{number}" for number in range(100))
    rig.runtime.fleet.accept(None, make_lease(peers=everybody), rig.clock.now)
    reader = PeerReader(rig.runtime)
    with ThreadPoolExecutor(2) as pool:
        reader.read(pool)
        assert len(asked) == peer_reader.MAX_PEERS
        for _ in range(3):
            reader.read(pool)
    assert set(asked) == set(everybody)


@pytest.mark.parametrize("token", [None, "Bearer something else"])
def test_nobody_else_is_told(pods: tuple[Pod, Pod], token: str | None):
    here, _ = pods
    connection = http.client.HTTPConnection(HERE, here.rig.runtime.settings.ops_port, timeout=10)
    headers = {} if token is None else {"Authorization": token}
    connection.request("GET", "/-/sessions", headers=headers)
    assert connection.getresponse().status == 401
    connection.close()


@pytest.mark.parametrize("query", ["", "?after=-1", "?after=x&epoch=y", "?after=99999999999999"])
def test_any_question_of_the_operators_is_answered(pods: tuple[Pod, Pod], query: str):
    here, _ = pods
    here.let_in()
    connection = http.client.HTTPConnection(HERE, here.rig.runtime.settings.ops_port, timeout=10)
    headers = {"Authorization": "Bearer a fleet token"}
    connection.request("GET", f"/-/sessions{query}", headers=headers)
    answer = json.loads(connection.getresponse().read())
    assert [name for name, _ in answer["sessions"]] == [NAME[:8].hex()]
    connection.close()
