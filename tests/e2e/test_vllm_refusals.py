"""Requests that our door finds right and only the engine finds wrong: its 400, never a 500."""

import pytest

from tests.e2e.engine_process import EngineProcess
from tests.e2e.real_llama import LLAMA

CHAT, COMPLETIONS, RESPONSES = "/v1/chat/completions", "/v1/completions", "/v1/responses"
# llama-server passes over it, and the answer is as if it were not there.
BIAS = "a bias on no token"
# Only the engine has the tokens.
TOO_LONG = "?" * 5000  # a token each
WRONG = {
    "a prompt longer than the context": (COMPLETIONS, {"prompt": TOO_LONG}),
    "a chat longer than the context": (CHAT, {"messages": [{"role": "user", "content": TOO_LONG}]}),
    "an input longer than the context": (RESPONSES, {"input": TOO_LONG}),
    "a prompt that leaves no room": (COMPLETIONS, {"prompt": "?" * 4096}),
    "a prompt of nothing": (COMPLETIONS, {"prompt": ""}),
    "nothing among the prompts": (COMPLETIONS, {"prompt": ["two", ""]}),
    BIAS: (COMPLETIONS, {"prompt": "two", "logit_bias": {"99999": 1}}),
    "a stop at nothing": (COMPLETIONS, {"prompt": "two", "stop": [""]}),
    "options of a stream that is none": (
        COMPLETIONS,
        {"prompt": "two", "stream_options": {"include_usage": True}},
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_only_the_engine_can_judge_is_told(server: EngineProcess, wrong: str):
    path, body = WRONG[wrong]
    if wrong == BIAS and server.backend is LLAMA:
        assert server.client.post(server.url(path), json=body).status_code == 200
        return
    answer = server.client.post(server.url(path), json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["message"]
    # Only what was let in has a limit: our door did not refuse this one in the engine's place.
    assert answer.headers["x-token-limit"]
    assert "x-session-ticket" not in answer.headers  # who was not answered is not known
