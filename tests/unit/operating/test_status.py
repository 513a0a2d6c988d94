"""What the status says of a fleet."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from vibethinker_operator.api.status import FitSource, FitStatus, StartPhase, Status
from vibethinker_operator.scaling import Mode, ScalingPolicy
from vibethinker_operator.status import (
    render_invalid,
    render_status,
)

from tests.unit.deciding.builders import (
    DEVICE,
    GB,
    START,
    Load,
    make_observed,
    make_pending,
    make_pod,
    make_starting,
)
from tests.unit.operating.views import decide_once, make_view, read_once
from tests.unit.operator_api.resource import CPU_SPEC, IMAGES, VOLUME_SPEC

READY = make_pod("a")
PULLING = make_starting("b", created=START - 9, pulling=True)
PENDING = make_pending("c", created=START - 9, message="0/3 nodes are available")
SILENT = make_starting("d", created=START - 9)


def test_the_pods_are_counted():
    drained = make_pod("e", draining_since=START - 9)
    leaving = make_pod("f", terminating=True)
    view = make_view(make_observed(READY, drained, SILENT, leaving, replicas=3))
    status = render_status(view, Status(), START)
    assert (status.replicas, status.ready_replicas) == (3, 2)
    assert status.desired_replicas is None  # nothing is decided yet


def test_before_there_is_a_deployment_there_are_no_pods_and_no_decision():
    status = render_status(make_view(None), Status(), START)
    assert (status.replicas, status.ready_replicas) == (0, 0)
    assert (status.decision, status.memory, status.start, status.streak) == (None,) * 4


def test_scale_and_clients_find_what_they_need():
    status = render_status(make_view(), Status(), START)
    assert status.observed_generation == 3
    assert status.selector == (
        "app.kubernetes.io/name=vibethinker-server,app.kubernetes.io/instance=chat"
    )
    assert status.url == "http://chat.team.svc:8000/v1"


@pytest.mark.parametrize(
    ("spec", "device", "dtype", "block_size", "utilization"),
    [({}, "GPU", "Float16", 16, 85), (CPU_SPEC, "CPU", "BFloat16", 32, None)],
)
def test_the_engine_is_told_with_everything_that_the_spec_left_open(
    spec, device, dtype, block_size, utilization
):
    engine = render_status(make_view(spec=spec), Status(), START).engine
    assert engine is not None
    assert (engine.device, engine.dtype, engine.block_size) == (device, dtype, block_size)
    assert engine.gpu_memory_utilization_percentage == utilization
    assert (engine.image, engine.package_image) == (IMAGES.engine, IMAGES.package)


@pytest.mark.parametrize(("used", "step"), [(0.0, 0), (0.424, 40), (0.426, 45), (0.98, 100)])
def test_memory_is_told_in_steps_of_five_points(used, step):
    observed = make_observed(READY)
    signals = read_once(observed, weights_bytes=used * DEVICE, other_bytes=0.0)
    memory = render_status(make_view(observed, signals=signals), Status(), START).memory
    assert memory is not None
    assert (memory.used_percentage, memory.raw_percentage, memory.known_pods) == (step, 85, 1)


def test_memory_that_no_pod_tells_is_unknown_and_not_zero():
    observed = make_observed(READY)
    signals = read_once(observed, other_bytes=None, device_memory_used_ratio=None)
    memory = render_status(make_view(observed, signals=signals), Status(), START).memory
    assert memory is not None
    assert (memory.used_percentage, memory.raw_percentage) == (None, None)


T4 = {"gpu": {"product": "Tesla-T4"}}
TOLD = {
    "checkpoint_weights_bytes": 3_087_428_608.0,
    "kv_token_bytes": 28_672.0,
    "kv_pool_tokens": 320_000.0,
}


def test_what_fits_is_computed_before_the_first_pod_and_measured_afterwards():
    before = render_status(make_view(None, spec=T4), Status(), START)
    assert before.fit == FitStatus(
        source=FitSource.SPEC,
        weights="2.88 GiB",
        kv_bytes_per_token=28_672,
        tokens=318_336,
        sequences=77,
    )
    observed = make_observed(READY)
    signals = read_once(observed, **TOLD)
    measured = render_status(make_view(observed, spec=T4, signals=signals), before, START + 1)
    assert measured.fit is not None
    assert (measured.fit.source, measured.fit.tokens) == (FitSource.MEASURED, 320_000)


def test_what_was_measured_stays_while_no_pod_tells_and_goes_with_another_spec():
    observed = make_observed(READY)
    signals = read_once(observed, **TOLD)
    measured = render_status(make_view(observed, spec=T4, signals=signals), Status(), START)
    silent = make_view(observed, spec=T4, signals=read_once(observed))
    assert render_status(silent, measured, START + 1).fit == measured.fit
    assert render_status(make_view(None, spec=T4), measured, START + 1).fit == measured.fit
    older = measured.model_copy(update={"observed_generation": 2})
    renewed = render_status(make_view(None, spec=T4), older, START + 1).fit
    assert renewed is not None
    assert (renewed.source, renewed.tokens) == (FitSource.SPEC, 318_336)


def test_load_that_moves_leaves_what_fits_as_it_is():
    observed = make_observed(READY)
    fits = [
        render_status(
            make_view(observed, signals=read_once(observed, **TOLD, kv_used=kv, other_bytes=other)),
            Status(),
            START,
        ).fit
        for kv, other in ((0.0, 1.5 * GB), (9 * GB, 1.6 * GB))
    ]
    assert fits[0] == fits[1]


def test_a_fit_of_which_nothing_is_known_is_not_there():
    assert render_status(make_view(None, spec=VOLUME_SPEC), Status(), START).fit is None


def test_a_decision_is_told_with_its_numbers_and_what_would_change_it():
    decision = decide_once(ScalingPolicy(max_replicas=3), load=Load(kv=2 * GB, running=20))
    told = render_status(make_view(decision=decision), Status(), START).decision
    assert told is not None
    assert (told.rule, told.reason, told.desired_replicas) == ("Hold", "BelowLines", 1)
    assert told.message == f"{decision.message}; {decision.counterfactual}"
    assert told.inputs is not None
    assert told.inputs["requestsRunning"] == "20"


def test_the_same_decision_a_second_later_is_not_told_anew():
    first = render_status(make_view(decision=decide_once()), Status(), START)
    busier = make_view(decision=decide_once(load=Load(running=20)))
    second = render_status(busier, first, START + 1)
    assert second.decision == first.decision
    grown = replace(decide_once(), desired=2)
    third = render_status(make_view(decision=grown), second, START + 2)
    assert third.decision is not None
    assert third.decision.time == datetime.fromtimestamp(START + 2, UTC)


def test_advice_is_told_anew_when_it_changes_though_the_size_never_does():
    policy = ScalingPolicy(mode=Mode.ADVISORY, max_replicas=9, written_replicas=1)
    two, three = (replace(decide_once(policy), desired=1, recommended=n) for n in (2, 3))
    first = render_status(make_view(decision=two), Status(), START)
    second = render_status(make_view(decision=three), first, START + 1)
    again = render_status(make_view(decision=three), second, START + 2)
    told = [status.decision for status in (first, second, again)]
    advised = [one.inputs["recommendedReplicas"] for one in told if one and one.inputs]
    assert advised == ["2", "3", "3"]
    assert told[2] == told[1] != told[0]


def test_a_decision_of_many_words_still_fits():
    wordy = replace(decide_once(), message="because " * 500)
    told = render_status(make_view(decision=wordy), Status(), START).decision
    assert told is not None
    assert told.message is not None
    assert len(told.message) == 1024


@pytest.mark.parametrize(
    ("pods", "pod", "phase"),
    [
        ((READY, PULLING, PENDING), "vt-c", StartPhase.UNSCHEDULABLE),
        ((READY, PULLING, SILENT), "vt-b", StartPhase.PULLING_IMAGE),
    ],
)
def test_start_is_the_pod_that_has_come_least_far(pods, pod, phase):
    start = render_status(make_view(make_observed(*pods)), Status(), START).start
    assert start is not None
    assert (start.pod, start.phase) == (pod, phase)


def test_what_a_starting_pod_tells_of_itself_is_its_phase():
    observed = make_observed(SILENT)
    signals = read_once(observed, start_phase="DownloadingModel")
    start = render_status(make_view(observed, signals=signals), Status(), START).start
    assert start is not None
    assert start.phase is StartPhase.DOWNLOADING_MODEL


@pytest.mark.parametrize("told", [None, "", "Dreaming"])
def test_a_phase_that_is_unknown_here_is_none(told):
    observed = make_observed(SILENT)
    signals = read_once(observed, start_phase=told)
    assert render_status(make_view(observed, signals=signals), Status(), START).start is None


def test_a_phase_keeps_its_time_until_the_next():
    pulling = make_view(make_observed(PULLING))
    first = render_status(pulling, Status(), START)
    assert render_status(pulling, first, START + 60).start == first.start
    later = make_observed(replace(PULLING, pulling=False))
    view = make_view(later, signals=read_once(later, start_phase="WarmingUp"))
    start = render_status(view, first, START + 60).start
    assert start is not None
    assert start.since == datetime.fromtimestamp(START + 60, UTC)


def test_a_calm_fleet_renders_the_same_for_an_hour():
    observed = make_observed(READY)
    view = make_view(observed, signals=read_once(observed), decision=decide_once())
    first = render_status(view, Status(), START)
    assert all(render_status(view, first, START + second) == first for second in range(0, 3600, 7))


def test_an_invalid_resource_keeps_what_is_known_of_the_fleet():
    before = render_status(make_view(decision=decide_once()), Status(), START)
    after = render_invalid(4, "spec.engine.image is required", before, START + 60)
    assert after.observed_generation == 4
    assert (after.replicas, after.url, after.decision) == (1, before.url, before.decision)
