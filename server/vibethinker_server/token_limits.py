"""How long an answer may get: the task of a request, and its cap in tokens. Pure.

The cap is one request's budget: answers times length never exceed it, whatever the client writes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vibethinker_server.openai_errors import refuse
from vibethinker_server.policy import Policy

# OpenAI's and vLLM's own length of a raw completion that names none.
COMPLETION_TOKENS = 16


@dataclass(frozen=True, slots=True)
class TokenLimit:
    """The most `tokens` of each answer; `capped`: the cap says so, not the client."""

    tokens: int
    capped: bool


def choose_task(policy: Policy, headers: Sequence[bytes], written: str | None) -> str:
    """Returns the task that the X-Task `headers` or the body's `written` one name, or the default.

    Raises:
        OpenAIError: 400 where they differ, or name a task that the policy does not have.
    """
    named = {value.decode("latin-1").strip() for value in headers}
    named |= set() if written is None else {written}
    if len(named) > 1:
        raise refuse("task", "the header X-Task and the body must name one task.")
    task = next(iter(named), policy.default_task)
    if task not in policy.token_limits:
        known = ", ".join(policy.token_limits)
        raise refuse("task", f"is none of this fleet's tasks: {known}.", "unknown_task")
    return task


def limit_tokens(asked: Sequence[int], cap: int, sequences: int, unasked: int | None) -> TokenLimit:
    """Returns the limit of each of `sequences` answers.

    Args:
        asked: the lengths that the client names, in whichever keys; the smallest counts.
        cap: the task's cap, which all answers share.
        sequences: answers that the request asks for.
        unasked: the length where none is asked for, None: as far as the cap goes.

    Raises:
        OpenAIError: 400 where the cap has not one token for each answer.
    """
    share = cap // sequences
    if share < 1:
        raise refuse("n", f"{sequences} answers share a cap of {cap} tokens; ask for fewer.")
    wanted = min(asked, default=unasked)
    if wanted is None or wanted >= share:
        return TokenLimit(share, capped=True)
    return TokenLimit(wanted, capped=False)


def asked_tokens(ours: Mapping[str, Any]) -> list[int]:
    """Returns every length that a body names."""
    keys = ("max_tokens", "max_completion_tokens", "max_output_tokens")
    return [ours[key] for key in keys if key in ours]
