"""Many streams open at once: what a server holds for each of them."""

import resource
import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.bench.middleware.load import RECEIVE

# Descriptors beside the streams: logs, pipes, the interpreter's own.
SPARE_DESCRIPTORS = 256
# So many requests wait for their first chunk at once: fewer than a listener's backlog.
PENDING = 1000


class StreamError(Exception):
    """So many streams could not be opened; the message says how many could."""


@contextmanager
def open_streams(port: int, request: bytes, count: int, seconds: float) -> Iterator[None]:
    """Holds `count` streams open, each past its first chunk, until the block ends.

    Raises:
        StreamError: they were not all open within `seconds`, or one was refused.
    """
    require_descriptors(count)
    sockets: list[socket.socket] = []
    try:
        _open(port, request, count, time.monotonic() + seconds, sockets)
        yield
    finally:
        for sock in sockets:
            with suppress(OSError):
                sock.close()


def require_descriptors(count: int) -> None:
    """Lets this process and its children open `count` sockets.

    Raises:
        StreamError: the system's limit is lower.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = count + SPARE_DESCRIPTORS
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise StreamError(f"at most {hard} open files are allowed here, {needed} are needed")
    if soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def _open(
    port: int, request: bytes, count: int, deadline: float, sockets: list[socket.socket]
) -> None:
    started: dict[int, bytearray] = {}
    by_number: dict[int, socket.socket] = {}
    opened = 0
    with select.epoll() as poll:
        while opened < count:
            while len(started) < PENDING and len(sockets) < count:
                sock = socket.create_connection(("127.0.0.1", port), timeout=10)
                sockets.append(sock)
                sock.sendall(request)
                started[sock.fileno()] = bytearray()
                by_number[sock.fileno()] = sock
                poll.register(sock.fileno(), select.EPOLLIN)
            if time.monotonic() >= deadline:
                raise StreamError(f"only {opened} of {count} streams were open in time")
            for number, _ in poll.poll(0.5):
                data = by_number[number].recv(RECEIVE)
                if not data:
                    raise StreamError(f"stream {opened + 1} of {count} ended by itself")
                started[number] += data
                if b"data: " in started[number]:
                    _require_stream(started.pop(number))
                    poll.unregister(number)
                    opened += 1


def _require_stream(head: bytearray) -> None:
    if head[9:12] != b"200":
        raise StreamError(f"a stream was refused: {bytes(head[:200])!r}")
