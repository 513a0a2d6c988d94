"""Everything that is known in one sweep, and what a rule says to it."""

from dataclasses import dataclass

from vibethinker_operator.demand import Demand
from vibethinker_operator.needs import Needs
from vibethinker_operator.observed import Observed
from vibethinker_operator.scaling import Reason, Rule, ScalingPolicy, ScalingState, Withdrawal
from vibethinker_operator.signals import Signals
from vibethinker_operator.stabilization import NeedHistory
from vibethinker_operator.step_model import StepModel
from vibethinker_operator.streak import Signal, Track, is_sustained, remaining_seconds
from vibethinker_operator.supply import Supply


@dataclass(frozen=True, slots=True)
class Wanted:
    """What load asks for: the replicas, by which measure, and the line that stayed crossed."""

    replicas: int
    signal: Signal
    crossed: Signal


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that is known in one sweep.

    Attributes:
        policy: What the resource asks.
        observed: The fleet.
        signals: Its load.
        supply: Its replicas, there and coming.
        demand: The load that replicas are wanted for.
        needs: Replicas needed by each measure.
        model: What a replica's time goes into; None while too little was seen.
        state: What is remembered, this sweep included.
        now: Unix seconds.
    """

    policy: ScalingPolicy
    observed: Observed
    signals: Signals
    supply: Supply
    demand: Demand
    needs: Needs
    model: StepModel | None
    state: ScalingState
    now: float

    @property
    def replicas(self) -> int:
        """What the Deployment is asked to run."""
        return self.supply.replicas

    @property
    def history(self) -> NeedHistory:
        """Needs of the stabilization window."""
        return self.state.history

    @property
    def withdrawal(self) -> Withdrawal | None:
        """A step that was taken back and may not be asked for again yet."""
        taken = self.state.withdrawal
        event = self.observed.room_event_at
        if taken is None or taken.is_closed(room_event_at=event, now=self.now):
            return None
        return taken

    @property
    def crossed(self) -> tuple[Track, ...]:
        """The lines that are crossed, the one that will count soonest first."""
        crossed = (track for track in self.state.tracks if track.since is not None)
        return tuple(sorted(crossed, key=lambda track: self.remaining_seconds(track) or 0.0))

    @property
    def sustained(self) -> tuple[Signal, ...]:
        """The lines that stayed crossed long enough."""
        return tuple(
            track.signal
            for track in self.state.tracks
            if is_sustained(
                track, window_seconds=self.policy.window_seconds(track.signal), now=self.now
            )
        )

    @property
    def rolling(self) -> bool:
        """Whether pods of more than one template run: nobody can then say which of them goes."""
        return self.observed.replica_set_count_with_pods > 1

    @property
    def running_expected(self) -> float | None:
        """Requests that the fleet will run once a new replica would be ready; None: unknown.

        Infinite where the fleet cannot carry the load.
        """
        flow, ready = self.demand.flow, self.signals.ready
        if self.model is None or flow is None or not ready:
            return None
        return self.model.running_each(flow, ready) * ready

    def remaining_seconds(self, track: Track) -> float | None:
        """Returns for how long this line must still stay crossed."""
        window = self.policy.window_seconds(track.signal)
        return remaining_seconds(track, window_seconds=window, now=self.now)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a rule says: a number, and why."""

    replicas: int
    rule: Rule
    reason: Reason
    message: str


def find_wanted(case: Case) -> Wanted | None:
    """Returns what load asks for; None while no line has stayed crossed."""
    sustained = case.sustained
    if not sustained:
        return None
    needs = dict(case.needs.by_signal)
    if Signal.MEMORY in sustained and case.signals.memory_refused:
        # Readings below the line while clients are sent away: one more than serve now, at least.
        needs[Signal.MEMORY] = max(needs[Signal.MEMORY] or 0, case.signals.ready + 1)
    known = [(need, s in sustained, s) for s, need in needs.items() if need is not None]
    if not known:
        return None
    replicas, _, signal = max(known, key=lambda item: item[:2])
    return Wanted(replicas, signal, signal if signal in sustained else sustained[0])
