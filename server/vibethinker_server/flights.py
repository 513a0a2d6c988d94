"""Requests that were let in and have not ended. Only the event loop writes.

What they may still take of the KV pool is committed when they are let in and given back when they
end, whether they finish or their client leaves: nobody else can be promised it meanwhile.
"""

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Flight:
    """One request: its session, and the tokens of KV it will likely hold at its end."""

    session_id: bytes
    tokens: int


class Flights:
    """Counts and commitments, in all and by session."""

    def __init__(self) -> None:
        self.count = 0
        self.committed_tokens = 0
        self._counts: Counter[bytes] = Counter()
        self._tokens: Counter[bytes] = Counter()

    def begin(self, flight: Flight) -> None:
        """Counts a request that is let in."""
        self.count += 1
        self.committed_tokens += flight.tokens
        self._counts[flight.session_id] += 1
        self._tokens[flight.session_id] += flight.tokens

    def end(self, flight: Flight) -> None:
        """Gives back what `begin` took."""
        self.count -= 1
        self.committed_tokens -= flight.tokens
        self._counts[flight.session_id] -= 1
        self._tokens[flight.session_id] -= flight.tokens
        if not self._counts[flight.session_id]:
            del self._counts[flight.session_id], self._tokens[flight.session_id]

    def count_of(self, session_id: bytes) -> int:
        """Returns how many requests of a session are in flight."""
        return self._counts.get(session_id, 0)

    def tokens_of(self, session_id: bytes) -> int:
        """Returns the tokens that a session's requests have committed."""
        return self._tokens.get(session_id, 0)
