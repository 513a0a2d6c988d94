"""The sessions this pod let in lately: a bounded count, for the metric only."""

from collections import OrderedDict

MAX_SESSIONS = 100_000


class Sessions:
    """Session ids with their expiry in unix seconds, oldest renewal first."""

    def __init__(self) -> None:
        self._expiry: OrderedDict[bytes, float] = OrderedDict()
        self.count = 0

    def renew(self, session_id: bytes, expires: float, now: float) -> None:
        """Notes a session as known until `expires`, and forgets those that are over."""
        self._expiry[session_id] = expires
        self._expiry.move_to_end(session_id)
        if len(self._expiry) > MAX_SESSIONS:
            self._expiry.popitem(last=False)
        self.forget_expired(now)

    def forget_expired(self, now: float) -> None:
        """Drops the sessions whose time is over. All live equally long, so the oldest go first."""
        while self._expiry and next(iter(self._expiry.values())) <= now:
            self._expiry.popitem(last=False)
        self.count = len(self._expiry)
