"""The load generator: raw sockets in one epoll loop, request bytes made beforehand.

No HTTP library: one would cost more than the servers that are measured. Each connection has one
request on its way at a time. Every answer is checked; one that is wrong ends the measurement.
"""

import gc
import select
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import TypeVar

from tests.bench.middleware.answers import Kind, WrongAnswerError, is_whole, require_right

# One send takes a whole request. Where the kernel's first buffer does so anyway, a call less a
# connection is worth having: new connections are what the generator is slowest at.
ALWAYS_FITS = 8192
SEND_BUFFER = 1 << 18
RECEIVE = 1 << 18
STALL_SECONDS = 10.0

Item = TypeVar("Item")


@dataclass
class Offered:
    """What came of some seconds of load; latencies in seconds, by kind in the order given."""

    seconds: float
    latencies: list[list[float]]

    @property
    def answered(self) -> int:
        """Requests answered, all of them rightly."""
        return sum(map(len, self.latencies))


def offer(port: int, kinds: Sequence[Kind], *, connections: int, seconds: float) -> Offered:
    """Asks for `seconds` over `connections`, the kinds in turn.

    Raises:
        WrongAnswerError: an answer is not what its kind says, or none comes.
    """
    load = _Load(port, kinds)
    with _no_garbage():
        try:
            return load.run(connections, seconds)
        finally:
            load.close()


def ask(port: int, kind: Kind) -> bytes:
    """Returns one answer, head and body, checked.

    Raises:
        WrongAnswerError: it is not what `kind` says.
    """
    got = bytearray()
    with closing(_connect(port, len(kind.request))) as sock:
        sock.settimeout(STALL_SECONDS)
        sock.sendall(kind.request)
        while not _receive(sock, got):
            pass
    require_right(kind, got)
    return bytes(got)


def rotate(items: Sequence[Item], by: int) -> list[Item]:
    """Returns `items` from another one on, around to the one before it."""
    turn = by % len(items)
    return [*items[turn:], *items[:turn]]


@dataclass
class _Connection:
    kinds: Iterator[tuple[int, Kind]]
    sock: socket.socket | None = None
    number: int = 0
    kind: Kind | None = None
    sent: float = 0.0
    got: bytearray = field(default_factory=bytearray)


class _Load:
    """The connections of one measurement, by descriptor."""

    def __init__(self, port: int, kinds: Sequence[Kind]) -> None:
        self._port = port
        self._kinds = list(enumerate(kinds))
        self._latencies: list[list[float]] = [[] for _ in kinds]
        self._asking: dict[int, _Connection] = {}
        self._poll = select.epoll()

    def run(self, connections: int, seconds: float) -> Offered:
        began = time.perf_counter()
        until = began + seconds
        for index in range(connections):  # each begins with another kind
            self._ask(_Connection(cycle(rotate(self._kinds, index))))
        while self._asking:
            ready = self._poll.poll(STALL_SECONDS)
            if not ready:
                raise WrongAnswerError(f"no answer for {STALL_SECONDS:.0f} s")
            for descriptor, _ in ready:
                self._take(descriptor, until)
        return Offered(time.perf_counter() - began, self._latencies)

    def close(self) -> None:
        for connection in self._asking.values():
            if connection.sock is not None:
                connection.sock.close()
        self._poll.close()

    def _ask(self, connection: _Connection) -> None:
        connection.number, connection.kind = next(connection.kinds)
        request = connection.kind.request
        connection.got.clear()
        connection.sent = time.perf_counter()
        if connection.sock is None:
            connection.sock = _connect(self._port, len(request))
            connection.sock.setblocking(False)
            self._poll.register(connection.sock.fileno(), select.EPOLLIN)
        self._asking[connection.sock.fileno()] = connection
        if connection.sock.send(request) != len(request):
            raise WrongAnswerError("a request did not fit the socket's buffer")

    def _take(self, descriptor: int, until: float) -> None:
        connection = self._asking[descriptor]
        sock, kind = connection.sock, connection.kind
        assert sock is not None
        assert kind is not None
        if not _receive(sock, connection.got):
            return
        now = time.perf_counter()
        self._latencies[connection.number].append(now - connection.sent)
        require_right(kind, connection.got)
        del self._asking[descriptor]
        if kind.closes or now >= until:
            sock.close()
            connection.sock = None
        if now < until:
            self._ask(connection)


def _connect(port: int, request_bytes: int) -> socket.socket:
    """Returns a connection; on loopback the kernel completes it within the call."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if request_bytes > ALWAYS_FITS:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    sock.connect(("127.0.0.1", port))
    return sock


def _receive(sock: socket.socket, got: bytearray) -> bool:
    """Takes what has come; returns whether the answer is whole."""
    try:
        data = sock.recv(RECEIVE)
    except BlockingIOError:
        return False
    except OSError as error:
        raise WrongAnswerError(f"the connection failed: {error}") from None
    if not data:
        raise WrongAnswerError(f"the connection ended within an answer: {bytes(got[:300])!r}")
    got += data
    return is_whole(got)


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Keeps the collector from stopping the generator in the middle of a latency."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
