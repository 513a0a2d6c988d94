from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.parser import text_string_to_metric_families
from vibethinker_server import names
from vibethinker_server.collector import (
    EvidenceCollector,
    FleetCollector,
    RequestCollector,
    render_fleet_page,
    render_metrics,
)
from vibethinker_server.load import AfterStart
from vibethinker_server.weights import Weights

from tests.support.server_runtime import GIB, Rig, make_rig


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return make_rig(tmp_path)


def samples_of(page: bytes) -> dict[str, float]:
    """Returns every sample by its name and label values."""
    found = {}
    for family in text_string_to_metric_families(page.decode()):
        for sample in family.samples:
            key = "|".join([sample.name, *sample.labels.values()])
            assert key not in found, f"{key} twice"
            found[key] = sample.value
    return found


def page_of(rig: Rig) -> dict[str, float]:
    return samples_of(render_fleet_page(FleetCollector(rig.runtime)))


ALWAYS = {
    "vibethinker_requests_in_flight",
    "vibethinker_max_num_seqs",
    "vibethinker_admission_rejected_total|queue_full",
    "vibethinker_admission_rejected_total|hard_line",
    "vibethinker_admission_rejected_total|kv_headroom",
    "vibethinker_admission_rejected_total|time_to_first_token",
    "vibethinker_admission_rejected_total|memory_line",
    "vibethinker_admission_rejected_total|draining",
    "vibethinker_admission_rejected_total|not_ready",
    "vibethinker_admission_would_reject_total|kv_headroom",
    "vibethinker_admission_would_reject_total|time_to_first_token",
    "vibethinker_admission_would_reject_total|memory_line",
    "vibethinker_load_errors_total",
    "vibethinker_known_sessions",
    "vibethinker_policy_generation",
    "vibethinker_draining",
}
ENGINE = {
    "vibethinker_request_queue_length",
    "vibethinker_requests_running",
    "vibethinker_requests_finished_total",
    "vibethinker_engine_steps_total",
}
DEVICE = {
    "vibethinker_memory_used_ratio",
    "vibethinker_device_memory_used_ratio",
    "vibethinker_device_memory_bytes",
    "vibethinker_memory_bytes|weights",
    "vibethinker_memory_bytes|kv_used",
    "vibethinker_memory_bytes|kv_idle",
    "vibethinker_memory_bytes|other",
}

FIT = {
    "vibethinker_weights_bytes",
    "vibethinker_kv_token_bytes",
    "vibethinker_kv_pool_tokens",
}


def test_the_page_of_a_serving_gpu_pod_has_exactly_these_series(rig: Rig):
    rig.runtime.weights = Weights(GIB)
    rig.runtime.gpu_util_ratio = 0.5
    rig.runtime.backlog = lambda: 1200
    rig.runtime.stats.pool_tokens, rig.runtime.stats.token_bytes = 300_000, 28_672
    page = page_of(rig)
    assert set(page) == ALWAYS | ENGINE | DEVICE | FIT | {
        "vibethinker_gpu_util",
        "vibethinker_prefill_backlog_tokens",
        "vibethinker_start_phase|Serving",
    }
    assert page["vibethinker_memory_used_ratio"] == 0.125
    assert page["vibethinker_device_memory_bytes"] == 16 * GIB
    kinds = [value for name, value in page.items() if name.startswith("vibethinker_memory_bytes")]
    assert sum(kinds) == 10 * GIB
    assert page["vibethinker_prefill_backlog_tokens"] == 1200
    assert [page[name] for name in sorted(FIT)] == [300_000, 28_672, GIB]
    assert page["vibethinker_policy_generation"] == 7


def test_what_is_unknown_has_no_series(rig: Rig):
    rig.runtime.device = None
    rig.runtime.stats.reading = None
    page = page_of(rig)
    unknown = {"vibethinker_request_queue_length", "vibethinker_requests_running"}
    assert set(page) == ALWAYS | ENGINE - unknown | {"vibethinker_start_phase|Serving"}


def test_before_the_engine_is_up_only_the_pods_own_series_stand(rig: Rig):
    runtime = rig.runtime
    runtime.answering = runtime.stats.initialized = False
    runtime.stats.reading = runtime.device = None
    assert set(page_of(rig)) == ALWAYS | {"vibethinker_start_phase|DownloadingModel"}


def test_what_the_checkpoint_says_stands_before_the_engine_is_up(rig: Rig):
    runtime = rig.runtime
    runtime.answering = runtime.stats.initialized = False
    runtime.stats.reading = runtime.stats.pool_bytes = None
    runtime.weights = Weights(GIB, kv_token_bytes=57_344)
    page = page_of(rig)
    assert page["vibethinker_weights_bytes"] == GIB
    assert page["vibethinker_kv_token_bytes"] == 57_344
    assert "vibethinker_kv_pool_tokens" not in page
    runtime.stats.token_bytes = 28_672  # the engine knows better
    assert page_of(rig)["vibethinker_kv_token_bytes"] == 28_672


def test_unknown_weights_stand_under_other(rig: Rig):
    rig.runtime.weights = Weights(None)
    page = page_of(rig)
    assert "vibethinker_memory_bytes|weights" not in page
    assert page["vibethinker_memory_bytes|other"] == 2 * GIB


def test_counters_show_what_happened(rig: Rig):
    rig.runtime.rejected.add(names.REASON_MEMORY_LINE)
    rig.runtime.would_reject.add(names.REASON_MEMORY_LINE)
    rig.runtime.errors.add(names.WHERE_DEVICE_MEMORY)
    rig.runtime.errors.add(names.WHERE_REQUEST)
    rig.runtime.fleet.mark_drain(rig.clock.now)
    rig.runtime.sessions.renew(b"a", None, None, rig.clock.unix() + 900, rig.clock.unix())
    page = page_of(rig)
    assert page["vibethinker_admission_rejected_total|memory_line"] == 1
    assert page["vibethinker_admission_would_reject_total|memory_line"] == 1
    assert page["vibethinker_load_errors_total"] == 1  # the request's error is none of load
    assert page["vibethinker_draining"] == 1
    assert page["vibethinker_known_sessions"] == 1
    rig.clock.advance(900)
    assert page_of(rig)["vibethinker_known_sessions"] == 0


def test_requests_are_counted_by_key_refusal_and_cut(rig: Rig):
    rig.runtime.requests_by_key.add("alice")
    rig.runtime.unauthorized.add("invalid_api_key")
    rig.runtime.truncated.add("math")
    page = samples_of(render_metrics(*registries(rig), wanted=set()))
    assert page["vibethinker_api_key_requests_total|alice"] == 1
    assert page["vibethinker_unauthorized_requests_total|invalid_api_key"] == 1
    assert page["vibethinker_truncated_answers_total|math"] == 1


def registries(rig: Rig) -> tuple[CollectorRegistry, CollectorRegistry]:
    rig.runtime.registry.register(FleetCollector(rig.runtime))
    rig.runtime.registry.register(RequestCollector(rig.runtime))
    rig.runtime.ttft.labels("webui", "code")
    engines = CollectorRegistry()
    Counter("vllm:prompt_tokens", "Of the engine.", registry=engines).inc(5)
    Counter("vllm:generation_tokens", "Of the engine.", registry=engines)
    return rig.runtime.registry, engines


def test_the_whole_page_has_the_engines_and_ours(rig: Rig):
    page = samples_of(render_metrics(*registries(rig), wanted=set()))
    assert page["vllm:prompt_tokens_total"] == 5
    assert page["vibethinker_memory_used_ratio"] == 0.125
    assert page["vibethinker_time_to_first_token_seconds_count|webui|code"] == 0


def test_every_profile_has_its_objective_for_the_first_token(rig: Rig):
    profiles = rig.runtime.fleet.policy.profiles
    page = samples_of(render_metrics(*registries(rig), wanted=set()))
    told = {profile.name: profile.first_token_seconds for profile in profiles}
    assert told
    name = "vibethinker_time_to_first_token_objective_seconds"
    assert {key: value for key, value in page.items() if key.startswith(name)} == {
        f"{name}|{profile}": seconds for profile, seconds in told.items()
    }


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"vibethinker_requests_running"}, {"vibethinker_requests_running"}),
        ({"vllm:prompt_tokens_total"}, {"vllm:prompt_tokens_total"}),
        (
            {"vllm:prompt_tokens_total", "vibethinker_draining"},
            {"vllm:prompt_tokens_total", "vibethinker_draining"},
        ),
        (
            {"vibethinker_time_to_first_token_seconds_count"},
            {"vibethinker_time_to_first_token_seconds_count|webui|code"},
        ),
        ({"no_such_series"}, set()),
    ],
)
def test_named_series_come_alone(rig: Rig, wanted: set[str], expected: set[str]):
    assert set(samples_of(render_metrics(*registries(rig), wanted=wanted))) == expected


def test_a_dict_that_changes_while_vllm_sums_costs_another_try(rig: Rig):
    outcomes: list[int | Exception] = [RuntimeError("changed size"), 800]

    def backlog() -> int:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    rig.runtime.backlog = backlog
    assert rig.runtime.prompt_backlog() == 800
    outcomes[:] = [RuntimeError()] * 9
    assert rig.runtime.prompt_backlog() is None
    outcomes[:] = [AttributeError()]
    assert rig.runtime.prompt_backlog() is None
    rig.runtime.backlog = None
    assert rig.runtime.prompt_backlog() is None


def test_no_name_of_ours_is_one_that_vllm_unregisters():
    metrics = [value for name, value in vars(names).items() if name.startswith("METRIC_")]
    assert len(metrics) > 15
    assert all(metric.startswith(names.PREFIX) for metric in metrics)


def test_the_doctors_evidence_is_there_as_far_as_it_is_known(rig: Rig):
    collector = EvidenceCollector(rig.runtime, lambda: 5 * GIB)
    registry = CollectorRegistry()
    registry.register(collector)
    page = samples_of(render_metrics(registry, CollectorRegistry(), set()))
    assert page == {
        "vibethinker_max_model_len": 4096,
        "vibethinker_resident_memory_bytes": 5 * GIB,
    }
    rig.runtime.after_start = AfterStart(live_bytes=4 * GIB, resident_bytes=None)
    page = samples_of(render_metrics(registry, CollectorRegistry(), set()))
    assert page["vibethinker_memory_after_start_bytes"] == 4 * GIB
    assert "vibethinker_resident_memory_after_start_bytes" not in page
