"""The sessions that other pods of the fleet let in, as they tell us. Known here too."""

from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock

from vibethinker_server.expiry import drop_oldest
from vibethinker_server.session_journal import DIGEST_BYTES, Entry

MAX_SESSIONS = 100_000


class PeerSessions:
    """Names with their expiry in unix seconds. Written by the reader's thread."""

    def __init__(self) -> None:
        self._expiry: OrderedDict[str, int] = OrderedDict()
        self._lock = Lock()

    def merge(self, entries: Iterable[Entry], now: float) -> None:
        """Takes what one peer told; what is over, and the oldest beyond MAX_SESSIONS, goes."""
        with self._lock:
            for digest, expires in entries:
                if expires > max(now, self._expiry.get(digest, 0)):
                    self._expiry[digest] = expires
                    self._expiry.move_to_end(digest)
            drop_oldest(self._expiry, float, now=now, most=MAX_SESSIONS)

    def knows(self, name: bytes, now: float) -> bool:
        """Returns whether a peer let the session of `name` in within its time."""
        return self._expiry.get(name[:DIGEST_BYTES].hex(), 0) > now

    @property
    def count(self) -> int:
        """How many sessions peers told of."""
        return len(self._expiry)
