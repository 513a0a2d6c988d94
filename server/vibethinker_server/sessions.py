"""The sessions that this pod let in lately: whose, until when, and under which names.

The event loop notes sessions and asks for them; threads of the ops port forget what expired, read
counts and read the journal.
"""

from collections import Counter, OrderedDict
from dataclasses import dataclass
from threading import Lock

from vibethinker_server.expiry import drop_oldest
from vibethinker_server.session_journal import SessionJournal

MAX_SESSIONS = 100_000


@dataclass(slots=True)
class _Known:
    key: str | None
    expires: float


@dataclass(slots=True)
class _Named:
    session_id: bytes
    expires: float


class Sessions:
    """Sessions by id and ids by name, oldest renewal first. Times are unix seconds.

    Ids and names have 16 bytes. A name is what a header or a conversation calls a session.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._named: OrderedDict[bytes, _Named] = OrderedDict()
        self._by_key: Counter[str | None] = Counter()
        self._lock = Lock()
        self.journal = SessionJournal()
        self.count = 0

    def renew(
        self, session_id: bytes, key: str | None, name: bytes | None, expires: float, now: float
    ) -> None:
        """Notes a session of `key` as known until `expires`, also under `name`, if any."""
        with self._lock:
            if session_id not in self._known:
                self._by_key[key] += 1
            self._known[session_id] = _Known(key, expires)
            self._known.move_to_end(session_id)
            if name is not None:
                self._named[name] = _Named(session_id, expires)
                self._named.move_to_end(name)
                self.journal.add(name, expires)
            self._drop(now)

    def id_of(self, name: bytes, now: float) -> bytes | None:
        """Returns the id of the session that goes by `name`, None where this pod knows none."""
        named = self._named.get(name)
        return named.session_id if named is not None and named.expires > now else None

    def knows(self, session_id: bytes, now: float) -> bool:
        """Returns whether this pod let that session in within its time."""
        known = self._known.get(session_id)
        return known is not None and known.expires > now

    def count_of(self, key: str | None) -> int:
        """Returns how many sessions of `key` are known here."""
        return self._by_key[key]

    def forget_expired(self, now: float) -> None:
        """Drops the sessions whose time is over, and the oldest beyond MAX_SESSIONS."""
        with self._lock:
            self._drop(now)

    def _drop(self, now: float) -> None:
        for gone in drop_oldest(self._known, lambda one: one.expires, now=now, most=MAX_SESSIONS):
            self._by_key[gone.key] -= 1
            if not self._by_key[gone.key]:
                del self._by_key[gone.key]
        drop_oldest(self._named, lambda one: one.expires, now=now, most=MAX_SESSIONS)
        self.count = len(self._known)
