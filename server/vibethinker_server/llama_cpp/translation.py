"""A generation's body, written for vLLM, as llama-server takes it. Pure.

llama-server passes over every key that it does not know. So what it would not obey is refused here,
where it changes the answer, and left out where it does not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vibethinker_server.openai_errors import refuse
from vibethinker_server.routes import Api

Body = dict[str, Any]

# vLLM's salt of a prefix cache, of which llama-server has no like.
SALT = "cache_salt"
LEFT_OUT = (
    SALT,
    "max_completion_tokens",
    "metadata",
    "min_tokens",
    "repetition_penalty",
    "store",
    "user",
)
LENGTH: Mapping[Api, str] = {
    Api.CHAT: "max_tokens",
    Api.COMPLETIONS: "max_tokens",
    Api.RESPONSES: "max_output_tokens",
}
MOST_SEED = 2**31


@dataclass(frozen=True, slots=True)
class Ask:
    """What llama-server is asked.

    Attributes:
        api: the kind of request.
        body: what it gets.
        limit: the most tokens of each answer.
        sequences: answers that it asks for, over all its prompts.
        streams: the answer comes as events.
    """

    api: Api
    body: Body
    limit: int
    sequences: int
    streams: bool


def translate(api: Api, body: Body, *, max_new_tokens: int, shares: bool) -> Ask:
    """Returns what llama-server is asked for `body`.

    Args:
        api: the kind of request.
        body: as `generation` wrote it for vLLM.
        max_new_tokens: what no answer of this process exceeds, a second wall behind the caps.
        shares: whether the prompt may be answered from, and leave, what others find in the cache.

    Raises:
        OpenAIError: 400 where it asks for what llama-server would pass over.
    """
    _check(body)
    limit = min(int(body[LENGTH[api]]), max_new_tokens)
    kept = {key: value for key, value in body.items() if key not in LEFT_OUT}
    kept |= {LENGTH[api]: limit, "cache_prompt": shares and SALT not in body}
    if api is Api.RESPONSES:
        kept["input"] = [{"type": "message", **item} for item in body["input"]]
    prompt = body.get("prompt")
    prompts = len(prompt) if isinstance(prompt, list) else 1
    return Ask(
        api=api,
        body=kept | _sampling(body),
        limit=limit,
        sequences=int(body.get("n", 1)) * prompts,
        streams=bool(body.get("stream", False)),
    )


def _check(body: Body) -> None:
    if body.get("min_tokens", 0) > 0:
        raise refuse("min_tokens", "is not offered by llama.cpp; leave it out.")
    if "stream_options" in body and not body.get("stream", False):
        raise refuse("stream_options", "is for streams alone; ask for stream or leave it out.")
    if "" in _texts(body.get("prompt", ())):
        raise refuse("prompt", "must not be an empty text.")
    if "" in _texts(body.get("stop", ())):
        raise refuse("stop", "must not hold an empty text.")


def _texts(given: Any) -> list[Any]:
    return [given] if isinstance(given, str) else list(given)


def _sampling(body: Body) -> Body:
    """Returns the sampling parameters that llama-server spells or bounds otherwise."""
    written: Body = {}
    if "repetition_penalty" in body:
        # Over the whole text, as vLLM does; llama-server looks at the last 64 tokens.
        written |= {"repeat_penalty": body["repetition_penalty"], "repeat_last_n": -1}
    if body.get("top_k") == -1:
        written["top_k"] = 0
    if "seed" in body:
        written["seed"] = body["seed"] % MOST_SEED
    return written
