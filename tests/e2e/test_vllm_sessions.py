"""Sessions before real engines: their answers, as they spell them, make a conversation known."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.e2e.engine_process import EngineProcess
from tests.e2e.real_engine import SMALL_POLICY, page
from tests.e2e.real_llama import LLAMA

QUESTION = {"role": "user", "content": "the sum of two numbers"}
NEXT = {"role": "user", "content": "and their product?"}
# Below what the idle engine holds: the line is crossed after a second.
FULL = {
    "saturation": {
        "memoryUsedPercentage": 2,
        "memoryRecoverPercentage": 1,
        "requestQueueLength": 4,
        "sustainedSeconds": 1,
    },
    "overload": {"policy": "Reject", "maxQueuedRequests": 64},
}


def ask(engine: EngineProcess, path: str, **body: Any) -> httpx.Response:
    return engine.client.post(engine.url(path), json=body)


def chat(engine: EngineProcess, messages: list[dict[str, str]], **more: Any) -> httpx.Response:
    return ask(engine, "/v1/chat/completions", messages=messages, max_tokens=40, **more)


def respond(engine: EngineProcess, messages: list[dict[str, str]], **more: Any) -> httpx.Response:
    return ask(engine, "/v1/responses", input=messages, max_output_tokens=40, **more)


ASK = {"chat": chat, "responses": respond}


@pytest.fixture
def full(server: EngineProcess) -> Iterator[Any]:
    """Refuses newcomers from when it is called, until the test is over."""

    def fill() -> None:
        server.sweep({**SMALL_POLICY, **FULL}, ttlSeconds=60)
        server.wait_for(lambda: ask(server, "/v1/completions", prompt="a").status_code == 429, 30)

    yield fill
    page(server)
    server.wait_for(lambda: ask(server, "/v1/completions", prompt="a").status_code == 200, 30)


def said(api: str, answer: httpx.Response) -> str:
    body = answer.json()
    if api == "chat":
        return str(body["choices"][0]["message"]["content"])
    return str(body["output"][0]["content"][0]["text"])


def streamed(api: str, answer: httpx.Response) -> str:
    lines = [line[6:] for line in answer.text.splitlines() if line.startswith("data: ")]
    events = [json.loads(line) for line in lines if line != "[DONE]"]
    if api == "chat":
        return "".join(one["choices"][0]["delta"].get("content") or "" for one in events)
    return "".join(one["delta"] for one in events if one["type"] == "response.output_text.delta")


@pytest.mark.parametrize("api", ASK)
@pytest.mark.parametrize("stream", [False, True])
def test_a_conversation_without_a_ticket_goes_on_where_newcomers_are_refused(
    server: EngineProcess, full: Any, api: str, stream: bool
):
    page(server)
    # Quotes, backslashes and line breaks are spelled otherwise in JSON.
    odd = {"logit_bias": {}, "temperature": 1.0, "seed": 7}
    first = ASK[api](server, [QUESTION], stream=stream, **odd)
    assert first.status_code == 200, first.text
    text = streamed(api, first) if stream else said(api, first)
    assert text.strip(), "the toy model said nothing"
    full()
    told = {"role": "assistant", "content": text}
    assert ASK[api](server, [QUESTION, told, NEXT]).status_code == 200
    assert ASK[api](server, [QUESTION]).status_code == 429
    forged = {"role": "assistant", "content": "x" + text}
    assert ASK[api](server, [QUESTION, forged, NEXT]).status_code == 429


def test_what_the_engine_refuses_makes_nobody_known(server: EngineProcess, full: Any):
    page(server)
    answer = chat(server, [{"role": "user", "content": "?" * 5000}])
    assert answer.status_code == 400
    assert "x-session-ticket" not in answer.headers
    full()
    assert chat(server, [QUESTION]).status_code == 429


def test_what_requests_commit_is_given_back(server: EngineProcess):
    page(server)
    body = {"prompt": "a", "max_tokens": 400, "stream": True, "ignore_eos": True}
    with server.client.stream("POST", server.url("/v1/completions"), json=body) as answer:
        assert answer.status_code == 200
        lines = answer.iter_lines()  # kept: httpx hangs up with the last reference
        next(lines)
        assert committed(server) > 0
    server.wait_for(lambda: committed(server) == 0, 30)


def committed(engine: EngineProcess) -> float:
    text = engine.client.get(engine.ops("/metrics?name[]=vibethinker_kv_committed_tokens")).text
    return float(text.split()[-1])


def test_the_engine_takes_a_salt_and_shares_nothing_across_sessions(server: EngineProcess):
    preset = "Be brief. " * 60
    app = {"name": "app", "kind": "App", "systemPrompt": preset, "isolation": "Session"}
    hits = []
    for isolation in ("Session", "None"):
        page(server, profiles=[{**app, "isolation": isolation}])
        before = cached_tokens(server)
        for number in range(3):
            asked = [{"role": "user", "content": f"{isolation} {number}"}]
            assert chat(server, asked).status_code == 200
        hits.append(cached_tokens(server) - before)
    page(server)
    own, common = hits
    assert own == 0
    assert common > 2 * len(preset) // 8


def cached_tokens(engine: EngineProcess) -> float:
    of_llama = engine.backend is LLAMA
    name = "llamacpp:prompt_tokens_cached_total" if of_llama else "vllm:prefix_cache_hits_total"
    text = engine.client.get(engine.ops(f"/metrics?name[]={name}")).text
    lines = [line for line in text.splitlines() if line.startswith(name)]
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines)
