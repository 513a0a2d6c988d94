"""One turn of a fleet: ask the pods, decide, and do what was decided. I/O around pure steps."""

from dataclasses import dataclass, field, replace

from vibethinker_operator.clock import Clock
from vibethinker_operator.deadlines import derive_drain_deadline_seconds
from vibethinker_operator.decision import decide
from vibethinker_operator.drain import next_drain_step
from vibethinker_operator.execution import Execution, Outcome
from vibethinker_operator.fleet import Fleet
from vibethinker_operator.keys import derive_fleet_token
from vibethinker_operator.lease import add_policy, build_fleet_message
from vibethinker_operator.observed import Observed
from vibethinker_operator.plan import build_plan
from vibethinker_operator.policy import assume_growth, build_scaling_policy
from vibethinker_operator.resources import render_policy
from vibethinker_operator.samples import SampleRefused
from vibethinker_operator.scaling import Decision, GrowthVerdict, ScalingState
from vibethinker_operator.scrape import FleetScraper, build_target
from vibethinker_operator.signals import Signals, fold_signals
from vibethinker_operator.windows import Windows


@dataclass(frozen=True)
class TurnMemory:
    """What one turn leaves for the next.

    Attributes:
        scaling: State of the decision.
        windows: Readings of the last minute.
        growth: What the next lease says; None before the first decision.
    """

    scaling: ScalingState = field(default_factory=ScalingState)
    windows: Windows = field(default_factory=Windows)
    growth: GrowthVerdict | None = None


@dataclass(frozen=True)
class Turn:
    """What was read, decided and done."""

    signals: Signals
    decision: Decision
    outcome: Outcome
    refused: tuple[SampleRefused, ...]
    memory: TurnMemory


async def take_turn(
    fleet: Fleet,
    observed: Observed,
    memory: TurnMemory,
    *,
    execution: Execution,
    scraper: FleetScraper,
    clock: Clock,
    root_key: bytes,
) -> Turn:
    """Returns what came of one turn of a fleet that has a Deployment."""
    spec = fleet.resource.spec
    policy = build_scaling_policy(spec)
    growth = memory.growth or assume_growth(policy, observed)
    message = build_fleet_message(growth, observed, clock.now())
    document = render_policy(fleet.resource)
    token = derive_fleet_token(root_key, fleet.resource.metadata.uid)
    messages = {
        pod.uid: add_policy(message, document, pod.uid, memory.windows) for pod in observed.active
    }
    built = (build_target(pod, token=token, message=messages[pod.uid]) for pod in observed.active)
    targets = tuple(target for target in built if target is not None)
    readings = await scraper.sweep(targets)
    now = clock.now()
    windows = memory.windows.record(readings, {pod.uid for pod in observed.pods}, now)
    signals = fold_signals(windows, observed, now)
    decision = decide(policy, observed, signals, memory.scaling, now)
    deadline = derive_drain_deadline_seconds(spec)
    samples = signals.samples
    step = next_drain_step(observed, samples, decision.desired, deadline_seconds=deadline, now=now)
    plan = build_plan(observed, decision, step, samples, now)
    return Turn(
        signals=signals,
        decision=decision,
        outcome=await execution.run(plan, {target.pod_uid: target for target in targets}),
        refused=tuple(reading for reading in readings if isinstance(reading, SampleRefused)),
        memory=replace(memory, scaling=decision.state, windows=windows, growth=decision.growth),
    )
