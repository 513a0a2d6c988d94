import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vibethinker_server import request_body
from vibethinker_server.openai_errors import OpenAIError
from vibethinker_server.request_body import (
    MAX_BODY_BYTES,
    ClientGoneError,
    engine_headers,
    parse_request,
    read_body,
    replay,
)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


JSON = [(b"content-type", b"application/json")]


def receiving(messages: Iterable[dict[str, Any]]) -> request_body.Receive:
    waiting = list(messages)

    async def receive() -> Any:
        if waiting:
            return waiting.pop(0)
        return await asyncio.get_running_loop().create_future()

    return receive


def part(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_a_body_in_parts_is_put_together():
    receive = receiving([part(b'{"a"', more=True), part(b"", more=True), part(b": 1}")])
    assert await read_body(receive, JSON) == b'{"a": 1}'


async def test_a_body_of_the_limit_is_read_and_one_byte_more_is_413():
    assert len(await read_body(receiving([part(b" " * MAX_BODY_BYTES)]), JSON)) == MAX_BODY_BYTES
    halves = [part(b" " * MAX_BODY_BYTES, more=True), part(b" ", more=True)]
    with pytest.raises(OpenAIError) as refusal:
        await read_body(receiving(halves), JSON)
    assert refusal.value.status == 413


@pytest.mark.parametrize("length", [b"1048577", b"-1", b"1e3", b"", "\u0664".encode()])
async def test_a_length_beyond_the_limit_or_none_is_413_before_reading(length: bytes):
    with pytest.raises(OpenAIError) as refusal:
        await read_body(receiving([]), [*JSON, (b"content-length", length)])
    assert refusal.value.status == 413


@pytest.mark.parametrize("encoding", [b"gzip", b"br", b"identity, gzip", b"GZIP"])
async def test_an_encoded_body_is_415(encoding: bytes):
    with pytest.raises(OpenAIError) as refusal:
        await read_body(receiving([part(b"{}")]), [*JSON, (b"content-encoding", encoding)])
    assert refusal.value.status == 415


@pytest.mark.parametrize(
    "kinds",
    [
        pytest.param([], id="none"),
        pytest.param([b"text/plain"], id="what a page of another origin may send"),
        pytest.param([b"application/x-www-form-urlencoded"], id="a form"),
        pytest.param([b"application/jsonp"], id="a longer name"),
        pytest.param([b"application/json", b"text/plain"], id="two"),
    ],
)
async def test_what_is_not_said_to_be_json_is_415(kinds: list[bytes]):
    with pytest.raises(OpenAIError) as refusal:
        await read_body(receiving([part(b"{}")]), [(b"content-type", kind) for kind in kinds])
    assert refusal.value.status == 415


@pytest.mark.parametrize("kind", [b"application/json; charset=utf-8", b"Application/JSON"])
async def test_json_may_be_spelled_otherwise(kind: bytes):
    assert await read_body(receiving([part(b"{}")]), [(b"content-type", kind)]) == b"{}"


async def test_a_body_without_end_is_408(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(request_body, "READ_SECONDS", 0.01)
    with pytest.raises(OpenAIError) as refusal:
        await read_body(receiving([part(b"{", more=True)]), JSON)
    assert refusal.value.status == 408


async def test_a_client_that_leaves_while_sending_is_no_error():
    with pytest.raises(ClientGoneError):
        await read_body(receiving([part(b"{", more=True), {"type": "http.disconnect"}]), JSON)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'"text"', id="a string"),
        pytest.param(b"{", id="truncated"),
        pytest.param(b'{"a": 1} {"b": 2}', id="two documents"),
        pytest.param(b"{'a': 1}", id="single quotes"),
        pytest.param(b"\xef\xbb\xbf{}", id="byte order mark"),
        pytest.param("{}".encode("utf-16"), id="UTF-16"),
        pytest.param("{}".encode("utf-16-le"), id="UTF-16 without mark"),
        pytest.param(b'{"a": "\xff"}', id="invalid UTF-8"),
        pytest.param(b'{"a": NaN}', id="NaN"),
        pytest.param(b'{"a": -Infinity}', id="Infinity"),
        pytest.param(b'{"a": ' + b"9" * 5000 + b"}", id="a number too long to read"),
        pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, id="depth bomb of objects"),
        pytest.param(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", id="depth bomb of lists"),
        pytest.param(b'{"a":' + b"[" * 300 + b"]" * 300 + b"}", id="deeper than allowed"),
    ],
)
def test_what_is_no_json_object_is_400(body: bytes):
    with pytest.raises(OpenAIError) as refusal:
        parse_request(body)
    assert refusal.value.status == 400


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_an_answer(body: bytes):
    with suppress(OpenAIError):
        assert isinstance(parse_request(body), dict)


def test_every_copy_of_the_clients_priority_is_replaced_by_ours():
    sent = [
        (b"x-vllm-priority", b"-100"),
        (b"X-Vllm-Priority", b"-200"),
        (b"x-session-ticket", b"secret"),
        (b"x-data-parallel-rank", b"1"),
        (b"content-length", b"999"),
        (b"transfer-encoding", b"chunked"),
        (b"authorization", b"Bearer k"),
        (b"x-task", b"code"),
        (b"accept", b"*/*"),
    ]
    assert engine_headers(sent, b"{}", priority=10) == [
        (b"accept", b"*/*"),
        (b"content-type", b"application/json"),
        (b"content-length", b"2"),
        (b"x-vllm-priority", b"10"),
    ]


async def test_after_the_body_the_engine_hears_what_really_comes():
    receive = replay(b"{}", receiving([{"type": "http.disconnect"}]))
    assert await receive() == {"type": "http.request", "body": b"{}", "more_body": False}
    assert await receive() == {"type": "http.disconnect"}
