"""OpenAI's own Python client, as it comes: what its users write works against this server."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import openai
import pytest
from openai import OpenAI

from tests.e2e.arrivals import read_arrivals
from tests.e2e.engine_process import EngineProcess
from tests.e2e.real_engine import CAP, SEATS, page
from tests.e2e.streams import streams
from tests.e2e.stub_control import Stub, serving_stub
from tests.support.hostile_requests import SERVED_NAME

HELLO: list[Any] = [{"role": "user", "content": "the sum of two numbers"}]
FULL = 0.99


def client_of(engine: EngineProcess, **more: Any) -> OpenAI:
    return OpenAI(base_url=engine.url("/v1"), api_key="none-is-asked-for", **more)


@pytest.fixture
def client(server: EngineProcess) -> Iterator[OpenAI]:
    with client_of(server) as made:
        yield made


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stub]:
    with serving_stub(tmp_path_factory.mktemp("openai"), STUB_ANSWER_TOKENS="8") as running:
        yield running


@pytest.fixture
def stub(engine: Stub) -> Iterator[Stub]:
    yield engine
    engine.fill_memory(None)


def test_it_finds_the_model(client: OpenAI):
    assert [model.id for model in client.models.list()] == [SERVED_NAME]


def test_a_chat_is_answered_within_its_cap(server: EngineProcess, client: OpenAI):
    page(server, tokenLimits={"math": 16, "qa": 12})
    raw = client.chat.completions.with_raw_response.create(
        model=SERVED_NAME, messages=HELLO, extra_body={"task": "qa"}
    )
    answer = raw.parse()
    assert (raw.headers["x-task"], raw.headers["x-token-limit"]) == ("qa", "12")
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 12


def test_a_chat_is_streamed(client: OpenAI):
    chunks = list(
        client.chat.completions.create(
            model=SERVED_NAME,
            messages=HELLO,
            max_completion_tokens=8,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    said = [one.choices[0].delta.content for one in chunks if one.choices]
    assert len([text for text in said if text]) > 1
    assert chunks[-2].choices[0].finish_reason == "length"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 8


async def test_a_chat_is_streamed_to_the_asynchronous_client(server: EngineProcess):
    async with openai.AsyncOpenAI(base_url=server.url("/v1"), api_key="none") as client:
        stream = await client.chat.completions.create(
            model=SERVED_NAME, messages=HELLO, max_completion_tokens=8, stream=True
        )
        reasons = [chunk.choices[0].finish_reason async for chunk in stream]
    assert reasons[-1] == "length"
    assert len(reasons) > 2


def test_an_answer_handed_back_as_it_came_is_a_turn_of_the_next_chat(
    server: EngineProcess, client: OpenAI
):
    messages = list(HELLO)
    for question in ("and then", "and last"):
        answer = client.chat.completions.create(
            model=SERVED_NAME, messages=messages, max_completion_tokens=8
        )
        messages += [answer.choices[0].message, {"role": "user", "content": question}]
    client.chat.completions.create(model=SERVED_NAME, messages=messages, max_completion_tokens=8)
    prompt = read_arrivals(server)[-1].prompt
    said = [one["content"] if isinstance(one, dict) else one.content for one in messages]
    assert all(f"\n{text}<|im_end|>\n" in prompt for text in said)
    assert prompt.count("<|im_start|>assistant\n") == 3


def test_a_response_is_given(client: OpenAI):
    answer = client.responses.create(
        model=SERVED_NAME, input="the sum of two numbers", max_output_tokens=8
    )
    assert answer.output_text
    assert answer.status == "incomplete"
    assert answer.incomplete_details is not None
    assert answer.incomplete_details.reason == "max_output_tokens"
    assert answer.usage is not None
    assert answer.usage.output_tokens == 8


def test_a_response_is_streamed(client: OpenAI):
    events = list(
        client.responses.create(
            model=SERVED_NAME, input="the sum of two numbers", max_output_tokens=8, stream=True
        )
    )
    pieces = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert len(pieces) > 1
    (done,) = [event for event in events if event.type == "response.output_text.done"]
    assert done.text == "".join(pieces)


def test_a_response_handed_back_as_it_came_is_a_turn_of_the_next(
    server: EngineProcess, client: OpenAI
):
    asked: list[Any] = list(HELLO)
    answer = client.responses.create(model=SERVED_NAME, input=asked, max_output_tokens=8)
    asked += [*answer.output, {"role": "user", "content": "and then"}]
    client.responses.create(
        model=SERVED_NAME, input=asked, instructions="Be brief.", max_output_tokens=8
    )
    prompt = read_arrivals(server)[-1].prompt
    assert f"<|im_start|>assistant\n{answer.output_text}<|im_end|>\n" in prompt
    assert prompt.startswith("<|im_start|>system\nBe brief.<|im_end|>\n")


def test_what_is_wrong_is_raised_as_the_client_names_it(client: OpenAI):
    with pytest.raises(openai.BadRequestError) as wrong:
        client.chat.completions.create(model=SERVED_NAME, messages=HELLO, n=9)
    assert (wrong.value.param, wrong.value.code) == ("n", "invalid_value")
    with pytest.raises(openai.NotFoundError) as unknown:
        client.chat.completions.create(model="gpt-4", messages=HELLO)
    assert unknown.value.code == "model_not_found"


Full = Iterator[tuple[EngineProcess, Callable[[], None]]]


@contextmanager
def full_stub(stub: Stub) -> Full:
    stub.fill_memory(FULL)
    yield stub.engine, lambda: stub.fill_memory(None)


@contextmanager
def full_server(server: EngineProcess) -> Full:
    page(server, overload={"policy": "ScaleOutThenReject", "maxQueuedRequests": 0})
    with streams(server, SEATS, tokens=CAP) as seated:
        server.wait_for(lambda: all(stream.first_at for stream in seated), 60)

        def leave() -> None:
            for stream in seated:
                stream.leave()

        yield server, leave


@pytest.mark.parametrize(
    ("fill", "fixture"),
    [(full_stub, "stub"), (full_server, "vllm"), (full_server, "llama")],
)
def test_a_refused_client_comes_back_by_itself_when_it_was_told_to(
    fill: Any, fixture: str, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO, "openai")
    answers: list[tuple[int, str | None]] = []
    with fill(request.getfixturevalue(fixture)) as (engine, make_room):

        def note(response: Any) -> None:
            answers.append((response.status_code, response.headers.get("retry-after")))
            if response.status_code == 429:
                make_room()  # before it comes back

        hooks: Any = {"response": [note]}
        transport = openai.DefaultHttpxClient(event_hooks=hooks)
        with client_of(engine, http_client=transport) as client:
            answer = client.chat.completions.create(
                model=client.models.list().data[0].id, messages=HELLO, max_completion_tokens=8
            )
    assert answer.choices[0].message.content
    (found, _), (status, told), (last, _) = answers
    assert (found, status, last) == (200, 429, 200)
    assert told is not None
    assert f"Retrying request in {float(told):.6f} seconds" in caplog.text


def test_a_client_that_gives_up_says_why_and_when_to_come_back(stub: Stub):
    stub.fill_memory(FULL)
    with (
        client_of(stub.engine, max_retries=0) as client,
        pytest.raises(openai.RateLimitError) as refused,
    ):
        client.chat.completions.create(model="stub", messages=HELLO)
    assert refused.value.code == "hard_line"
    assert refused.value.type == "rate_limit_error"
    assert int(refused.value.response.headers["retry-after"]) >= 1
