"""Answers every request with the same bytes in one epoll loop, to measure the generator alone.

python -m tests.bench.middleware.trivial_responder --port 8000 --request-bytes 2345 [--closes]
"""

import argparse
import select
import socket

ANSWER = b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 2\r\n%b\r\n{}"


def main() -> None:
    """Serves until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--request-bytes", type=int, required=True)
    parser.add_argument("--closes", action="store_true")
    options = parser.parse_args()
    answer = ANSWER % (b"connection: close\r\n" if options.closes else b"")
    listener = socket.create_server(("127.0.0.1", options.port), backlog=2048)
    listener.setblocking(False)
    respond(listener, options.request_bytes, answer, closes=options.closes)


def respond(listener: socket.socket, size: int, answer: bytes, *, closes: bool) -> None:
    """Answers once `size` bytes have come over a connection, for ever."""
    sockets: dict[int, socket.socket] = {}
    missing: dict[int, int] = {}
    poll = select.epoll()
    poll.register(listener.fileno(), select.EPOLLIN)
    while True:
        for number, _ in poll.poll():
            if number == listener.fileno():
                sock, _ = listener.accept()
                sock.setblocking(False)
                sockets[sock.fileno()], missing[sock.fileno()] = sock, size
                poll.register(sock.fileno(), select.EPOLLIN)
                continue
            sock = sockets[number]
            data = sock.recv(1 << 16)
            missing[number] -= len(data)
            if data and missing[number] > 0:
                continue
            if data:
                sock.send(answer)
                missing[number] = size
            if closes or not data:
                del sockets[number]
                sock.close()


if __name__ == "__main__":
    main()
