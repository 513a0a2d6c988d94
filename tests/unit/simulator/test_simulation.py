"""Whole runs: every request has one fate, and the same run is the same to the last byte."""

import math
from collections.abc import Collection

import pytest
from vibethinker_simulator.fleet import Fleet
from vibethinker_simulator.operator_loop import OperatorLoop
from vibethinker_simulator.outcome import Fate, Outcome
from vibethinker_simulator.scaler import Scaler, Static
from vibethinker_simulator.simulation import Incident, Run, Simulation
from vibethinker_simulator.trace import Trace

from tests.unit.simulator.builders import make_blueprint, make_burst, make_resource, make_trace

UP_TO_THREE = {"scaling": {"maxReplicas": 3, "scaleDownStabilizationSeconds": 60}}
FEW_SEATS = {"engine": {"maxNumSeqs": 16}}


def play(
    trace: Trace,
    scaler: Scaler | None = None,
    *,
    replicas: int = 1,
    seed: int = 1,
    incident: Incident | None = None,
) -> Outcome:
    run = Run(make_blueprint(**FEW_SEATS), first_replicas=replicas, seed=seed, incident=incident)
    return Simulation(run, trace, scaler or Static(replicas)).play()


def play_ours(seed: int = 1) -> Outcome:
    resource = make_resource(**FEW_SEATS, **UP_TO_THREE)
    return play(make_burst(), OperatorLoop(resource), seed=seed)


def test_the_same_run_is_the_same_to_the_last_byte():
    first = repr(play_ours()).encode()
    assert first == repr(play_ours()).encode()
    assert first != repr(play_ours(seed=2)).encode()


def test_every_request_has_a_fate_and_all_its_figures():
    outcome = play_ours()
    assert Fate.INSIDE not in outcome.fates
    assert sum(outcome.refused_for.values()) == outcome.fates.count(Fate.REFUSED)
    for n, fate in enumerate(outcome.fates):
        answered = fate is Fate.ANSWERED
        assert math.isnan(outcome.ends[n]) is not answered
        assert math.isnan(outcome.first_token_seconds[n]) is not answered
        assert not answered or outcome.first_token_seconds[n] > 0


def test_every_second_of_the_trace_is_recorded():
    outcome = play(make_trace(0.0, 5.0, 9.5))
    seconds = (outcome.replicas, outcome.serving, outcome.queue, outcome.memory_used_ratio)
    assert [len(series) for series in seconds] == [10] * 4
    assert set(outcome.replicas) == {1}


def test_a_request_alone_waits_for_its_prompt_alone():
    blueprint = make_blueprint(**FEW_SEATS)
    outcome = play(make_trace(0.0, 100.0))
    alone = blueprint.speed.alone(100, blueprint.shape.max_num_batched_tokens)
    assert outcome.first_token_seconds == pytest.approx([alone, alone])


def test_a_fleet_of_one_size_costs_its_pods_until_the_last_answer():
    outcome = play(make_trace(0.0, 5.0, 9.5), replicas=2)
    assert outcome.pod_seconds == pytest.approx(2 * max(outcome.ends), abs=4)


def test_prompts_beyond_the_engines_length_are_told_apart():
    outcome = play(make_trace(0.0, 1.0, prompt=5000))
    assert outcome.fates == [Fate.TOO_LONG] * 2
    # Prompt and answer share the length.
    assert play(make_trace(0.0, prompt=4000, output=400)).fates == [Fate.TOO_LONG]
    assert play(make_trace(0.0, prompt=4000, output=96)).fates == [Fate.ANSWERED]


def test_answers_end_at_their_cap():
    outcome = play(make_trace(0.0, output=3000))
    assert outcome.answer_tokens == [make_blueprint().limit_tokens]


def test_where_nobody_serves_requests_are_refused():
    outcome = play(make_trace(0.0, 70.0), Static(1), replicas=0)
    assert outcome.fates == [Fate.REFUSED, Fate.ANSWERED]
    assert outcome.refused_for == {"nobody_serves": 1}


def test_what_a_pod_had_when_it_failed_is_cut():
    def fail_at_three(fleet: Fleet, second: float) -> Collection[int]:
        if second == 3:
            fleet.pods[0].fail(1_000_003.0)
        return ()

    outcome = play(make_trace(2.5, 80.0), incident=fail_at_three)
    assert outcome.fates == [Fate.CUT_BY_FAILURE, Fate.ANSWERED]


def test_without_admission_a_shrink_cuts_what_outlasts_the_grace():
    class Halving(Static):
        def sweep(self, fleet: Fleet, now: float, *, silent: Collection[int]) -> None:
            fleet.grace_seconds = 1.0
            fleet.set_replicas(1 if now >= 1_000_003 else 2, now)

    outcome = play(make_trace(*(n / 50 for n in range(100)), output=500), Halving(2), replicas=2)
    assert outcome.fates.count(Fate.DROPPED) > 10
    assert outcome.fates.count(Fate.DROPPED) + outcome.fates.count(Fate.ANSWERED) == 100


def test_a_trace_without_requests_ends_with_itself():
    outcome = play(Trace("silence", (), 30.0))
    assert len(outcome.replicas) == 30
    assert outcome.pod_seconds == 30
