"""Requests that are wrong: each gets OpenAI's shape of an error and never a 500."""

import gzip
import json
from typing import Any

import pytest

from tests.e2e.engine_process import EngineProcess

CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
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
    "a prompt longer than the context": (COMPLETIONS, completions(prompt=[7] * 5000), {}, 400),
    "token numbers that do not exist": (COMPLETIONS, completions(prompt=[99_999]), {}, 400),
    "another model": (COMPLETIONS, completions(model="gpt-4"), {}, 404),
    "a body of more than a MiB": (CHAT, b'{"a": "' + b"x" * 2**20 + b'"}', {}, 413),
    "a zipped body": (COMPLETIONS, ZIPPED, {"content-encoding": "gzip"}, 415),
    "an unknown path": ("/v1/nothing", completions(), {}, 404),
    "a way around the door": ("/invocations", completions(), {}, 404),
    "another API": ("/v1/messages", completions(), {}, 404),
    "a batch": ("/v1/chat/completions/batch", completions(), {}, 404),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_request_is_told_what_is_wrong(vllm: EngineProcess, wrong: str):
    path, body, headers, status = WRONG[wrong]
    answer = vllm.client.post(
        vllm.url(path), content=body, headers={"content-type": "application/json", **headers}
    )
    assert answer.status_code == status, answer.text
    assert answer.headers["x-served-by"] == "pod-under-test"
    error = answer.json()["error"]
    assert set(error) >= {"message", "type", "code"}
    assert error["message"]


def test_the_wrong_method_is_told_the_right_one(vllm: EngineProcess):
    answer = vllm.client.get(vllm.url(CHAT))
    assert answer.status_code == 405
    assert "POST" in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/metrics", "/version", "/docs", "/openapi.json", "/load"])
def test_what_the_engine_tells_of_itself_is_closed_to_clients(vllm: EngineProcess, path: str):
    assert vllm.client.get(vllm.url(path)).status_code == 404
