"""One hostile request, the server that it is meant for, and the ways to write one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.policy_document import POLICY as DEFAULT_POLICY

CHAT, COMPLETIONS, RESPONSES = "/v1/chat/completions", "/v1/completions", "/v1/responses"
SERVED_NAME = "vibethinker-1.5b"
# Small caps, so that real vLLM goes through the whole table within a minute. A completion that
# names no length gets 16 tokens, and eight answers share a cap.
MATH, CODE, QA = 12, 24, 8
POLICY: dict[str, Any] = {
    **DEFAULT_POLICY,
    "tokenLimits": {"math": MATH, "code": CODE, "qa": QA},
    "defaultTask": "code",
}
USER = [{"role": "user", "content": "hi"}]
RAW = "1 + 1 ="
NOTHING: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Hostile:
    """One request.

    Attributes:
        what: what is tried.
        status: the answer's status.
        param: the key that an error names, None: none, or no error.
        engine: keys that the engine must see with these values; None: it sees nothing.
        hidden: keys that the engine must not see.
        answer: headers that the answer must carry.
    """

    what: str
    method: str = "POST"
    path: str = CHAT
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    status: int
    param: str | None = None
    engine: Mapping[str, Any] | None = NOTHING
    hidden: tuple[str, ...] = ()
    answer: tuple[tuple[str, str], ...] = ()


def chat(**keys: Any) -> bytes:
    """Returns a chat's body with `keys` changed or added."""
    return json.dumps({"model": SERVED_NAME, "messages": USER} | keys).encode()


def complete(**keys: Any) -> bytes:
    """Returns a raw completion's body."""
    return json.dumps({"model": SERVED_NAME, "prompt": RAW} | keys).encode()


def respond(**keys: Any) -> bytes:
    """Returns a body of /v1/responses."""
    return json.dumps({"model": SERVED_NAME, "input": "hi"} | keys).encode()


def refused(key: str, value: Any, path: str = CHAT) -> Hostile:
    """Returns a request that only this key spoils; the error names it."""
    body = {CHAT: chat, COMPLETIONS: complete, RESPONSES: respond}[path](**{key: value})
    shown = json.dumps(value)[:40]
    return Hostile(what=f"{path} {key}={shown}", path=path, body=body, status=400, param=key)
