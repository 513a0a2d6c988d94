"""A server on loopback that answers with bytes written beforehand, right or wrong."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread


@contextmanager
def scripted_server(*answers: bytes, ends: bool = False) -> Iterator[int]:
    """Yields the port of a server that gives each request the next answer, then hangs up.

    Every answer has a connection of its own where it says `connection: close` or where `ends` is
    set; all others share one.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    thread = Thread(target=_serve, args=(listener, answers, ends))
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        thread.join()
        listener.close()


def _serve(listener: socket.socket, answers: tuple[bytes, ...], ends: bool) -> None:
    connection = None
    for answer in answers:
        if connection is None:
            connection, _ = listener.accept()
        connection.recv(1 << 16)
        connection.sendall(answer)
        if ends or b"connection: close" in answer:
            connection.close()
            connection = None
    if connection is not None:
        connection.close()
