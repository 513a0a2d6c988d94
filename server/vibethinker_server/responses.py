"""One answer on its way to the client: our headers, translations, and what is measured of it."""

from collections.abc import Mapping
from typing import Any

from vibethinker_server import names
from vibethinker_server.admission import ELSEWHERE_SECONDS, Rejected
from vibethinker_server.answer_text import AnswerText
from vibethinker_server.chat_page import PAGE_HEADERS
from vibethinker_server.connections import should_close
from vibethinker_server.door import Door, LetIn
from vibethinker_server.generation import Generation
from vibethinker_server.openai_errors import OpenAIError, render_error
from vibethinker_server.request_body import Headers, Message, Send
from vibethinker_server.retry_after import queue_seconds, spread_retry_after
from vibethinker_server.runtime import Runtime

OVERLOADED = 503
BROKEN = 500
EVENT_STREAM = b"text/event-stream"
# How vLLM's answers say that they were cut. Quotes inside an answer's text carry a backslash, so a
# model cannot write either.
CUT_MARKS = (b'"finish_reason":"length"', b'"reason":"max_output_tokens"')
# After these the body may still be on its way, so the connection cannot be used again.
UNREAD_BODY = (401, 404, 405, 408, 413, 415)
FAILED = 400
# The keys are looked for again after REREAD_SECONDS.
MORE_HEADERS: Mapping[str, Headers] = {
    "missing_api_key": [(names.HEADER_AUTHENTICATE, b"Bearer")],
    "invalid_api_key": [(names.HEADER_AUTHENTICATE, b"Bearer")],
    "keys_unreadable": [(names.HEADER_RETRY_AFTER, b"10")],
}
MESSAGES = {
    names.REASON_NOT_READY: "This server is still starting.",
    names.REASON_DRAINING: "This server is shutting down; another one serves.",
    names.REASON_QUEUE_FULL: "Too many requests wait here.",
    names.REASON_HARD_LINE: "Memory is full: running sessions go on, new ones must wait.",
    names.REASON_MEMORY_LINE: "Memory is above its line: known sessions go on, new ones must wait.",
    names.REASON_KV_HEADROOM: "Memory has no room for this beside what is promised to others.",
    names.REASON_FIRST_TOKEN: "The first word would take longer than this profile allows.",
}


class Response:
    """Wraps `send` for one request. Chunks pass through unheld."""

    def __init__(
        self, runtime: Runtime, door: Door, scope: Any, send: Send, *, generates: bool
    ) -> None:
        self._runtime = runtime
        self._door = door
        self._scope = scope
        self._send = send
        self._generates = generates
        self._arrived = runtime.clock.monotonic()
        self._age = runtime.connections.age_seconds(scope.get("client"), self._arrived)
        self._awaits_first_token = False
        self._replaced = False
        self._inside: LetIn | None = None
        self._text: AnswerText | None = None
        self.started = False
        self.generation: Generation | None = None
        self._cut = False
        self._failed = False

    async def send(self, message: Message) -> None:
        """Passes on one message of the application, with our headers on its start."""
        if self._replaced:
            return
        if message["type"] == "http.response.start":
            refusal = self._translation(message["status"])
            if refusal is not None:
                self._replaced = True
                await self.reject(refusal)
                return
            self._begin(message)
        else:
            self._measure(message.get("body", b""), last=not message.get("more_body", False))
        await self._send(message)

    def follow(self, inside: LetIn) -> None:
        """Notes whose answer this is, now that the request was let in."""
        self._inside = inside

    def settle(self) -> None:
        """Names the conversation by what there is of its answer: clients also stop one midway."""
        if self._text is not None and self._inside is not None:
            self._door.name(self._inside, self._text.text())
        self._text = None

    async def reject(self, refusal: Rejected) -> None:
        """Answers that this request was not let in, and when to come back."""
        self._runtime.rejected.add(refusal.reason)
        seconds = spread_retry_after(refusal.retry_after_seconds, self._runtime.chance)
        headers = [
            (names.HEADER_RETRY_AFTER, str(seconds).encode()),
            (names.HEADER_REJECTED, refusal.reason.encode()),
        ]
        message = f"{MESSAGES[refusal.reason]} Try again in {seconds} s."
        await self.error(OpenAIError(refusal.status, message, refusal.reason), headers)

    async def error(self, error: OpenAIError, headers: Headers | None = None) -> None:
        """Answers with `error` in OpenAI's shape."""
        await self._answer(
            error.status,
            [
                (b"content-type", b"application/json"),
                *MORE_HEADERS.get(error.code, []),
                *(headers or []),
            ],
            render_error(error),
        )

    async def page(self, body: bytes) -> None:
        """Answers with the chat page."""
        await self._answer(200, list(PAGE_HEADERS), body)

    async def _answer(self, status: int, headers: Headers, body: bytes) -> None:
        start: Message = {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-length", str(len(body)).encode()), *headers],
        }
        self._begin(start)
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})

    def _measure(self, chunk: bytes, *, last: bool) -> None:
        generation = self.generation
        if generation is None or self._failed:
            return
        if last:
            self._runtime.stats.sizes.add_answered(len(generation.body))
        self._read_text(chunk, last=last)
        if self._awaits_first_token and chunk:
            self._awaits_first_token = False
            ttft = self._runtime.ttft.labels(generation.profile.name, generation.task)
            ttft.observe(self._runtime.clock.monotonic() - self._arrived)
        if self._cut or not generation.limit.capped:
            return
        if any(mark in chunk for mark in CUT_MARKS):
            self._cut = True
            self._runtime.truncated.add(generation.task)

    def _read_text(self, chunk: bytes, *, last: bool) -> None:
        if self._text is None or self._inside is None:
            return
        self._text.add(chunk)
        if last or self._text.is_enough:
            self.settle()

    def draining_refusal(self) -> Rejected | None:
        """Returns what to answer when the engine fails because it is shutting down, else None."""
        if self._runtime.fleet.draining_seconds(self._runtime.clock.monotonic()) is None:
            return None
        return Rejected(OVERLOADED, names.REASON_DRAINING, ELSEWHERE_SECONDS)

    def _translation(self, status: int) -> Rejected | None:
        """Returns the refusal that a failure of vLLM's stands for, None: it is what it says.

        vLLM answers a full queue with 503, which proxies retry, and new requests in its shutdown
        with 500.
        """
        if not self._generates or status not in (BROKEN, OVERLOADED):
            return None
        refusal = self.draining_refusal()
        if refusal is None and status == OVERLOADED:
            return self._overload()
        return refusal

    def _overload(self) -> Rejected:
        """Returns the refusal of a full queue, or of an engine that is gone and comes back."""
        if not self._runtime.answering:
            return Rejected(OVERLOADED, names.REASON_NOT_READY, ELSEWHERE_SECONDS)
        return self._queue_overflow()

    def _queue_overflow(self) -> Rejected:
        stats, now = self._runtime.stats, self._runtime.clock.monotonic()
        waiting = stats.reading.waiting if stats.reading else 0
        seconds = queue_seconds(waiting, stats.finished_per_second(now))
        return Rejected(429, names.REASON_QUEUE_FULL, seconds)

    def _begin(self, start: Message) -> None:
        self.started = True
        headers = list(start.get("headers", ()))
        self._awaits_first_token = self._generates and any(
            name.lower() == b"content-type" and value.startswith(EVENT_STREAM)
            for name, value in headers
        )
        headers.append((names.HEADER_SERVED_BY, self._runtime.served_by))
        if self.generation is not None:
            headers.append((names.HEADER_PROFILE, self.generation.profile.name.encode()))
            headers.append((names.HEADER_TASK, self.generation.task.encode()))
            limit = str(self.generation.limit.tokens)
            headers.append((names.HEADER_TOKEN_LIMIT, limit.encode()))
        self._failed = start["status"] >= FAILED
        if self._inside is not None and not self._failed:
            headers += self._accept(self._inside)
        if self._closes(start["status"]):
            headers = [pair for pair in headers if pair[0].lower() != b"connection"]
            headers.append((b"connection", b"close"))
            self._runtime.connections.forget(self._scope.get("client"))
        start["headers"] = headers

    def _accept(self, inside: LetIn) -> Headers:
        """Notes the session of a request that the engine answers, and returns its ticket."""
        generation, ticket = self.generation, self._door.accept(inside)
        named_by_answer = inside.identity.opening is not None
        if generation is not None and named_by_answer and generation.sequences == 1:
            self._text = AnswerText(generation.api, streams=generation.streams)
        return [] if ticket is None else [(names.HEADER_TICKET, ticket)]

    def _closes(self, status: int) -> bool:
        now, fleet = self._runtime.clock.monotonic(), self._runtime.fleet
        version = self._scope.get("http_version", "1.1")
        if status in UNREAD_BODY and version != "2":
            return True
        draining = fleet.draining_seconds(now)
        return should_close(version, status, self._age, fleet.verdict(now), draining)
