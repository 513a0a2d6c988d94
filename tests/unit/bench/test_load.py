from typing import Any

import pytest

from tests.bench.middleware.answers import Kind, WrongAnswerError, find_fault, is_whole
from tests.bench.middleware.arena import examine
from tests.bench.middleware.load import offer
from tests.bench.middleware.processes import Served
from tests.support.scripted_server import scripted_server

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
REFUSED = b"HTTP/1.1 429 No\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"
STREAM = (
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    b"9\r\ndata: {}\n\r\ne\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"
)


# The same, as a proxy passes it on that cuts where its buffer ends.
RECUT = (
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    b"3\r\ndat\r\n7\r\na: {}\n\n\r\n4\r\ndata\r\na\r\n: [DONE]\n\n\r\n0\r\n\r\n"
)


@pytest.mark.parametrize("answer", [WHOLE, REFUSED, STREAM, RECUT])
def test_an_answer_is_whole_with_its_last_byte_and_not_before(answer: bytes):
    assert is_whole(answer)
    assert not any(is_whole(answer[:end]) for end in range(len(answer)))


@pytest.mark.parametrize(
    ("kind", "answer", "fault"),
    [
        (Kind(b""), WHOLE, None),
        (Kind(b"", 429, closes=True), REFUSED, None),
        (Kind(b"", events=2), STREAM, None),
        (Kind(b"", events=2), RECUT, None),
        (Kind(b"", events=3), RECUT, "2 events, not 3"),
        (Kind(b""), REFUSED, "not a 200"),
        (Kind(b"", 429), WHOLE, "not a 429"),
        (Kind(b"", 429), REFUSED, "closes its connection"),
        (Kind(b"", closes=True), WHOLE, "does not close its connection"),
        (Kind(b""), WHOLE.replace(b"{}", b"no"), "no JSON object"),
        (Kind(b"", events=3), STREAM, "2 events, not 3"),
        (Kind(b"", events=1), STREAM.replace(b"data: [DONE]", b"done"), "no end of the stream"),
    ],
)
def test_an_answer_is_held_to_what_it_has_to_be(kind: Kind, answer: bytes, fault: str | None):
    assert find_fault(kind, answer) == fault


def test_every_right_answer_is_counted_for_its_kind():
    # No time at all: one request is asked for all the same, and its answer awaited.
    with scripted_server(WHOLE) as port:
        offered = offer(port, [Kind(b"x"), Kind(b"y", 429)], connections=1, seconds=0)
    assert offered.answered == len(offered.latencies[0]) == 1
    assert offered.latencies[1] == []


@pytest.mark.parametrize("answer", [REFUSED, WHOLE[:-1], b""])
def test_a_wrong_answer_ends_the_measurement(answer: bytes):
    with scripted_server(answer) as port, pytest.raises(WrongAnswerError):
        offer(port, [Kind(b"x")], connections=1, seconds=0)


def test_a_contestant_that_answers_wrongly_is_named_before_anything_is_measured():
    no_process: Any = None
    with scripted_server(REFUSED) as port, pytest.raises(WrongAnswerError, match="ours: not a 200"):
        examine("ours", Served(port, no_process))
