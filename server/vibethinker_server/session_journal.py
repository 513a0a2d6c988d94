"""What one pod tells its peers: the names of the sessions it let in, newest last.

A name goes out as the first 8 of its bytes. Peers ask every second and get what is new to them.
"""

from collections import deque
from secrets import token_hex
from threading import Lock

MAX_ENTRIES = 100_000
MAX_ANSWER = 20_000
DIGEST_BYTES = 8

Entry = tuple[str, int]


class SessionJournal:
    """Entries of name (16 hexadecimal digits) and expiry (unix seconds), with their number.

    Written by the event loop, read by threads of the ops port. `epoch` tells this process's
    numbers from those of the one before.
    """

    def __init__(self) -> None:
        self.epoch = token_hex(8)
        self._entries: deque[Entry] = deque(maxlen=MAX_ENTRIES)
        self._written = 0
        self._lock = Lock()

    def add(self, name: bytes, expires: float) -> None:
        """Notes that the session of `name` is known until `expires`."""
        with self._lock:
            self._entries.append((name[:DIGEST_BYTES].hex(), int(expires)))
            self._written += 1

    def after(self, number: int) -> tuple[int, list[Entry]]:
        """Returns at most MAX_ANSWER entries that follow entry `number`, and the last one's number.

        A number beyond what was written, as one of another process may be, counts as 0.
        """
        with self._lock:
            first = self._written - len(self._entries)
            begin = first if number > self._written else max(first, number)
            end = min(self._written, begin + MAX_ANSWER)
            return end, [self._entries[index - first] for index in range(begin, end)]
