"""Knative's pod autoscaler (KPA).

Knative Serving v0.51.0: pkg/autoscaler/scaling/autoscaler.go (a turn every 2 s), the collector and
its windows in pkg/autoscaler/metrics, defaults of pkg/autoscaler/config/config.go, bounds of
pkg/reconciler/autoscaling/kpa/scaler.go.

Ported: stable and panic windows, panic mode (also that of an autoscaler that starts beside more
than one pod), rates up and down, delay on the way down, the sample of pods, bounds. Not ported:
zero replicas and the activator before them, which is in the path also when burst capacity is short;
weighted windows; the change of settings while it runs.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tests.bench.sim.peers.cadence import Cadence
from tests.bench.sim.peers.kpa_scrape import SCRAPE_SECONDS, scrape
from tests.bench.sim.peers.kpa_window import MaxWindow, MeanWindow
from tests.bench.sim.peers.pods import PodView

TICK_SECONDS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Knative's settings at their defaults.

    Attributes:
        target: Requests in flight per pod: 70 % of 100.
        stable_seconds: Stable window, whole seconds.
        panic_percent: Panic window, in percent of the stable one.
        panic_threshold: Panic begins where this many times the ready pods are wanted.
        max_up_rate: Most pods wanted, in times of those ready.
        max_down_rate: Fewest pods wanted are those ready over this.
        down_delay_seconds: The most pods wanted in this long are kept.
        minimum: Fewest replicas.
        maximum: Most replicas; 0 for no bound.
    """

    target: float = 70.0
    stable_seconds: int = 60
    panic_percent: float = 10.0
    panic_threshold: float = 2.0
    max_up_rate: float = 1000.0
    max_down_rate: float = 2.0
    down_delay_seconds: int = 0
    minimum: int = 1
    maximum: int = 0

    @property
    def panic_seconds(self) -> int:
        """Length of the panic window."""
        return max(1, math.floor(self.stable_seconds * self.panic_percent / 100 + 0.5))


class Kpa:
    """One revision's autoscaler.

    Args:
        settings: Its settings.
        ready: Ready pods when it starts.
        now: Seconds when it starts.
        metric: What a pod has in flight.
        chance: Draws the sample of pods.
    """

    def __init__(
        self, settings: Settings, *, ready: int, now: float, metric: str, chance: random.Random
    ) -> None:
        self._settings, self._metric, self._chance = settings, metric, chance
        self._stable = MeanWindow(settings.stable_seconds)
        self._panic = MeanWindow(settings.panic_seconds)
        self._panic_since = now if ready > 1 else None
        self._most_in_panic = ready
        self._delay = None
        if settings.down_delay_seconds:
            self._delay = MaxWindow(settings.down_delay_seconds, TICK_SECONDS)
        self._scrapes, self._ticks = Cadence(SCRAPE_SECONDS), Cadence(TICK_SECONDS)

    def sweep(self, now: float, current: int, pods: Sequence[PodView]) -> int:
        """Returns the replicas wanted; reads the pods first if that has its turn."""
        if self._scrapes.is_due(now):
            young_seconds = self._settings.stable_seconds
            self.record(now, scrape(pods, self._metric, now, young_seconds, self._chance))
        if not self._ticks.is_due(now):
            return current
        wanted = self.recommend(now, sum(pod.ready and not pod.terminating for pod in pods))
        return current if wanted is None else self.bound(wanted)

    def record(self, now: float, total: float | None) -> None:
        """Takes the fleet's total of a second; None if it is not known."""
        if total is not None:
            self._stable.record(now, total)
            self._panic.record(now, total)

    def means(self, now: float) -> tuple[float, float]:
        """Returns the means over the stable and the panic window."""
        return self._stable.mean(now), self._panic.mean(now)

    def bound(self, wanted: int) -> int:
        """Returns the replicas within their bounds."""
        lifted = max(self._settings.minimum, wanted)
        return min(self._settings.maximum, lifted) if self._settings.maximum else lifted

    def recommend(self, now: float, ready: int) -> int | None:
        """Returns the pods wanted, without bounds; None where nothing is known.

        Args:
            now: Seconds.
            ready: Ready pods.
        """
        if self._stable.is_empty(now):
            return None
        pods = max(1, ready)
        means = self.means(now)
        stable, in_panic = (math.ceil(mean / self._settings.target) for mean in means)
        self._turn(now, in_panic / pods >= self._settings.panic_threshold)
        wanted = self._limit(stable, pods)
        if self._panic_since is not None:
            wanted = max(wanted, self._limit(in_panic, pods), self._most_in_panic)
            self._most_in_panic = wanted
        return wanted if self._delay is None else self._delay.add(now, wanted)

    def _turn(self, now: float, over: bool) -> None:
        stable_seconds = self._settings.stable_seconds
        if over:
            self._panic_since = now
        elif self._panic_since is not None and now - self._panic_since > stable_seconds:
            self._panic_since, self._most_in_panic = None, 0

    def _limit(self, wanted: int, pods: int) -> int:
        most = math.ceil(self._settings.max_up_rate * pods)
        fewest = math.floor(pods / self._settings.max_down_rate)
        return min(max(wanted, fewest), most)
