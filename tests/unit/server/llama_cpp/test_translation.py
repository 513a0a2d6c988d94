from typing import Any

import pytest
from vibethinker_server.llama_cpp.translation import Ask, translate
from vibethinker_server.openai_errors import OpenAIError
from vibethinker_server.routes import Api

CHAT = {
    "model": "m",
    "messages": [{"role": "user", "content": "hi"}],
    "max_tokens": 20,
    "max_completion_tokens": 20,
}
COMPLETION = {"model": "m", "prompt": "hi", "max_tokens": 20}


def ask(api: Api, body: dict[str, Any], most: int = 512, *, shares: bool = True) -> Ask:
    return translate(api, body, max_new_tokens=most, shares=shares)


def test_a_chat_gets_one_length_and_nothing_that_llama_server_does_not_know():
    more = {"user": "u", "stream": True, "stream_options": {"include_usage": True}, "n": 2}
    asked = ask(Api.CHAT, CHAT | more | {"min_tokens": 0, "temperature": 0.5, "ignore_eos": True})
    assert asked.body == {
        "model": "m",
        "messages": CHAT["messages"],
        "max_tokens": 20,
        "stream": True,
        "stream_options": {"include_usage": True},
        "n": 2,
        "temperature": 0.5,
        "ignore_eos": True,
        "cache_prompt": True,
    }
    assert (asked.limit, asked.sequences, asked.streams) == (20, 2, True)


def test_no_answer_exceeds_what_the_process_allows_whatever_the_door_wrote():
    assert ask(Api.COMPLETIONS, COMPLETION | {"max_tokens": 3000}).body["max_tokens"] == 512
    assert ask(Api.RESPONSES, {"input": [], "max_output_tokens": 3000}).limit == 512


def test_several_prompts_are_several_sequences():
    assert ask(Api.COMPLETIONS, COMPLETION | {"prompt": ["a", "b", "c"], "n": 2}).sequences == 6


@pytest.mark.parametrize(
    ("salt", "shares", "expected"),
    [({}, True, True), ({}, False, False), ({"cache_salt": "ab"}, True, False)],
)
def test_a_salted_prompt_is_neither_found_nor_left_for_others(
    salt: dict[str, str], shares: bool, expected: bool
):
    asked = ask(Api.COMPLETIONS, COMPLETION | salt, shares=shares)
    assert asked.body["cache_prompt"] is expected
    assert "cache_salt" not in asked.body


def test_a_responses_turns_are_messages_and_nothing_is_stored():
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    body = {"input": turns, "store": False, "max_output_tokens": 5, "metadata": {"a": "b"}}
    assert ask(Api.RESPONSES, body).body == {
        "input": [{"type": "message", **turn} for turn in turns],
        "max_output_tokens": 5,
        "cache_prompt": True,
    }


def test_sampling_is_spelled_as_llama_server_does():
    odd = {"top_k": -1, "seed": -1, "repetition_penalty": 1.2}
    body = ask(Api.COMPLETIONS, COMPLETION | odd).body
    assert (body["top_k"], body["repeat_penalty"], body["repeat_last_n"]) == (0, 1.2, -1)
    assert "repetition_penalty" not in body
    # Under llama-server -1 is another seed each time; a client's seed means the same answer again.
    assert body["seed"] == 2**31 - 1
    assert ask(Api.COMPLETIONS, COMPLETION | {"top_k": 40}).body["top_k"] == 40


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"min_tokens": 3}, "min_tokens"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": ["a", ""]}, "prompt"),
        ({"stop": [""]}, "stop"),
        ({"stop": ""}, "stop"),
    ],
)
def test_what_llama_server_would_pass_over_is_refused(wrong: dict[str, Any], param: str):
    with pytest.raises(OpenAIError) as refusal:
        ask(Api.COMPLETIONS, COMPLETION | wrong)
    assert (refusal.value.status, refusal.value.param) == (400, param)
