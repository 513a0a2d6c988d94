"""Streamed chats of many people at one fleet, counted to their ends."""

import itertools
import json
import time
from collections import Counter
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from threading import Event
from types import TracebackType
from typing import Self

import httpx

from tests.integration.operations.fleet import Fleet

PAUSE_SECONDS = 0.5


@dataclass
class Ends:
    """How streams ended.

    Attributes:
        finished: whole ones, by finish_reason and by the pod that served them.
        cut: those that began and did not come to an end, each with the reason.
        refused: answers with another status than 200, by status and reason.
    """

    finished: Counter[tuple[str, str]] = field(default_factory=Counter)
    cut: list[str] = field(default_factory=list)
    refused: Counter[tuple[int, str]] = field(default_factory=Counter)


class Crowd(AbstractContextManager["Crowd"]):
    """People who ask the fleet's Service one streamed chat after the other while the block runs."""

    def __init__(self, fleet: Fleet, people: int, tokens: int) -> None:
        self._fleet, self._people, self._tokens = fleet, people, tokens
        self._enough = Event()
        self._numbers = itertools.count()
        self._asked: list[Future[None]] = []
        self.ends = Ends()

    def __enter__(self) -> Self:
        url = f"{self._fleet.url()}/v1/chat/completions"
        begin = self._fleet.kube.network.begin
        self._asked = [begin(self._ask_on, url) for _ in range(self._people)]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._enough.set()
        for asked in self._asked:
            asked.result()

    def _ask_on(self, url: str) -> None:
        while not self._enough.is_set():
            self._ask(url)
            time.sleep(PAUSE_SECONDS)

    def _ask(self, url: str) -> None:
        word = f"What is {next(self._numbers)} times seven? Explain."
        body = {
            "messages": [{"role": "user", "content": word}],
            "max_tokens": self._tokens,
            "stream": True,
            "ignore_eos": True,
        }
        try:
            with httpx.stream("POST", url, json=body, timeout=300) as answer:
                if answer.status_code != httpx.codes.OK:
                    reason = answer.headers.get("x-rejected-reason", "none")
                    self.ends.refused[answer.status_code, reason] += 1
                    return
                pod = answer.headers["x-served-by"]
                self._follow(pod, answer)
        except httpx.ConnectError:  # nobody was asked: a proxy that just learns of a pod
            self.ends.refused[0, "no connection"] += 1
        except httpx.HTTPError as error:
            self.ends.cut.append(repr(error))

    def _follow(self, pod: str, answer: httpx.Response) -> None:
        reason, last = None, ""
        for line in answer.iter_lines():
            last = line or last
            if line.startswith("data: {"):
                choices = json.loads(line[6:]).get("choices") or [{}]
                reason = choices[0].get("finish_reason") or reason
        if last == "data: [DONE]" and reason is not None:
            self.ends.finished[pod, reason] += 1
        else:
            self.ends.cut.append(f"{pod}: ended with {last!r}")
