"""What this pod was told and when: policy, lease, and whether it drains.

Written by the ops port's threads and by the signal handler, read by the event loop. Every value
is replaced whole, so that readers need no lock.
"""

from dataclasses import dataclass
from threading import Lock

from vibethinker_server.policy import Growth, Lease, Policy

# While endpoints change elsewhere, a draining pod still answers everybody (design, section 8).
DRAIN_GRACE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The lease as it stands at one moment; seconds until relief, None if none is known."""

    growth: Growth
    relief_seconds: float | None
    move_connections: bool


@dataclass(frozen=True, slots=True)
class Drain:
    """A drain that began at `since`; one that a signal began is final."""

    since: float
    by_signal: bool


@dataclass(frozen=True, slots=True)
class _Received:
    lease: Lease
    at: float


# Without a lease the pod protects itself: nobody says that help is coming.
ALONE = Verdict(growth=Growth.CANNOT_GROW, relief_seconds=None, move_connections=False)


class Fleet:
    """Holds the newest policy, lease and drain. Times are seconds of one monotonic clock."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._received: _Received | None = None
        self._drain: Drain | None = None
        self._lock = Lock()

    @property
    def policy(self) -> Policy:
        """The policy that is obeyed now."""
        return self._policy

    @property
    def peers(self) -> tuple[str, ...]:
        """Addresses of the fleet's pods as the last lease named them, also once it has expired."""
        return () if self._received is None else self._received.lease.peers

    def accept(self, policy: Policy | None, lease: Lease, now: float) -> None:
        """Obeys `policy` from now on, None: the one it has, and `lease` until it expires."""
        self._policy = policy or self._policy
        self._received = _Received(lease, now)

    def verdict(self, now: float) -> Verdict:
        """Returns what the lease says at `now`, or ALONE once it has expired."""
        received = self._received
        if received is None or not 0 <= now - received.at < received.lease.ttl_seconds:
            return ALONE
        lease, age = received.lease, now - received.at
        relief = None if lease.relief_seconds is None else max(0.0, lease.relief_seconds - age)
        return Verdict(lease.growth, relief, lease.move_connections)

    def mark_drain(self, now: float, *, by_signal: bool = False) -> None:
        """Begins to drain; a drain that lasts keeps its beginning, a signal makes it final."""
        with self._lock:
            since = now if self._drain is None else self._drain.since
            final = by_signal or (self._drain is not None and self._drain.by_signal)
            self._drain = Drain(since, final)

    def undo_drain(self) -> bool:
        """Ends the drain; False when a signal began it, for then the process is ending."""
        with self._lock:
            if self._drain is not None and self._drain.by_signal:
                return False
            self._drain = None
            return True

    def draining_seconds(self, now: float) -> float | None:
        """Returns for how long this pod has drained, None when it does not."""
        drain = self._drain
        return None if drain is None else max(0.0, now - drain.since)
