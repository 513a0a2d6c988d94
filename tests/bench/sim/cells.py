"""Plays one scenario under one contestant: a cell of the report."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

from vibethinker_simulator.blueprint import Blueprint, build_blueprint
from vibethinker_simulator.operator_loop import OperatorLoop
from vibethinker_simulator.outcome import Outcome, summarize
from vibethinker_simulator.scaler import Scaler
from vibethinker_simulator.simulation import Run, Simulation
from vibethinker_simulator.trace import Trace

from tests.bench.sim.clairvoyant import (
    Clairvoyant,
    Knobs,
    build_schedule,
    fluid_bound_hours,
    offered_work,
)
from tests.bench.sim.scenarios import Scenario, build_resource

OBJECTIVE_SECONDS: Final = 1.0
ATTAINABLE_SECONDS: Final = 0.8
"""A prompt that takes longer on an idle replica leaves too little of a second."""

OURS: Final = "ours"
RELAXED: Final[dict[str, dict[str, Any]]] = {
    "ours, queue line 16": {"saturation": {"requestQueueLength": 16, "sustainedSeconds": 30}},
    "ours, window 60 s": {"scaling": {"scaleDownStabilizationSeconds": 60}},
}
"""Ours with one block changed, for peers whose service is worse than the default's."""


@dataclass(frozen=True)
class Cell:
    """One run's figures, and its size second by second."""

    scenario: str
    contestant: str
    figures: dict[str, Any]
    replicas: list[int]


def play(scenario: Scenario, contestant: str, make: Callable[[], Scaler], first: int) -> Cell:
    """Plays a scenario under a scaler; `first` pods are Ready when it begins."""
    trace, blueprint = scenario.trace(), _blueprint(scenario)
    run = Run(
        blueprint,
        start_seconds=scenario.start_seconds,
        first_replicas=first,
        incident=scenario.incident() if scenario.incident else None,
    )
    outcome = Simulation(run, trace, make()).play()
    return Cell(scenario.key, contestant, _figures(outcome, trace, blueprint), outcome.replicas)


def play_ours(scenario: Scenario, name: str = OURS, changes: dict[str, Any] | None = None) -> Cell:
    """Plays ours, with a block of the resource changed."""
    resource = build_resource(scenario, changes or {})
    return play(scenario, name, lambda: OperatorLoop(resource), scenario.first_replicas)


def play_clairvoyant(scenario: Scenario, knobs: Knobs) -> Cell:
    """Plays a schedule; from a cold start it begins with as many pods as everybody."""
    schedule = build_schedule(
        _work(scenario),
        knobs,
        start_seconds=scenario.start_seconds,
        least=1,
        most=scenario.most_replicas,
    )
    resource, first = build_resource(scenario, {}), scenario.first_replicas
    return play(scenario, knobs.name, lambda: Clairvoyant(resource, schedule), first)


def fluid_hours(scenario: Scenario) -> float:
    """Returns the replica-hours that no schedule can beat."""
    return fluid_bound_hours(_work(scenario), 1)


def _blueprint(scenario: Scenario) -> Blueprint:
    return build_blueprint(build_resource(scenario, {}))


def _work(scenario: Scenario) -> list[float]:
    return offered_work(scenario.trace(), _blueprint(scenario))


def _figures(outcome: Outcome, trace: Trace, blueprint: Blueprint) -> dict[str, Any]:
    attainable = blueprint.find_attainable(trace.requests, ATTAINABLE_SECONDS)
    figures = summarize(outcome, objective_seconds=OBJECTIVE_SECONDS, attainable=attainable)
    return asdict(figures) | {"refused_for": dict(sorted(outcome.refused_for.items()))}
