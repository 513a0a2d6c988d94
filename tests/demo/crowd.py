"""The sessions of a run: newcomers knock, those let in talk until they are sent home."""

import asyncio
from collections.abc import Sequence

from tests.demo.session import Ledger, Session
from tests.demo.settings import Load

# A session whose turns fail that often in a row goes home: no endless knocking.
PATIENCE_TURNS = 3


class Crowd:
    """All users of one run. Nobody talks any more once `close` has returned."""

    def __init__(self, *, url: str, model: str, load: Load, ledger: Ledger) -> None:
        self.members: list[Session] = []
        self._url = url
        self._model = model
        self._load = load
        self._ledger = ledger
        self._leaving: set[str] = set()
        self._closed = asyncio.Event()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def size(self) -> int:
        """How many sessions ever knocked."""
        return len(self._tasks)

    def arrive(self) -> asyncio.Event:
        """Send one newcomer; the event says that the first answer, or its refusal, has begun."""
        number = self.size + 1
        session = Session(
            number=number,
            url=self._url,
            model=self._model,
            style=self._load.styles[number % len(self._load.styles)],
            ledger=self._ledger,
        )
        begun = asyncio.Event()
        self._tasks[session.name] = asyncio.create_task(self._live(session, begun))
        return begun

    def keep(self, chosen: Sequence[Session]) -> None:
        """Send everybody but these home, each after the turn it is in; nobody knocks any more."""
        kept = {session.name for session in chosen}
        self._leaving = set(self._tasks) - kept
        self._closed.set()

    async def close(self) -> None:
        """Wait until every session has ended the turn that it is in."""
        self.keep([])
        await asyncio.gather(*self._tasks.values())

    async def _live(self, session: Session, begun: asyncio.Event) -> None:
        try:
            if not await self._knock(session, begun):
                return
            self.members.append(session)
            failed = 0
            while session.name not in self._leaving and failed < PATIENCE_TURNS:
                answered = await session.take_turn(attempts=self._load.known_attempts)
                failed = 0 if answered else failed + 1
            self.members.remove(session)
        finally:
            begun.set()
            await session.close()

    async def _knock(self, session: Session, begun: asyncio.Event) -> bool:
        """Ask the first question; True once it is let in, False when the newcomer gives up."""
        session.asked = 1
        for attempt in range(1, self._load.newcomer_attempts + 1):
            answer = await session.attempt(attempt, begun.set)
            begun.set()
            if session.known:
                return True
            if attempt < self._load.newcomer_attempts and await self._shut(answer.wait_seconds):
                return False
        return False

    async def _shut(self, within_seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._closed.wait(), within_seconds)
        except TimeoutError:
            return False
        return True


def spread_over(members: Sequence[Session], pods: Sequence[str], count: int) -> list[Session]:
    """At most `count` members of each pod, by the pod that answered them last."""
    chosen: list[Session] = []
    for pod in pods:
        chosen += [session for session in members if session.pod == pod][:count]
    return chosen
