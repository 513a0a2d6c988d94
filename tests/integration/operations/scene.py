"""A minute of life for three fleets: calm, a storm, and calm again."""

import itertools
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager, suppress
from threading import Event
from types import TracebackType
from typing import Any, Self

import httpx

from tests.integration.operations.fleet import Fleet, is_ready
from tests.integration.operations.kube import wait_for

CAP = 16
COMMON = {"saturation": {"sustainedSeconds": 2}, "tokenLimits": {"qa": CAP}}
FLEETS: dict[str, dict[str, Any]] = {
    "full": {**COMMON, "engine": {"maxNumSeqs": 2}},
    "growing": {**COMMON, "scaling": {"maxReplicas": 4, "scaleDownStabilizationSeconds": 5}},
    "advised": {**COMMON, "scaling": {"mode": "Advisory", "maxReplicas": 3}},
}
FULL = 0.9
"""Above the line of memory, below the one at which every pod refuses newcomers."""

CALM_SECONDS = 10.0
CLIENTS = 4
AFTER_SECONDS = 3.0
"""The last step is in Prometheus, too."""
ASK_AGAIN_SECONDS = 0.5


class Traffic(AbstractContextManager["Traffic"]):
    """Four clients for each fleet, each request a new session, streamed, until the block ends."""

    def __init__(self, fleets: dict[str, Fleet]) -> None:
        self._fleets = fleets
        self._enough = Event()
        self._numbers = itertools.count()
        self._asked: list[Future[None]] = []
        self.statuses: dict[str, list[int]] = {name: [] for name in fleets}

    def __enter__(self) -> Self:
        for name, fleet in self._fleets.items():
            url = fleet.url()
            for _ in range(CLIENTS):
                self._asked.append(fleet.kube.network.begin(self._ask, name, url))
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

    def _ask(self, name: str, url: str) -> None:
        while not self._enough.wait(ASK_AGAIN_SECONDS):
            word = f"word {next(self._numbers)}"
            body = {"messages": [{"role": "user", "content": word}], "stream": True}
            path = f"{url}/v1/chat/completions"
            # The Service learns of a pod a moment after it is Ready.
            with suppress(httpx.ConnectError):
                answer = httpx.post(path, json=body, headers={"X-Task": "qa"}, timeout=60)
                self.statuses[name].append(answer.status_code)


def play(fleets: dict[str, Fleet], in_the_storm: Callable[[], None]) -> Traffic:
    """Plays the scene to its end and returns what the clients met.

    Args:
        fleets: FLEETS, made.
        in_the_storm: called once the growing fleet has grown and the full one refuses.
    """
    loaded = {fleet: fleet.wait_ready(1) for fleet in fleets.values()}
    growing = fleets["growing"]
    with Traffic(fleets) as traffic:
        time.sleep(CALM_SECONDS)
        for fleet, pods in loaded.items():
            fleet.set_kv_usage(FULL, pods)
        wait_for(lambda: sum(map(is_ready, growing.pods())) > 1, "a second pod that serves")
        wait_for(lambda: 429 in traffic.statuses["full"], "a refusal by a fleet that may not grow")
        in_the_storm()
        for fleet, pods in loaded.items():
            fleet.set_kv_usage(None, pods)
        growing.wait_ready(1)
        time.sleep(AFTER_SECONDS)
    return traffic
