"""One streamed chat completion, as a client library would ask for it."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp

TICKET_HEADER = "X-Session-Ticket"
POD_HEADER = "X-Served-By"
REASON_HEADER = "X-Rejected-Reason"
CHAT_PATH = "/v1/chat/completions"
# A stream may wait for its first event behind a full queue; longer than this is a failure.
SILENCE_SECONDS = 180.0
# A wait beyond what the contract allows (1 to 60 s) is cut to it; a failure may name none at all.
LONGEST_WAIT_SECONDS = 60
DEFAULT_WAIT_SECONDS = 1

Clock = Callable[[], float]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back for one request. `status` is None and `error` says why where nothing did."""

    status: int | None = None
    pod: str = ""
    first_byte: float | None = None
    finish_reason: str = ""
    text: str = ""
    ticket: str = ""
    retry_after: str = ""
    rejected_reason: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    closed: bool = False
    error: str = ""

    @property
    def complete(self) -> bool:
        """True if the stream ran to an end of the model's own."""
        return self.status == HTTPStatus.OK and self.finish_reason in {"stop", "length"}

    @property
    def wait_seconds(self) -> int:
        """How long a client waits before it asks again."""
        if not self.retry_after.isdigit():
            return DEFAULT_WAIT_SECONDS
        return min(int(self.retry_after), LONGEST_WAIT_SECONDS)


@dataclass
class _Stream:
    """What the events of one answer have told so far."""

    text: list[str]
    first_byte: float | None = None
    finish_reason: str = ""
    usage: dict[str, Any] | None = None

    def read(self, line: bytes, now: float) -> None:
        if not line.startswith(b"data:"):
            return
        if self.first_byte is None:
            self.first_byte = now
        payload = line[len(b"data:") :].strip()
        if payload == b"[DONE]":
            return
        event = json.loads(payload)
        self.usage = event.get("usage") or self.usage
        for choice in event.get("choices", ()):
            self.text.append(choice.get("delta", {}).get("content") or "")
            self.finish_reason = choice.get("finish_reason") or self.finish_reason


def open_user(url: str) -> aiohttp.ClientSession:
    """A client of one user: one keep-alive connection, no cookie jar, shared with nobody."""
    return aiohttp.ClientSession(
        url,
        connector=aiohttp.TCPConnector(limit=1, keepalive_timeout=60),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_read=SILENCE_SECONDS, sock_connect=10),
    )


async def ask(
    http: aiohttp.ClientSession,
    body: dict[str, Any],
    *,
    ticket: str,
    clock: Clock,
    on_first_byte: Callable[[], None],
) -> Answer:
    """Send one chat completion and read its stream to the end; failures are values."""
    stream = _Stream([])
    headers = {TICKET_HEADER: ticket} if ticket else {}
    seen: dict[str, Any] = {}
    error = ""
    try:
        async with http.post(CHAT_PATH, json=body, headers=headers) as response:
            seen = _read_head(response)
            if response.status == HTTPStatus.OK:
                async for line in response.content:
                    was_silent = stream.first_byte is None
                    stream.read(line, clock())
                    if was_silent and stream.first_byte is not None:
                        on_first_byte()
            else:
                error = (await response.text())[:300]
    except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError) as failure:
        error = f"{type(failure).__name__}: {failure}"
    usage = stream.usage or {}
    return Answer(
        **seen,
        first_byte=stream.first_byte,
        finish_reason=stream.finish_reason,
        text="".join(stream.text),
        prompt_tokens=usage.get("prompt_tokens"),
        completion_tokens=usage.get("completion_tokens"),
        error=error,
    )


def _read_head(response: aiohttp.ClientResponse) -> dict[str, Any]:
    headers = response.headers
    return {
        "status": response.status,
        "pod": headers.get(POD_HEADER, ""),
        "ticket": headers.get(TICKET_HEADER, ""),
        "retry_after": headers.get("Retry-After", ""),
        "rejected_reason": headers.get(REASON_HEADER, ""),
        "closed": headers.get("Connection", "").lower() == "close",
    }
