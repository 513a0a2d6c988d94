"""The second port: probes, metrics, the operator's sweep and the drain.

Threads of the standard library rather than the engine's event loop, so that it answers from the
first seconds on, while vLLM imports, and later when the loop is busy with tokens.
"""

import json
import logging
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import parse_qs, urlsplit

from prometheus_client import REGISTRY, CollectorRegistry

from vibethinker_server import names
from vibethinker_server.collector import (
    EvidenceCollector,
    FleetCollector,
    RequestCollector,
    render_fleet_page,
    render_metrics,
)
from vibethinker_server.fleet import DRAIN_GRACE_SECONDS
from vibethinker_server.fleet_token import carries_token
from vibethinker_server.phases import Phase
from vibethinker_server.policy_document import DocumentError, parse_sweep
from vibethinker_server.runtime import Runtime

# A policy of eight prompts of 4096 characters, each of which JSON may write in twelve.
MAX_BODY_BYTES = 512 * 1024
MAX_CONNECTIONS = 64
IDLE_SECONDS = 30.0
TEXT = "text/plain; version=0.0.4; charset=utf-8"
JSON = "application/json"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the ops port."""

    status: int
    body: bytes = b""
    kind: str = JSON


def _answer_json(status: int, value: Any) -> Answer:
    return Answer(status, json.dumps(value).encode())


class OpsRoutes:
    """What each route does, apart from HTTP."""

    def __init__(self, runtime: Runtime, engines: CollectorRegistry = REGISTRY) -> None:
        """Shows `runtime` and, on /metrics, the registry that the engine writes to."""
        self._runtime = runtime
        self._engines = engines
        self._fleet_page = FleetCollector(runtime)
        runtime.registry.register(self._fleet_page)
        runtime.registry.register(RequestCollector(runtime))
        runtime.registry.register(EvidenceCollector(runtime))

    def is_authorized(self, header: str | None) -> bool:
        """Returns whether `header` carries the fleet's token, in time that tells nothing."""
        token = self._runtime.token_file.read(self._runtime.clock.monotonic())
        return carries_token(header, token)

    def metrics(self, query: str) -> Answer:
        """Returns vLLM's page and ours, or the series of every `name[]` in the query."""
        wanted = set(parse_qs(query).get("name[]", ()))
        page = render_metrics(self._runtime.registry, self._engines, wanted)
        return Answer(200, page, TEXT)

    def ready(self) -> Answer:
        """Returns 200 while this pod serves, else 503; the phase either way."""
        phase = self._runtime.phase(self._runtime.clock.monotonic())
        return _answer_json(200 if phase is Phase.SERVING else 503, {"phase": phase})

    def drain(self) -> Answer:
        """Marks the drain and returns what is in flight, and whether the pod may end."""
        runtime, now = self._runtime, self._runtime.clock.monotonic()
        runtime.fleet.mark_drain(now)
        return _answer_json(200, self._drain_state(now))

    def undo_drain(self) -> Answer:
        """Ends the drain, unless a signal began it."""
        if not self._runtime.fleet.undo_drain():
            return _answer_json(409, {"error": "the process was told to end (SIGTERM)"})
        return _answer_json(200, self._drain_state(self._runtime.clock.monotonic()))

    def sweep(self, body: bytes) -> Answer:
        """Takes lease and policy and returns the small page; refuses what breaks a rule."""
        try:
            policy, lease = parse_sweep(body)
        except DocumentError as error:
            return _answer_json(400, {"error": str(error)})
        self._runtime.fleet.accept(policy, lease, self._runtime.clock.monotonic())
        return Answer(200, render_fleet_page(self._fleet_page), TEXT)

    def sessions(self, query: str) -> Answer:
        """Returns the sessions let in here that are new to a peer: by its epoch and number."""
        asked = parse_qs(query)
        journal = self._runtime.sessions.journal
        after = asked.get("after", ["0"])[0]
        same = asked.get("epoch") == [journal.epoch]
        number, entries = journal.after(int(after) if same and after.isdecimal() else 0)
        known = {"epoch": journal.epoch, "number": number, "sessions": entries}
        return _answer_json(200, known)

    def count_error(self) -> None:
        """Counts an error of ours that this port caught."""
        self._runtime.errors.add(names.WHERE_OPS)

    def _drain_state(self, now: float) -> dict[str, Any]:
        runtime = self._runtime
        drained_for = runtime.fleet.draining_seconds(now)
        in_flight = runtime.flights.count
        # A pod that never served has no endpoint to lose and nobody in flight.
        settled = not runtime.answering or (drained_for or 0.0) >= DRAIN_GRACE_SECONDS
        done = drained_for is not None and settled and in_flight == 0
        return {"inFlight": in_flight, "done": done}


class _Handler(BaseHTTPRequestHandler):
    """HTTP around OpsRoutes."""

    protocol_version = "HTTP/1.1"
    server: "OpsServer"
    timeout = IDLE_SECONDS
    # Headers and body in one packet: answers on kept connections would wait 40 ms otherwise, for
    # an acknowledgement.
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        self._respond()

    def do_POST(self) -> None:
        self._respond()

    def do_DELETE(self) -> None:
        self._respond()

    def version_string(self) -> str:
        return "vibethinker"

    def log_message(self, *_: Any) -> None:
        """Probes and sweeps would fill the log."""

    def _respond(self) -> None:
        body = self._read_body()
        if body is None:
            self._write(
                _answer_json(413, {"error": "send at most 512 KiB, with a length"}), last=True
            )
            return
        try:
            answer = self._route(body)
        except Exception:
            self.server.routes.count_error()
            log.exception("%s %s failed", self.command, self.path)
            answer = _answer_json(500, {"error": "see the log"})
        self._write(answer)

    def _read_body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdigit():
            return None
        return None if int(length) > MAX_BODY_BYTES else self.rfile.read(int(length))

    def _route(self, body: bytes) -> Answer:
        routes, url = self.server.routes, urlsplit(self.path)
        call = (self.command, url.path)
        if call == ("GET", names.PATH_METRICS):
            return routes.metrics(url.query)
        if call == ("GET", names.PATH_READY):
            return routes.ready()
        if not routes.is_authorized(self.headers.get("Authorization")):
            return _answer_json(401, {"error": "send the fleet's token as Bearer"})
        controls = {
            ("POST", names.PATH_FLEET): lambda: routes.sweep(body),
            ("GET", names.PATH_SESSIONS): lambda: routes.sessions(url.query),
            ("POST", names.PATH_DRAIN): routes.drain,
            ("DELETE", names.PATH_DRAIN): routes.undo_drain,
        }
        control = controls.get(call)
        return control() if control else _answer_json(404, {"error": "no such route"})

    def _write(self, answer: Answer, *, last: bool = False) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        if last:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)


class OpsServer(ThreadingHTTPServer):
    """A bounded number of connections, one thread each."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], routes: OpsRoutes) -> None:
        """Listens at once; `serve_forever` answers."""
        self.routes = routes
        self._seats = BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Gives the connection a thread, or closes it when all are taken."""
        if not self._seats.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serves one connection to its end."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._seats.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Passes over clients that leave in the middle, which the base class prints."""
        log.debug("the ops connection %s from %s broke", request, client_address)
