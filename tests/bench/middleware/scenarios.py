"""What is measured, one function a question; each returns samples by contestant, one a round."""

import json
import subprocess
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field

from tests.bench.middleware.answers import Kind
from tests.bench.middleware.apps import AGAIN, BARE, BASE, OURS
from tests.bench.middleware.arena import (
    Arena,
    examine,
    known,
    obtain_ticket,
    refusal,
    stream_of,
    whole_answer,
)
from tests.bench.middleware.load import ask
from tests.bench.middleware.peer import NAME as PEER
from tests.bench.middleware.processes import Served, find_server_python
from tests.bench.middleware.rounds import Cost, in_rounds, measure_cost
from tests.bench.middleware.streams import StreamError, open_streams
from tests.bench.middleware.traffic import build_body, build_request
from tests.e2e.engine_process import ROOT, SERVER

ROUNDS = 5
SECONDS = 0.5
CONNECTIONS = 32
SHORT, LONG = 8, 264
SIZES = {"1k": 1024, "16k": 16 * 1024}
STREAMS = 5000
STREAMS_SECONDS = 15.0
# For one question, all its rounds: the whole run stays within four minutes on a busy machine too.
BUDGET_SECONDS = 14.0
KEEP_ALIVE = "bare_keep_alive"
IN_PROCESS_SECONDS = 60.0

Costs = dict[str, list[Cost]]
InProcess = dict[str, dict[str, list[float]]]


@dataclass
class Memory:
    """Memory with 5,000 streams open and with none, or why it is not known."""

    idle_bytes: int
    open_bytes: int | None = None
    reason: str = ""


@dataclass
class Measured:
    """Everything one run has measured."""

    generator: dict[str, list[Cost]] = field(default_factory=dict)
    requests: dict[str, Costs] = field(default_factory=dict)
    alone: Costs = field(default_factory=dict)
    chunks: dict[str, list[tuple[Cost, Cost]]] = field(default_factory=dict)
    refusals: Costs = field(default_factory=dict)
    mixed: Costs = field(default_factory=dict)
    memory: dict[str, Memory] = field(default_factory=dict)
    in_process: InProcess = field(default_factory=dict)


def measure_generator(arena: Arena) -> Costs:
    """Returns how fast the load generator is where nothing is in its way."""
    found: Costs = {}
    for name, closes in (("kept", False), ("closed", True)):
        kind = refusal(closes=closes)
        with arena.respond_trivially(len(kind.request), closes=closes) as served:
            found |= _load({name: served}, kind, CONNECTIONS)
    return found


def measure_serving(arena: Arena, measured: Measured) -> str:
    """Measures servers that have room; returns a ticket of our own."""
    with ExitStack() as stack:
        contestants = _enter(stack, arena)
        for name, served in contestants.items():
            examine(name, served)
        for size, length in SIZES.items():
            measured.requests[size] = _load(contestants, whole_answer(length), CONNECTIONS)
        measured.alone = _load(contestants, whole_answer(1024), 1)
        measured.chunks = in_rounds(
            contestants,
            ROUNDS,
            lambda one: (_cost(one, stream_of(SHORT)), _cost(one, stream_of(LONG))),
            seconds=2 * BUDGET_SECONDS,
        )
        return obtain_ticket(contestants[OURS])


def measure_full(arena: Arena, measured: Measured, ticket: str) -> None:
    """Measures servers that refuse newcomers: refusals alone, then with known sessions between."""
    with ExitStack() as stack:
        contestants = {
            name: stack.enter_context(arena.serve(name, "--saturated"))
            for name in (BARE, OURS, BASE)
        }
        kept = stack.enter_context(arena.serve(BARE, "--saturated", "--keep-alive"))
        newcomer, regular = refusal(closes=True), known(ticket)
        for served in contestants.values():
            ask(served.port, newcomer)
            ask(served.port, regular)
        measured.refusals = in_rounds(
            contestants | {KEEP_ALIVE: kept},
            ROUNDS,
            lambda one: _cost(one, refusal(closes=one is not kept)),
            seconds=BUDGET_SECONDS,
        )
        measured.mixed = in_rounds(
            contestants,
            ROUNDS,
            lambda one: _cost(one, newcomer, regular),
            seconds=BUDGET_SECONDS,
        )


def measure_memory(arena: Arena) -> dict[str, Memory]:
    """Returns what each contestant holds with STREAMS open, one contestant at a time."""
    places: dict[str, AbstractContextManager[Served]] = {
        name: arena.serve(name, "--held") for name in (BARE, OURS, BASE)
    }
    if arena.peer is not None:
        places[PEER] = arena.serve_peer("--held")
    found = {}
    request = build_request(build_body(1024, max_tokens=64, stream=True))
    for name, place in places.items():
        with place as served:
            ask(served.port, whole_answer(1024))
            found[name] = Memory(served.rss_bytes())
            try:
                with open_streams(served.port, request, STREAMS, STREAMS_SECONDS):
                    found[name].open_bytes = served.rss_bytes()
            except (StreamError, OSError) as error:
                found[name].reason = str(error)
    return found


def measure_in_process(arena: Arena) -> InProcess:
    """Returns what requests cost without sockets, measured in a process on the server's core."""
    command = [
        *("taskset", "--cpu-list", str(arena.cores.server), find_server_python()),
        *("-m", "tests.bench.middleware.in_process", "--files", str(arena.files)),
    ]
    path = ":".join(map(str, [arena.site, SERVER, ROOT]))
    done = subprocess.run(
        command,
        env={"PYTHONPATH": path, "PYTHONHASHSEED": "0", "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=IN_PROCESS_SECONDS,
    )
    samples: InProcess = json.loads(done.stdout)
    return samples


def _enter(stack: ExitStack, arena: Arena) -> Mapping[str, Served]:
    contestants = {name: stack.enter_context(arena.serve(name)) for name in (BARE, OURS, BASE)}
    contestants[AGAIN] = stack.enter_context(arena.serve(BARE))
    if arena.peer is not None:
        contestants[PEER] = stack.enter_context(arena.serve_peer())
    return contestants


def _load(contestants: Mapping[str, Served], kind: Kind, connections: int) -> Costs:
    return in_rounds(
        contestants,
        ROUNDS,
        lambda one: _cost(one, kind, connections=connections),
        seconds=BUDGET_SECONDS,
    )


def _cost(served: Served, *kinds: Kind, connections: int = CONNECTIONS) -> Cost:
    return measure_cost(served, kinds, connections=connections, seconds=SECONDS)
