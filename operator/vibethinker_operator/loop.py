"""The one asyncio loop that decides and writes: every resource once a second, each on its own."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from prometheus_client import Histogram

from vibethinker_operator import names
from vibethinker_operator.clock import Clock
from vibethinker_operator.errors import ClusterError
from vibethinker_operator.inventory import Snapshot

logger = logging.getLogger(__name__)

Tick = Callable[[Snapshot, float], Awaitable[None]]

TICK_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

STUCK_AFTER_SECONDS = 15.0
"""Age of the last round at which the loop counts as stuck: far beyond a slow round's own limits
(2 s of scrapes, 10 s of an API request), so only a loop that has stopped is restarted."""


class ReconcileLoop:
    """Starts one tick per resource each interval; a slow or failing one holds up no other."""

    def __init__(
        self,
        *,
        snapshots: Callable[[], Iterable[Snapshot]],
        tick: Tick,
        clock: Clock,
        interval_seconds: float,
    ) -> None:
        self._snapshots = snapshots
        self._tick = tick
        self._clock = clock
        self._interval_seconds = interval_seconds
        self._running: dict[str, asyncio.Task[None]] = {}
        self.last_round = clock.now()
        self.skipped_ticks = 0
        self.failed_ticks = 0
        self.tick_seconds = Histogram(
            names.METRIC_TICK_SECONDS,
            "Seconds that a tick of a fleet took, whatever came of it.",
            buckets=TICK_BUCKETS,
            registry=None,
        )

    async def run(self) -> None:
        """Runs until cancelled; nothing that happens inside a round ends it."""
        while True:
            started = self._clock.now()
            try:
                self._start_round(started)
            except Exception:
                logger.exception("a round could not be started; the next one follows in a second")
            else:
                # Only then: a loop that turns and never gets anywhere stands still, too.
                self.last_round = started
            spent = self._clock.now() - started
            await asyncio.sleep(max(0.0, self._interval_seconds - spent))

    def is_stuck(self) -> bool:
        """Returns whether the last round began too long ago."""
        return self._clock.now() - self.last_round > STUCK_AFTER_SECONDS

    def _start_round(self, now: float) -> None:
        for snapshot in self._snapshots():
            previous = self._running.get(snapshot.uid)
            if previous is not None and not previous.done():
                self.skipped_ticks += 1
                continue
            self._running[snapshot.uid] = asyncio.create_task(self._guarded(snapshot, now))

    async def _guarded(self, snapshot: Snapshot, now: float) -> None:
        started = self._clock.now()
        try:
            await self._tick(snapshot, now)
        except ClusterError as error:
            # A line a second is enough while the API server is away: the cause is not in our code.
            self.failed_ticks += 1
            logger.warning("%s/%s: this second's tick failed: %s", *snapshot.key, error)
        except Exception:
            self.failed_ticks += 1
            logger.exception("%s/%s: this second's tick failed", *snapshot.key)
        finally:
            self.tick_seconds.observe(self._clock.now() - started)
            self._running.pop(snapshot.uid, None)
