"""Watches one fleet's size and its resource's generation, three times a second, through it all."""

import threading
import time
from collections import Counter
from types import TracebackType
from typing import Self

import httpx

from tests.integration.operations.fleet import Fleet

SAMPLE_SECONDS = 0.3


class Sampler:
    """Samples while its block runs; `first_seen` has the moment (monotonic) of each size."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._counted: Counter[tuple[int | None, int]] = Counter()
        self._missed = 0
        self.first_seen: dict[int | None, float] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    @property
    def replicas(self) -> set[int | None]:
        """Every `.spec.replicas` that was seen; None: there was no Deployment."""
        return {replicas for replicas, _ in self._counted}

    @property
    def generations(self) -> set[int]:
        """Every generation of the resource that was seen."""
        return {generation for _, generation in self._counted}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def __str__(self) -> str:
        seen = ", ".join(
            f"{count} times {replicas} replicas at generation {generation}"
            for (replicas, generation), count in self._counted.items()
        )
        return f"{self._fleet.name}: {seen}; {self._missed} samples missed"

    def _run(self) -> None:
        ended = False
        while not ended:
            ended = self._ended.wait(SAMPLE_SECONDS)
            # Once more after the end: what the block waited for last is seen too.
            self._sample()

    def _sample(self) -> None:
        try:
            resource, replicas = self._fleet.resource(), self._fleet.replicas()
        except httpx.TransportError:
            self._missed += 1
            return
        assert resource is not None
        self.first_seen.setdefault(replicas, time.monotonic())
        self._counted[replicas, int(resource["metadata"]["generation"])] += 1
