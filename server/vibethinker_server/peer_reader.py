"""Asks the fleet's other pods, every second, which sessions they let in: a thread of its own.

A client that keeps no ticket is then known wherever its next turn lands. A peer that does not
answer costs recognition and nothing else.
"""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from threading import Event
from typing import Any
from urllib.parse import urlencode

from vibethinker_server import names
from vibethinker_server.runtime import Runtime

INTERVAL_SECONDS = 1.0
TIMEOUT_SECONDS = 1.0
# Asked in one round. In a larger fleet each peer's turn comes every few rounds.
MAX_PEERS = 32
CONCURRENCY = 8
MAX_ANSWER_BYTES = 2 * 1024 * 1024
OK = 200

log = logging.getLogger(__name__)


@dataclass
class Cursor:
    """How far one peer's journal has been read."""

    epoch: str = ""
    number: int = 0


class PeerReader:
    """Reads the journals of the pods that the last lease named."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._cursors: dict[str, Cursor] = {}
        self._next = 0

    def run(self, stop: Event) -> None:
        """Reads until `stop` is set. An error costs one round and is counted."""
        with ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="vibethinker-peers") as pool:
            while not stop.wait(INTERVAL_SECONDS):
                try:
                    self.read(pool)
                except Exception:
                    what = "reading the peers' sessions failed; the next round is due"
                    self._runtime.count_error(names.WHERE_PEERS, log, what)

    def read(self, pool: ThreadPoolExecutor) -> None:
        """Asks each peer whose turn it is, once."""
        peers = self._runtime.fleet.peers
        self._cursors = {peer: self._cursors.get(peer, Cursor()) for peer in peers}
        list(pool.map(self._read_peer, self._turns(peers)))

    def _turns(self, peers: tuple[str, ...]) -> list[str]:
        first, self._next = self._next, self._next + MAX_PEERS
        if len(peers) <= MAX_PEERS:
            return list(peers)
        return [peers[(first + step) % len(peers)] for step in range(MAX_PEERS)]

    def _read_peer(self, peer: str) -> None:
        cursor = self._cursors[peer]
        token = self._runtime.token_file.read(self._runtime.clock.monotonic())
        if token is None or cursor.epoch == self._runtime.sessions.journal.epoch:
            return  # the second: it is this pod
        try:
            answer = ask_peer(peer, self._runtime.settings.ops_port, token, cursor)
            entries = [(str(name), int(expires)) for name, expires in answer["sessions"]]
            cursor.epoch, cursor.number = str(answer["epoch"]), int(answer["number"])
        except (OSError, HTTPException, ValueError, LookupError, TypeError) as error:
            log.debug("peer %s did not tell its sessions: %s", peer, error)
            return
        if cursor.epoch != self._runtime.sessions.journal.epoch:
            self._runtime.peer_sessions.merge(entries, self._runtime.clock.unix())


def ask_peer(peer: str, port: int, token: bytes, cursor: Cursor) -> Any:
    """Returns what `peer` (an address) tells beyond `cursor`: epoch, number, sessions.

    Raises:
        OSError, HTTPException: it could not be reached, or said something else than 200.
        ValueError: its answer is too long, or no JSON.
    """
    query = urlencode({"epoch": cursor.epoch, "after": cursor.number})
    connection = HTTPConnection(peer, port, timeout=TIMEOUT_SECONDS)
    try:
        headers = {"Authorization": f"Bearer {token.decode()}", "Connection": "close"}
        connection.request("GET", f"{names.PATH_SESSIONS}?{query}", headers=headers)
        answer = connection.getresponse()
        if answer.status != OK:
            raise HTTPException(f"status {answer.status}")
        body = answer.read(MAX_ANSWER_BYTES + 1)
    finally:
        connection.close()
    if len(body) > MAX_ANSWER_BYTES:
        raise ValueError(f"more than {MAX_ANSWER_BYTES} bytes")
    return json.loads(body)
