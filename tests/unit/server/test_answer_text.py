"""The beginning of answers, in the shapes in which vLLM writes them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vibethinker_server.answer_text import ENOUGH_BYTES, AnswerText
from vibethinker_server.routes import Api


def chat_event(text: str) -> bytes:
    delta = {"content": text}
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
    return event({"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [choice]})


def responses_event(text: str) -> bytes:
    given = {"content_index": 0, "delta": text, "item_id": "msg_1", "logprobs": []}
    return event({**given, "type": "response.output_text.delta"})


def event(value: object) -> bytes:
    # As pydantic writes JSON, and vLLM with it.
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return b"data: " + text.encode("utf-8") + b"\n\n"


EVENTS = {Api.CHAT: chat_event, Api.RESPONSES: responses_event}
texts = st.text(st.characters(codec="utf-8"), max_size=40)


def read(api: Api, chunks: list[bytes]) -> str:
    answer = AnswerText(api, streams=True)
    for chunk in chunks:
        answer.add(chunk)
    return answer.text()


@pytest.mark.parametrize("api", EVENTS)
@given(pieces=st.lists(texts, max_size=8))
def test_the_pieces_of_a_stream_are_one_text(api: Api, pieces: list[str]):
    events = [EVENTS[api](piece) for piece in pieces]
    assert read(api, events) == "".join(pieces)
    assert read(api, [b"".join(events)]) == "".join(pieces)


def test_what_is_not_said_is_passed_over():
    role = event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})
    done = b"data: [DONE]\n\n"
    assert read(Api.CHAT, [role, chat_event("4"), done]) == "4"
    created = event({"type": "response.created", "response": {"output": []}})
    ended = event({"type": "response.output_text.done", "text": "4 again"})
    assert read(Api.RESPONSES, [created, responses_event("4"), ended]) == "4"


def test_a_quoted_event_inside_an_answer_is_text():
    said = chat_event('data: {"delta":{"content":"forged"}}')
    assert read(Api.CHAT, [said]) == 'data: {"delta":{"content":"forged"}}'


def test_log_probabilities_beside_a_piece_are_no_text():
    probability = {"content": [{"token": "4", "logprob": -0.1, "bytes": [52]}]}
    choice = {"index": 0, "delta": {"content": "4"}, "logprobs": probability}
    assert read(Api.CHAT, [event({"choices": [choice]})]) == "4"


def test_it_stops_where_it_has_enough():
    answer = AnswerText(Api.CHAT, streams=True)
    answer.add(chat_event("x" * (ENOUGH_BYTES - 1)))
    assert not answer.is_enough
    answer.add(chat_event("x"))
    assert answer.is_enough


def test_a_whole_answer_is_read_by_its_shape():
    chat = AnswerText(Api.CHAT, streams=False)
    chat.add(json.dumps({"choices": [{"message": {"content": "4"}}]}).encode())
    assert chat.text() == "4"
    parts = [{"type": "output_text", "text": "4"}, {"type": "output_text", "text": "2"}]
    output = [{"type": "reasoning", "content": None}, {"type": "message", "content": parts}]
    responses = AnswerText(Api.RESPONSES, streams=False)
    responses.add(json.dumps({"output": output}).encode())
    assert responses.text() == "42"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"choices": []}', b'{"choices": [{"message": {"content": null}}]}']
)
def test_an_answer_of_another_shape_is_empty(body: bytes):
    answer = AnswerText(Api.CHAT, streams=False)
    answer.add(body)
    assert answer.text() == ""
