"""Who may be at llama-server: no more sequences than it has slots, no more KV than its pool holds.

llama-server itself queues without bound, first come first served, and where its pool runs out it
fails every request that runs. So requests wait here: known sessions first, then by arrival, and
each until its longest possible answer has room beside those of all who are seated.
"""

import asyncio
import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Need:
    """What one request takes at most.

    Attributes:
        sequences: slots of llama-server.
        tokens: of the KV pool, at the end of its longest answers.
        prompt_tokens: of its prompt, an estimate.
    """

    sequences: int
    tokens: int
    prompt_tokens: int


@dataclass(eq=False, slots=True)
class Seat:
    """One request that is at llama-server; `begun`: it has been given its first token."""

    need: Need
    since: float
    begun: bool = False


@dataclass(order=True, slots=True)
class _Waiting:
    priority: int
    number: int
    need: Need = field(compare=False)
    turn: asyncio.Future[Seat] = field(compare=False)


class Seats:
    """Gives out seats. Only the event loop calls it."""

    def __init__(self, slots: int, pool_tokens: int, monotonic: Callable[[], float]) -> None:
        self._slots = slots
        self._pool_tokens = pool_tokens
        self._monotonic = monotonic
        self._free_slots = slots
        self._free_tokens = pool_tokens
        self._number = 0
        self._waiting: list[_Waiting] = []
        self._seated: dict[Seat, None] = {}

    @property
    def waiting(self) -> int:
        """Requests that wait for a seat."""
        return sum(not one.turn.done() for one in self._waiting)

    @property
    def seated(self) -> Sequence[Seat]:
        """Those who have one, in the order in which they got it."""
        return tuple(self._seated)

    async def take(self, priority: int, need: Need) -> Seat:
        """Returns a seat as soon as there is one.

        Args:
            priority: vLLM's: lower goes first.
            need: what the request takes at most; more than there is counts as all of it.
        """
        most = Need(
            min(need.sequences, self._slots),
            min(need.tokens, self._pool_tokens),
            need.prompt_tokens,
        )
        self._number += 1
        turn: asyncio.Future[Seat] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, _Waiting(priority, self._number, most, turn))
        self._call()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave(turn.result())
            turn.cancel()
            self._call()
            raise

    def leave(self, seat: Seat) -> None:
        """Gives a seat back."""
        del self._seated[seat]
        self._free_slots += seat.need.sequences
        self._free_tokens += seat.need.tokens
        self._call()

    def backlog_tokens(self) -> int:
        """Returns the prompt tokens of requests that have no first token yet."""
        waiting = sum(one.need.prompt_tokens for one in self._waiting if not one.turn.done())
        seated = (seat.need.prompt_tokens for seat in self._seated if not seat.begun)
        return waiting + sum(seated)

    def _call(self) -> None:
        """Seats those whose turn it is. Who does not fit holds up all behind: none may starve."""
        while self._waiting:
            first = self._waiting[0]
            if not first.turn.done():
                if not self._fits(first.need):
                    return
                first.turn.set_result(self._seat(first.need))
            heapq.heappop(self._waiting)

    def _fits(self, need: Need) -> bool:
        return need.sequences <= self._free_slots and need.tokens <= self._free_tokens

    def _seat(self, need: Need) -> Seat:
        seat = Seat(need, self._monotonic())
        self._seated[seat] = None
        self._free_slots -= need.sequences
        self._free_tokens -= need.tokens
        return seat
