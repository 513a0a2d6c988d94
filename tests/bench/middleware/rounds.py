"""Every contestant in every round, each round in another order."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tests.bench.middleware.answers import Kind
from tests.bench.middleware.figures import percentile
from tests.bench.middleware.load import Offered, offer, rotate
from tests.bench.middleware.processes import Served

Sample = TypeVar("Sample")


@dataclass(frozen=True)
class Cost:
    """What one second or so of load came to.

    Attributes:
        cpu_seconds: the server's CPU time of one request.
        asking_ratio: the share of the time in which the load generator itself was busy; near 1,
            it and not the server was what held back the rate.
    """

    cpu_seconds: float
    asking_ratio: float
    offered: Offered

    @property
    def per_second(self) -> float:
        """Requests answered in a second."""
        return self.offered.answered / self.offered.seconds

    def latency_seconds(self, share: float, kind: int | None = None) -> float:
        """Returns a percentile over all requests, or over those of one kind."""
        by_kind = self.offered.latencies
        chosen = by_kind if kind is None else [by_kind[kind]]
        return percentile([one for latencies in chosen for one in latencies], share)


def in_rounds(
    contestants: Mapping[str, Served],
    rounds: int,
    measure: Callable[[Served], Sample],
    *,
    seconds: float,
) -> dict[str, list[Sample]]:
    """Returns what `measure` says of each contestant, one sample a round.

    Each round has another order: who comes first must not be the one who always gains. After
    `seconds` no other round begins, so that a busy machine gets fewer rounds and not a longer run.
    """
    samples: dict[str, list[Sample]] = {name: [] for name in contestants}
    until = time.monotonic() + seconds
    for number in range(rounds):
        if number and time.monotonic() >= until:
            break
        for name in rotate(list(contestants), number):
            samples[name].append(measure(contestants[name]))
    return samples


def measure_cost(
    served: Served, kinds: Sequence[Kind], *, connections: int, seconds: float
) -> Cost:
    """Returns what `kinds` cost the server under load.

    Raises:
        WrongAnswerError: it answered otherwise than the kinds say.
        ValueError: nothing was answered.
    """
    before, own = served.cpu_seconds(), time.process_time()
    offered = offer(served.port, kinds, connections=connections, seconds=seconds)
    spent, own = served.cpu_seconds() - before, time.process_time() - own
    if not offered.answered:
        raise ValueError(f"nothing was answered within {seconds} s")
    return Cost(spent / offered.answered, own / offered.seconds, offered)
