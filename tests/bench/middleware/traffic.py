"""The bytes that the load generator sends: chats as OpenAI's clients write them. Pure."""

import json
from typing import Any

MODEL = "vibethinker-1.5b"
PATH = "/v1/chat/completions"
KEY = "sk-bench-0123456789abcdef0123456789abcdef"
TICKET_HEADER = "X-Session-Ticket"
# About what a person asks and a model answers; a chat of 16 KB then has eleven turns.
TURN_BYTES = 1500
_TEXT = (
    'Let n be a whole number with "few" divisors, and show that their sum is odd.\n'
    "Begin with small cases, say what you see there, and only then prove it step by step. "
)


def build_body(size: int, **more: Any) -> bytes:
    """Returns a chat of exactly `size` bytes: turns of people's length, not one long text.

    Raises:
        ValueError: `size` is too small to hold a chat with `more`.
    """
    turns = max(1, size // TURN_BYTES) | 1  # odd: the last turn is the user's
    roles = ("user", "assistant")
    messages = [{"role": roles[turn % 2], "content": ""} for turn in range(turns)]
    text = _TEXT * (size // len(_TEXT) + 1)
    for message in messages:
        room = size - len(_encode(messages, more))
        message["content"] = text[: min(room, TURN_BYTES) * 9 // 10]
    messages[-1]["content"] += "x" * (size - len(_encode(messages, more)))
    body = _encode(messages, more)
    if len(body) != size:
        raise ValueError(f"a chat with {more} does not fit {size} bytes")
    return body


def build_request(body: bytes, *, ticket: str | None = None, key: str = KEY) -> bytes:
    """Returns one POST with `body` over HTTP/1.1, with the headers that a client library sends."""
    lines = [
        f"POST {PATH} HTTP/1.1",
        "Host: 127.0.0.1",
        "Accept: application/json",
        "Accept-Encoding: identity",
        "User-Agent: AsyncOpenAI/Python 2.7.1",
        "X-Stainless-Lang: python",
        "X-Stainless-Async: async:asyncio",
        f"Authorization: Bearer {key}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *([f"{TICKET_HEADER}: {ticket}"] if ticket else []),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def _encode(messages: list[dict[str, str]], more: dict[str, Any]) -> bytes:
    document = {"model": MODEL, "messages": messages, **more}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
