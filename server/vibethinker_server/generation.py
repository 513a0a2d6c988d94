"""One request that generates, as the engine gets it: read, judged and written anew. Pure.

Nothing of the client's body reaches the engine by itself: what this module does not write is not
there.
"""

from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from vibethinker_server import names
from vibethinker_server.body_keys import check_keys
from vibethinker_server.conversation import Conversation, parse_input, parse_messages
from vibethinker_server.engine_args import MAX_SEQUENCES
from vibethinker_server.openai_errors import OpenAIError, refuse
from vibethinker_server.policy import Policy
from vibethinker_server.profiles import Isolation, Profile, ProfileKind, choose_profile
from vibethinker_server.routes import Api
from vibethinker_server.sampling import NO_CHOICE, Sampling, settle_sampling
from vibethinker_server.system_prompt import check_raw_prompt, settle_system_prompt
from vibethinker_server.token_limits import (
    COMPLETION_TOKENS,
    TokenLimit,
    asked_tokens,
    choose_task,
    limit_tokens,
)

Headers = list[tuple[bytes, bytes]]
Request = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Terms:
    """What one request is judged by.

    Attributes:
        policy: the policy obeyed now.
        served_name: the model's name for clients.
        max_new_tokens: the engine's own hard cap, set when it started.
        key: name of the caller's API key, None: the fleet has none.
        sampling: what the model's authors recommend, for requests that choose nothing.
    """

    policy: Policy
    served_name: str
    max_new_tokens: int
    key: str | None = None
    sampling: Sampling = NO_CHOICE


@dataclass(frozen=True, slots=True)
class Generation:
    """The body for the engine, and what is known of the request.

    Attributes:
        api: the kind of request.
        body: what the engine gets: a JSON object that is never empty.
        profile: the request's profile.
        task: the request's task.
        limit: the most tokens of each answer.
        sequences: answers that the request asks for, over all its prompts.
        streams: the answer comes as events.
        conversation: what the client said, None: a raw prompt.
        prompt_bytes: of the prompt, without a preset that sessions share.
    """

    api: Api
    body: bytes
    profile: Profile
    task: str
    limit: TokenLimit
    sequences: int
    streams: bool
    conversation: Conversation | None
    prompt_bytes: int


def build_generation(api: Api, request: Request, headers: Headers, terms: Terms) -> Generation:
    """Returns what the engine gets of the JSON object `request`.

    Raises:
        OpenAIError: 400 with the key that is wrong; 404: the model has another name.
    """
    ours, passed = check_keys(api, request)
    _check_model(ours, terms.served_name)
    policy = terms.policy
    profile = choose_profile(policy.profiles, terms.key, _values(headers, names.HEADER_PROFILE))
    task = choose_task(policy, _values(headers, names.HEADER_TASK), ours.get("task"))
    conversation = _read_conversation(api, ours)
    written = _write_prompt(api, ours, conversation, profile)
    cap = min(policy.token_limits[task], terms.max_new_tokens)
    prompts = len(written["prompt"]) if isinstance(written.get("prompt"), list) else 1
    sequences = ours.get("n", 1) * prompts
    unasked = COMPLETION_TOKENS if api is Api.COMPLETIONS else None
    limit = limit_tokens(asked_tokens(ours), cap, sequences, unasked)
    chosen = settle_sampling(passed, profile.sampling, terms.sampling) | passed
    body = chosen | {"model": terms.served_name} | written | _write_limits(api, ours, limit)
    return Generation(
        api=api,
        body=(rendered := _render(body)),
        profile=profile,
        task=task,
        limit=limit,
        sequences=sequences,
        streams=passed.get("stream", False),
        conversation=conversation,
        prompt_bytes=len(rendered) - _shared_bytes(profile, conversation),
    )


def salted(body: bytes, salt: str | None) -> bytes:
    """Returns a generation's `body` with the cache salt (hexadecimal digits), None: without one.

    The salt follows from the session, which is known only once the body has been judged.
    """
    return body if salt is None else b'%b,"cache_salt":"%b"}' % (body[:-1], salt.encode())


def _shared_bytes(profile: Profile, conversation: Conversation | None) -> int:
    """Returns the bytes of a system prompt that every session's requests find in the cache."""
    if profile.isolation is Isolation.SESSION or conversation is None:
        return 0
    own = profile.kind is ProfileKind.WEB_UI and conversation.system
    return 0 if own else len(profile.system_prompt.encode())


def _values(headers: Headers, wanted: bytes) -> list[bytes]:
    return [value for name, value in headers if name.lower() == wanted]


def _check_model(ours: Request, served_name: str) -> None:
    if ours.get("model", served_name) != served_name:
        message = f"model: this server has no model of that name, only {served_name}."
        raise OpenAIError(404, message, "model_not_found", "model")


def _read_conversation(api: Api, ours: Request) -> Conversation | None:
    if api is Api.CHAT:
        return parse_messages(ours.get("messages"))
    if api is Api.RESPONSES:
        return parse_input(ours.get("input"), ours.get("instructions"))
    return None


def _write_prompt(
    api: Api, ours: Request, conversation: Conversation | None, profile: Profile
) -> Request:
    if conversation is None:
        check_raw_prompt(profile)
        return {"prompt": _check_prompt(ours.get("prompt"))}
    if api is Api.CHAT:
        return {"messages": _write_messages(conversation, profile)}
    # Not under `instructions`: the engine's answer repeats those. Nor is anything stored.
    return {"input": _write_messages(conversation, profile), "store": False}


def _write_messages(conversation: Conversation, profile: Profile) -> list[dict[str, str]]:
    system = settle_system_prompt(profile, conversation.system)
    first = [{"role": "system", "content": system}] if system else []
    return first + [{"role": turn.role, "content": turn.text} for turn in conversation.turns]


def _check_prompt(prompt: Any) -> Any:
    """Returns a raw prompt, or several: texts, and raw means that nothing in them is changed."""
    if isinstance(prompt, str):
        return prompt
    if not isinstance(prompt, list) or not 1 <= len(prompt) <= MAX_SEQUENCES:
        raise refuse("prompt", f"must be a text or a list of 1 to {MAX_SEQUENCES} texts.")
    if not all(isinstance(one, str) for one in prompt):
        raise refuse("prompt", "must hold texts; token numbers are not taken.")
    return prompt


def _write_limits(api: Api, ours: Request, limit: TokenLimit) -> Request:
    if api is Api.RESPONSES:
        return {"max_output_tokens": limit.tokens}
    limits = {"max_tokens": limit.tokens}
    if api is Api.CHAT:
        limits["max_completion_tokens"] = limit.tokens
    if "min_tokens" in ours:
        limits["min_tokens"] = min(ours["min_tokens"], limit.tokens)
    if "n" in ours:
        limits["n"] = ours["n"]
    return limits


def _render(body: Request) -> bytes:
    try:
        return to_json(body)
    except ValueError:
        raise OpenAIError(400, "The body holds what is no JSON.", "invalid_body") from None
