"""The facts of a recording that several claims ask for: when it grew, who was marked, who is known.

Everything here is found in the rows alone; nothing is believed that another row can check.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tests.demo.rows import Request, Sample

FINISHED = frozenset({"stop", "length"})
TOO_MANY_REQUESTS = 429
OK = 200


@dataclass(frozen=True)
class Mark:
    """A pod that was chosen to go, and when."""

    pod: str
    time: float


@dataclass(frozen=True)
class Turn:
    """All attempts of one turn of one session, in the order sent."""

    session: str
    number: int
    attempts: tuple[Request, ...]

    @property
    def sent(self) -> float:
        """When it was first sent."""
        return self.attempts[0].sent

    @property
    def end(self) -> float:
        """When the last attempt was over."""
        return self.attempts[-1].end

    @property
    def answered(self) -> bool:
        """True if its last attempt was answered to an end of the model's own."""
        return is_complete(self.attempts[-1])


def is_complete(request: Request) -> bool:
    """True for a stream that ended by stop or length."""
    return request.status == OK and request.finish_reason in FINISHED


@dataclass(frozen=True)
class Recording:
    """Both recordings of a run, sorted by time."""

    samples: Sequence[Sample]
    requests: Sequence[Request]

    @cached_property
    def sweeps(self) -> list[list[Sample]]:
        """The samples of each moment together, in order."""
        moments: dict[float, list[Sample]] = defaultdict(list)
        for sample in self.samples:
            moments[sample.time].append(sample)
        return [moments[time] for time in sorted(moments)]

    @cached_property
    def turns(self) -> list[Turn]:
        """Every turn of every session, by the time it was first sent."""
        attempts: dict[tuple[str, int], list[Request]] = defaultdict(list)
        for request in sorted(self.requests, key=lambda request: request.sent):
            attempts[request.session, request.turn].append(request)
        turns = [Turn(session, turn, tuple(rows)) for (session, turn), rows in attempts.items()]
        return sorted(turns, key=lambda turn: turn.sent)

    @cached_property
    def admitted_at(self) -> Mapping[str, float]:
        """When each session's first admitted request had been answered: known from then on."""
        times: dict[str, float] = {}
        for request in self.requests:
            if request.status == OK:
                times[request.session] = min(request.end, times.get(request.session, request.end))
        return times

    def is_known(self, request: Request) -> bool:
        """True if an earlier request of its session had been admitted; not read from the row."""
        admitted = self.admitted_at.get(request.session)
        return admitted is not None and admitted <= request.sent

    @cached_property
    def grown_at(self) -> float | None:
        """The first moment at which more replicas were asked for than before."""
        before: int | None = None
        for sweep in self.sweeps:
            desired = sweep[0].desired
            if before is not None and desired is not None and desired > before:
                return sweep[0].time
            before = desired if desired is not None else before
        return None

    @cached_property
    def new_pod(self) -> str | None:
        """The first pod that was not there before the fleet grew."""
        if self.grown_at is None:
            return None
        old = {row.pod for row in self.samples if row.time < self.grown_at}
        fresh = [row for row in self.samples if row.time >= self.grown_at and row.pod not in old]
        return min(fresh, key=lambda row: row.time).pod if fresh else None

    def ready_at(self, pod: str) -> float | None:
        """When a pod was first seen Ready."""
        return min((row.time for row in self.samples if row.pod == pod and row.ready), default=None)

    @cached_property
    def at_max(self) -> tuple[float, float] | None:
        """From when to when every replica of the largest fleet was Ready and none was leaving."""
        times = [
            sweep[0].time
            for sweep in self.sweeps
            if sweep[0].max_replicas is not None
            and sweep[0].desired == sweep[0].max_replicas
            and sum(row.ready for row in sweep) == sweep[0].max_replicas
            and not any(row.draining for row in sweep)
        ]
        return (times[0], times[-1]) if times else None

    @cached_property
    def refused_at_max(self) -> list[Request]:
        """The 429s that new sessions got while the fleet stood at its largest."""
        if self.at_max is None:
            return []
        first, last = self.at_max
        return [
            request
            for request in self.requests
            if request.status == TOO_MANY_REQUESTS
            and not self.is_known(request)
            and first <= request.sent <= last
        ]

    @cached_property
    def mark(self) -> Mark | None:
        """The first pod that was marked to leave."""
        marked = [row for row in self.samples if row.draining and row.pod]
        if not marked:
            return None
        first = min(marked, key=lambda row: row.time)
        since = [row.drain_since for row in marked if row.pod == first.pod and row.drain_since]
        return Mark(first.pod, min([first.time, *since]))
