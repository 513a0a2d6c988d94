"""The story of a run: idle, fill one replica, grow, overload two, shrink, rest."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from http import HTTPStatus

from tests.demo.chat import Clock
from tests.demo.crowd import Crowd, spread_over
from tests.demo.rows import Request, Sample
from tests.demo.session import Ledger
from tests.demo.settings import Load

STEP_SECONDS = 0.25


class PhaseTimeoutError(Exception):
    """A phase did not reach its end within its bound."""


class Story:
    """Runs the phases one after another; `phase` names the present one in every row."""

    def __init__(
        self,
        *,
        crowd: Crowd,
        ledger: Ledger,
        load: Load,
        clock: Clock,
        fleet: Callable[[], Sequence[Sample]],
    ) -> None:
        self.phase = "start"
        self._crowd = crowd
        self._ledger = ledger
        self._load = load
        self._clock = clock
        self._fleet = fleet
        self._full_at = float("-inf")

    async def run(self) -> None:
        """Tell the story to its end; nobody talks any more once it returns or raises.

        Raises:
            PhaseTimeoutError: a phase overran its bound; what was recorded until then stands.
        """
        try:
            await self._tell()
        finally:
            await self._crowd.close()

    async def _tell(self) -> None:
        load = self._load
        await self._until(lambda: _ready(self._fleet()) >= 1, load.start_seconds)
        self.phase = "idle"
        await asyncio.sleep(load.idle_seconds)
        self.phase = "fill"
        await self._ramp_until(self._grown, load.fill_seconds)
        self.phase = "grow"
        await self._until(lambda: _ready(self._fleet()) >= 2, load.grow_seconds)
        self.phase = "overload"
        await self._ramp_until(self._overload_shown, load.overload_seconds)
        self.phase = "shrink"
        await self._leave_streams()
        await self._until(self._shrunk, load.shrink_seconds)
        await self._crowd.close()
        self.phase = "rest"
        await asyncio.sleep(load.rest_seconds)

    async def _leave_streams(self) -> None:
        pods = sorted({row.pod for row in self._fleet() if row.ready})
        chosen = spread_over(self._crowd.members, pods, self._load.streams_per_pod)
        for session in chosen:
            session.change_topic(self._load.lingering)
            session.stay()
        self._crowd.keep(chosen)

    async def _ramp_until(self, done: Callable[[], bool], limit_seconds: float) -> None:
        """Let newcomers arrive, a few at a time, while there is room below the line."""
        deadline = self._clock() + limit_seconds
        prefilling: list[asyncio.Event] = []
        last_arrival = 0.0
        while not done():
            if self._clock() > deadline:
                raise PhaseTimeoutError(f"phase {self.phase}: no end within {limit_seconds:.0f} s")
            prefilling = [begun for begun in prefilling if not begun.is_set()]
            now = self._clock()
            if _all_full(self._fleet(), self._load):
                self._full_at = now
            if self._may_arrive(len(prefilling), now - last_arrival, now - self._full_at):
                prefilling.append(self._crowd.arrive())
                last_arrival = now
            await asyncio.sleep(STEP_SECONDS)

    def _may_arrive(
        self, prefilling: int, since_arrival_seconds: float, since_full_seconds: float
    ) -> bool:
        load = self._load
        if self._crowd.size >= load.most_sessions:
            return False
        if prefilling >= load.prefilling * max(1, _ready(self._fleet())):
            return False
        # Memory dips between turns: a full replica is not to be filled further in a dip.
        if since_full_seconds > load.full_seconds:
            return True
        if self.phase != "overload":
            return False
        # Newcomers go on knocking at a closed door: that is what is shown.
        pause = load.arrival_seconds if self._door_closed() else load.closing_arrival_seconds
        return since_arrival_seconds >= pause

    def _grown(self) -> bool:
        return any((row.desired or 0) > 1 for row in self._fleet())

    def _shrunk(self) -> bool:
        fleet = self._fleet()
        return len(fleet) == 1 and fleet[0].desired == 1 and fleet[0].ready

    def _refusals(self) -> list[Request]:
        return [
            request
            for request in self._ledger.requests
            if request.phase == "overload" and request.status == HTTPStatus.TOO_MANY_REQUESTS
        ]

    def _door_closed(self) -> bool:
        return bool(self._refusals())

    def _overload_shown(self) -> bool:
        refusals = self._refusals()
        if len({request.session for request in refusals}) < self._load.refused_sessions:
            return False
        begun = min(request.sent for request in refusals)
        turns = Counter(
            request.session
            for request in self._ledger.requests
            if request.known and request.sent >= begun and request.finish_reason
        )
        served = sum(1 for count in turns.values() if count >= self._load.served_turns)
        return served >= self._load.served_sessions

    async def _until(self, done: Callable[[], bool], limit_seconds: float) -> None:
        deadline = self._clock() + limit_seconds
        while not done():
            if self._clock() > deadline:
                raise PhaseTimeoutError(f"phase {self.phase}: no end within {limit_seconds:.0f} s")
            await asyncio.sleep(STEP_SECONDS)


def _ready(fleet: Sequence[Sample]) -> int:
    return sum(1 for row in fleet if row.ready and not row.draining)


def _all_full(fleet: Sequence[Sample], load: Load) -> bool:
    known = [row for row in fleet if row.ready and row.live is not None]
    return bool(known) and all(_is_full(row, load) for row in known)


def _is_full(row: Sample, load: Load) -> bool:
    # A queue says that prompts come faster than they are read, whatever memory says.
    return (row.live or 0.0) > load.line + load.margin or (row.queue or 0) >= load.full_queue
