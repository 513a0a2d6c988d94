"""Requests that are wrong: each gets OpenAI's shape of an error and never a 500."""

import gzip
import json
from typing import Any

import httpx
import pytest

from tests.e2e.engine_process import EngineProcess

CHAT, COMPLETIONS, RESPONSES = "/v1/chat/completions", "/v1/completions", "/v1/responses"
GOOD = {"prompt": "two", "max_tokens": 1}
ZIPPED = gzip.compress(json.dumps(GOOD).encode())


def completions(**changes: Any) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


WRONG = {
    "broken JSON": (COMPLETIONS, b'{"prompt": ', {}, 400),
    "no object": (CHAT, b"[1, 2]", {}, 400),
    "no messages": (CHAT, b"{}", {}, 400),
    "messages of a wrong type": (CHAT, b'{"messages": "hello"}', {}, 400),
    "a role that does not exist": (CHAT, b'{"messages": [{"role": 7, "content": {}}]}', {}, 400),
    "no length at all": (COMPLETIONS, completions(max_tokens=0), {}, 400),
    "a negative length": (COMPLETIONS, completions(max_tokens=-5), {}, 400),
    "a length in words": (COMPLETIONS, completions(max_tokens="many"), {}, 400),
    "a temperature below nothing": (COMPLETIONS, completions(temperature=-1), {}, 400),
    "too many answers at once": (COMPLETIONS, completions(n=9), {}, 400),
    "token numbers for a prompt": (COMPLETIONS, completions(prompt=[7, 8]), {}, 400),
    "another model": (COMPLETIONS, completions(model="gpt-4"), {}, 404),
    "a body of more than a MiB": (CHAT, b'{"a": "' + b"x" * 2**20 + b'"}', {}, 413),
    "a zipped body": (COMPLETIONS, ZIPPED, {"content-encoding": "gzip"}, 415),
    "an unknown path": ("/v1/nothing", completions(), {}, 404),
    "a way around the door": ("/invocations", completions(), {}, 404),
    "another API": ("/v1/messages", completions(), {}, 404),
    "a batch": ("/v1/chat/completions/batch", completions(), {}, 404),
}

# Right in form: only the engine, which has the tokens, finds out.
TOO_LONG = "?" * 5000  # a token each
WRONG_TO_THE_ENGINE = {
    "a prompt longer than the context": (COMPLETIONS, {"prompt": TOO_LONG}),
    "a chat longer than the context": (CHAT, {"messages": [{"role": "user", "content": TOO_LONG}]}),
    "an input longer than the context": (RESPONSES, {"input": TOO_LONG}),
    "a prompt that leaves no room": (COMPLETIONS, {"prompt": "?" * 4096}),
    "a prompt of nothing": (COMPLETIONS, {"prompt": ""}),
    "nothing among the prompts": (COMPLETIONS, {"prompt": ["two", ""]}),
    "a bias on no token": (COMPLETIONS, {"prompt": "two", "logit_bias": {"99999": 1}}),
    "a stop at nothing": (COMPLETIONS, {"prompt": "two", "stop": [""]}),
    "options of a stream that is none": (
        COMPLETIONS,
        {"prompt": "two", "stream_options": {"include_usage": True}},
    ),
}


def check_error(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["x-served-by"] == "pod-under-test"
    error = answer.json()["error"]
    assert set(error) >= {"message", "type", "code"}
    assert error["message"]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_request_is_told_what_is_wrong(vllm: EngineProcess, wrong: str):
    path, body, headers, status = WRONG[wrong]
    answer = vllm.client.post(
        vllm.url(path), content=body, headers={"content-type": "application/json", **headers}
    )
    check_error(answer, status)


@pytest.mark.parametrize("wrong", WRONG_TO_THE_ENGINE)
def test_what_only_the_engine_can_judge_is_told_as_well(vllm: EngineProcess, wrong: str):
    path, body = WRONG_TO_THE_ENGINE[wrong]
    answer = vllm.client.post(vllm.url(path), json=body)
    check_error(answer, 400)
    # Only what was let in has a limit: our door did not refuse this one in the engine's place.
    assert answer.headers["x-token-limit"]
    assert "x-session-ticket" not in answer.headers  # who was not answered is not known


def test_the_wrong_method_is_told_the_right_one(vllm: EngineProcess):
    answer = vllm.client.get(vllm.url(CHAT))
    assert answer.status_code == 405
    assert "POST" in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/metrics", "/version", "/docs", "/openapi.json", "/load"])
def test_what_the_engine_tells_of_itself_is_closed_to_clients(vllm: EngineProcess, path: str):
    assert vllm.client.get(vllm.url(path)).status_code == 404
