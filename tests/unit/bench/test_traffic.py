import json

import pytest

from tests.bench.middleware.traffic import build_body, build_request


@pytest.mark.parametrize("size", [256, 1024, 2048, 16 * 1024])
def test_a_body_has_its_size_to_the_byte_and_is_a_chat(size: int):
    body = build_body(size, max_tokens=64)
    assert len(body) == size
    chat = json.loads(body)
    assert chat["max_tokens"] == 64
    roles = [message["role"] for message in chat["messages"]]
    assert roles[0] == roles[-1] == "user"
    assert all(message["content"] for message in chat["messages"])


def test_a_size_that_holds_no_chat_is_refused():
    with pytest.raises(ValueError, match="does not fit 50 bytes"):
        build_body(50)


def test_a_request_says_how_long_its_body_is_and_whose_it_is():
    head, body = build_request(b'{"a":1}', ticket="t", key="sk-1").split(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert body == b'{"a":1}'
    assert {b"Content-Length: 7", b"Authorization: Bearer sk-1", b"X-Session-Ticket: t"} <= set(
        lines
    )
