"""Somebody who keeps asking while a server ends, and what it is told."""

import threading
import time
from typing import Any

import httpx

from tests.e2e.engine_process import TOKEN, EngineProcess


class Knocking:
    """Somebody who asks for one token after the other, each on a new connection."""

    def __init__(self, engine: EngineProcess) -> None:
        self._url = engine.url("/v1/completions")
        self.answers: list[httpx.Response] = []
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        body: dict[str, Any] = {"prompt": "two", "max_tokens": 1}
        while True:
            try:
                self.answers.append(httpx.post(self._url, json=body, timeout=60))
            except httpx.TransportError:  # it listens no more
                return
            time.sleep(0.1)

    def refused_politely(self) -> int:
        """Returns how many were refused, each of them as a drain refuses; 500 is none of these."""
        refused = [answer for answer in self.answers if answer.status_code != 200]
        assert {answer.status_code for answer in refused} <= {503}
        assert {answer.headers["x-rejected-reason"] for answer in refused} <= {"draining"}
        assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
        assert {answer.headers["connection"] for answer in refused} <= {"close"}
        return len(refused)


def mark_drain(engine: EngineProcess) -> None:
    """Does what a pod's preStop does first."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    engine.client.post(engine.ops("/-/drain"), headers=headers).raise_for_status()
