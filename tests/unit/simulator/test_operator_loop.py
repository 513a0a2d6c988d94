"""The product's own decisions on a simulated fleet."""

from typing import Any

import pytest
from vibethinker_operator.plan import StartDrain, StopDrain
from vibethinker_operator.scaling import Reason
from vibethinker_simulator.fleet import Fleet
from vibethinker_simulator.operator_loop import OperatorLoop, execute
from vibethinker_simulator.outcome import Fate, Outcome
from vibethinker_simulator.simulation import EPOCH, Run, Simulation
from vibethinker_simulator.trace import Trace

from tests.unit.simulator.builders import make_blueprint, make_burst, make_resource

FEW_SEATS = {"engine": {"maxNumSeqs": 16}}


def play(
    trace: Trace, *, replicas: int = 1, seconds: float = 30.0, **spec: Any
) -> tuple[Outcome, OperatorLoop]:
    spec = FEW_SEATS | spec
    loop = OperatorLoop(make_resource(**spec))
    run = Run(make_blueprint(**spec), start_seconds=seconds, first_replicas=replicas)
    return Simulation(run, trace, loop).play(), loop


def scaling(**fields: Any) -> dict[str, Any]:
    return {"scaling": {"scaleDownStabilizationSeconds": 60} | fields}


def test_a_fleet_that_needs_to_grow_grows_and_goes_back_and_cuts_nobody():
    outcome, loop = play(make_burst(), **scaling(maxReplicas=4))
    assert max(outcome.replicas) > 1
    assert max(outcome.serving) == max(outcome.replicas)
    assert outcome.replicas[-1] == 1
    assert outcome.fates.count(Fate.DROPPED) == 0
    grown = [decision for _, decision in loop.decisions if decision.desired > decision.replicas]
    assert grown
    assert {decision.reason for decision in grown} <= {
        Reason.MEMORY_ABOVE_LINE,
        Reason.QUEUE_ABOVE_LINE,
        Reason.CONCURRENCY_ABOVE_LINE,
    }


def test_drains_in_the_middle_of_a_load_cut_nobody():
    wavy = Trace("wavy", make_burst(busy=3.0, seconds=120, tail=120).requests, 300.0)
    outcome, _ = play(wavy, replicas=4, **scaling(maxReplicas=4))
    assert min(outcome.replicas) < 4
    assert outcome.fates.count(Fate.DROPPED) == 0
    assert set(outcome.fates) <= {Fate.ANSWERED, Fate.REFUSED}


def test_a_fleet_stays_within_its_bounds():
    outcome, _ = play(make_burst(busy=20.0), replicas=2, **scaling(minReplicas=2, maxReplicas=3))
    assert (min(outcome.replicas), max(outcome.replicas)) == (2, 3)


def test_a_fleet_that_may_not_grow_refuses_with_a_reason():
    outcome, loop = play(make_burst(busy=20.0, seconds=120), **scaling(maxReplicas=1))
    assert max(outcome.replicas) == 1
    assert outcome.fates.count(Fate.REFUSED) > 100
    assert sum(outcome.refused_for.values()) == outcome.fates.count(Fate.REFUSED)
    assert all(reason and reason == reason.strip() for reason in outcome.refused_for)
    assert "nobody_serves" not in outcome.refused_for
    assert any(decision.reason is Reason.AT_MAX_REPLICAS for _, decision in loop.decisions)


def test_known_sessions_are_served_while_newcomers_are_refused():
    outcome, _ = play(make_burst(busy=20.0, seconds=120), **scaling(maxReplicas=1))
    refused = [outcome.known[n] for n, fate in enumerate(outcome.fates) if fate is Fate.REFUSED]
    known = sum(outcome.known) / len(outcome.known)
    assert sum(refused) / len(refused) < known / 2


def test_decisions_are_in_order_and_say_why_and_what_would_change_them():
    _, loop = play(make_burst(seconds=120), **scaling(maxReplicas=4))
    times = [time for time, _ in loop.decisions]
    assert times == sorted(times)
    assert times[0] >= EPOCH
    for _, decision in loop.decisions:
        assert decision.message
        assert decision.counterfactual.startswith("would ")


def test_a_drain_that_is_undone_has_the_times_that_kubernetes_would_show():
    fleet = Fleet(make_blueprint(), start_seconds=60, clock=lambda: 0.0)
    fleet.start_warm(1, 0.0)
    pod = fleet.pods[0]
    execute(StartDrain(pod.observed), fleet, 5000.0)
    shown = (pod.observed.ready, pod.observed.ready_since, pod.observed.unready_since)
    assert shown == (False, None, 5000.0)
    execute(StopDrain(pod.observed), fleet, 5010.0)
    shown = (pod.observed.ready, pod.observed.ready_since, pod.observed.unready_since)
    assert shown == (True, 5010.0, None)


@pytest.mark.parametrize("mode", ["Manual", "Advisory"])
def test_a_fleet_that_others_size_is_left_as_written(mode: str):
    spec = scaling(maxReplicas=4, mode=mode) | {"replicas": 2}
    loop = OperatorLoop(make_resource(**FEW_SEATS, **spec))
    run = Run(make_blueprint(**FEW_SEATS, **spec), first_replicas=2)
    outcome = Simulation(run, make_burst(busy=10.0, seconds=60, tail=60), loop).play()
    assert set(outcome.replicas) == {2}


def test_a_fleet_that_cannot_be_read_holds_its_size():
    resource = make_resource(**FEW_SEATS, **scaling(maxReplicas=4))
    run = Run(
        make_blueprint(**FEW_SEATS, **scaling(maxReplicas=4)),
        first_replicas=2,
        incident=lambda fleet, _: [pod.number for pod in fleet.pods],
    )
    outcome = Simulation(run, make_burst(tail=120), OperatorLoop(resource)).play()
    assert set(outcome.replicas) == {2}
