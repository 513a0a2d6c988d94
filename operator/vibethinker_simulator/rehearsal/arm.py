"""One side of a comparison: a fleet, played over the whole trace."""

from dataclasses import dataclass

from vibethinker_operator.api import Mode, VibeThinkerDeployment

from vibethinker_simulator.blueprint import Blueprint, build_blueprint
from vibethinker_simulator.operator_loop import OperatorLoop
from vibethinker_simulator.outcome import Figures, Outcome, summarize
from vibethinker_simulator.rehearsal.watched import Report, SizeChange, Watched
from vibethinker_simulator.scaler import Scaler, Static
from vibethinker_simulator.simulation import Run, Simulation
from vibethinker_simulator.trace import Trace


@dataclass(frozen=True)
class Arm:
    """A fleet to be played.

    Attributes:
        name: What the table calls it.
        resource: What its pods are like and, unless it has one size, who decides.
        first_replicas: Pods that are Ready when the trace begins.
        fixed: Whether it keeps that size, without an operator and without admission.
    """

    name: str
    resource: VibeThinkerDeployment
    first_replicas: int
    fixed: bool = False


@dataclass(frozen=True)
class Played:
    """What came of an arm.

    Attributes:
        arm: The arm.
        blueprint: What each pod was like.
        outcome: The run.
        figures: Its figures.
        changes: Each change of the fleet's size.
        pods: Pods that existed, second by second.
    """

    arm: Arm
    blueprint: Blueprint
    outcome: Outcome
    figures: Figures
    changes: tuple[SizeChange, ...]
    pods: tuple[int, ...]


def first_replicas_of(resource: VibeThinkerDeployment) -> int:
    """Returns the size that a fleet has before any load."""
    spec = resource.spec
    return spec.scaling.min_replicas if spec.scaling.mode is Mode.AUTO else spec.replicas


def play(arm: Arm, trace: Trace, *, start_seconds: float, seed: int, report: Report) -> Played:
    """Plays an arm.

    Raises:
        BlueprintError: nothing is known of such pods.
    """
    blueprint = build_blueprint(arm.resource)
    scaler: Scaler = Static(arm.first_replicas) if arm.fixed else OperatorLoop(arm.resource)
    watched = Watched(scaler, report)
    run = Run(blueprint, start_seconds=start_seconds, first_replicas=arm.first_replicas, seed=seed)
    outcome = Simulation(run, trace, watched).play()
    return Played(
        arm=arm,
        blueprint=blueprint,
        outcome=outcome,
        figures=_summarize(outcome, trace, blueprint),
        changes=tuple(watched.changes),
        pods=tuple(watched.pods[: len(outcome.replicas)]),
    )


def _summarize(outcome: Outcome, trace: Trace, blueprint: Blueprint) -> Figures:
    objective = blueprint.objective_seconds
    attainable = blueprint.find_attainable(trace.requests, objective)
    return summarize(outcome, objective_seconds=objective, attainable=attainable)
