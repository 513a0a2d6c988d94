"""Streamed requests, each in a thread and on a connection of its own."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.e2e.engine_process import EngineProcess


class Stream:
    """One streamed completion: begins at once, ends by itself or when it leaves."""

    def __init__(
        self,
        engine: EngineProcess,
        *,
        tokens: int,
        prompt: Any = "hello",
        ticket: str | None = None,
        **more: Any,
    ) -> None:
        body = {"prompt": prompt, "max_tokens": tokens, "stream": True, "ignore_eos": True}
        self._body = body | more
        self._url = engine.url("/v1/completions")
        self._headers = {} if ticket is None else {"x-session-ticket": ticket}
        self._leaving = False
        self.status: int | None = None
        self.headers = httpx.Headers()
        self.first_at: float | None = None
        self.chunks: list[str] = []
        self.error: Exception | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            with (
                httpx.Client(timeout=120) as client,
                client.stream("POST", self._url, json=self._body, headers=self._headers) as answer,
            ):
                self.headers, self.status = answer.headers, answer.status_code
                for line in answer.iter_lines():
                    if self._leaving:
                        return
                    if line:
                        self.first_at = self.first_at or time.monotonic()
                        self.chunks.append(line)
        except httpx.HTTPError as error:
            self.error = error

    def leave(self) -> None:
        """Closes the connection at the next chunk, as a client does that has seen enough."""
        self._leaving = True

    def end(self) -> "Stream":
        """Waits for the end and returns itself."""
        self.thread.join(timeout=180)
        assert not self.thread.is_alive()
        return self

    @property
    def finish_reason(self) -> str | None:
        """How the engine ended the answer; None while it goes on, and where it was cut off."""
        if self.chunks[-1:] != ["data: [DONE]"]:
            return None
        choices = [json.loads(chunk[6:])["choices"] for chunk in self.chunks[:-1]]
        reason: str = next(one[0]["finish_reason"] for one in reversed(choices) if one)
        return reason


@contextmanager
def streams(engine: EngineProcess, count: int, **request: Any) -> Iterator[list[Stream]]:
    """Begins `count` streams; those that are left at the end leave."""
    begun = [Stream(engine, **request) for _ in range(count)]
    try:
        yield begun
    finally:
        for stream in begun:
            stream.leave()
        for stream in begun:
            stream.end()
