"""The keys that a body may have, by route: an allow-list with types and bounds. Pure.

vLLM takes every key it knows and passes over the rest, and many of those it knows override the
prompt (chat_template, continue_final_message), show it (echo, prompt_logprobs, return_token_ids),
cost without bound (best_of, use_beam_search) or have ended engines (structured outputs, bad_words).
So a key has to be named here to get through; a new vLLM brings no new ones by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vibethinker_server.engine_args import MAX_SEQUENCES
from vibethinker_server.fields import (
    Check,
    biases,
    flag,
    members,
    metadata,
    number,
    stops,
    text,
    whole,
)
from vibethinker_server.openai_errors import refuse
from vibethinker_server.routes import Api

_INT64 = 2**63


@dataclass(frozen=True, slots=True)
class BodyKeys:
    """What a route's bodies may hold.

    Attributes:
        ours: keys that are read here and written anew: the conversation, the task, the length.
        passed: keys that the engine gets as they came, once checked.
        inert: keys that clients send with values that ask for nothing; they are left out. Any
            other value is refused.
    """

    ours: Mapping[str, Check]
    passed: Mapping[str, Check]
    inert: Mapping[str, tuple[Any, ...]]


def _any(_param: str, value: Any) -> Any:
    """Returns what another module checks."""
    return value


_TOKENS = whole(1)
_OURS: Mapping[str, Check] = {"model": text(256, 1), "task": text(64, 1)}
_SAMPLING: Mapping[str, Check] = {
    "temperature": number(0, 2),
    "top_p": number(1e-6, 1),
    "top_k": whole(-1, 1_000_000),
    "min_p": number(0, 1),
    "presence_penalty": number(-2, 2),
    "frequency_penalty": number(-2, 2),
    "repetition_penalty": number(0.1, 2),
    "seed": whole(-_INT64, _INT64 - 1),
    "stop": stops,
    "logit_bias": biases,
    "stream": flag,
}
_STREAM_OPTIONS = members({"include_usage": flag, "continuous_usage_stats": flag})
_INERT: Mapping[str, tuple[Any, ...]] = {
    "store": (False,),
    "service_tier": ("auto", "default"),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "parallel_tool_calls": (True, False),
}
_ONE_ANSWER: Mapping[str, tuple[Any, ...]] = {
    "use_beam_search": (False,),
    "best_of": (1,),
    "echo": (False,),
}

KEYS: Mapping[Api, BodyKeys] = {
    Api.CHAT: BodyKeys(
        ours={
            **_OURS,
            "messages": _any,
            "max_tokens": _TOKENS,
            "max_completion_tokens": _TOKENS,
            "min_tokens": whole(0),
            "n": whole(1, MAX_SEQUENCES),
        },
        passed={
            **_SAMPLING,
            "stream_options": _STREAM_OPTIONS,
            # Load generators ask for it; the cap ends such an answer too.
            "ignore_eos": flag,
            "logprobs": flag,
            "top_logprobs": whole(0, 20),
            "user": text(512),
        },
        inert={
            **_INERT,
            **_ONE_ANSWER,
            "response_format": ({"type": "text"},),
            "modalities": (["text"],),
        },
    ),
    Api.COMPLETIONS: BodyKeys(
        ours={
            **_OURS,
            "prompt": _any,
            "max_tokens": _TOKENS,
            "min_tokens": whole(0),
            "n": whole(1, MAX_SEQUENCES),
        },
        passed={
            **_SAMPLING,
            "stream_options": _STREAM_OPTIONS,
            "ignore_eos": flag,
            "logprobs": whole(0, 5),
            "user": text(512),
        },
        inert={**_INERT, **_ONE_ANSWER, "suffix": ("",)},
    ),
    Api.RESPONSES: BodyKeys(
        ours={**_OURS, "input": _any, "instructions": _any, "max_output_tokens": _TOKENS},
        passed={
            **_SAMPLING,
            "top_logprobs": whole(0, 20),
            "metadata": metadata,
            "user": text(512),
        },
        inert={
            **_INERT,
            "ignore_eos": (False,),
            "background": (False,),
            "include": ([],),
            "text": ({}, {"format": {"type": "text"}}),
            "truncation": ("disabled",),
        },
    ),
}


def check_keys(api: Api, request: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns what of `request` is ours to read, and what the engine gets as it came.

    Raises:
        OpenAIError: 400 with the key that is not offered, or whose value is wrong.
    """
    keys = KEYS[api]
    ours: dict[str, Any] = {}
    passed: dict[str, Any] = {}
    for key, value in request.items():
        if value is None and (key in keys.ours or key in keys.passed or key in keys.inert):
            continue  # not given, as OpenAI's own clients mean it
        if key in keys.ours:
            ours[key] = keys.ours[key](key, value)
        elif key in keys.passed:
            passed[key] = keys.passed[key](key, value)
        else:
            _check_inert(keys, key, value)
    return ours, passed


def _check_inert(keys: BodyKeys, key: str, value: Any) -> None:
    if key not in keys.inert:
        raise refuse(key, "is not offered here; leave it out.", "unknown_parameter")
    # By type too: 0 is no False, and 1.0 no 1.
    if not any(type(value) is type(one) and value == one for one in keys.inert[key]):
        raise refuse(key, "is not offered with this value; leave it out.", "unsupported_value")
