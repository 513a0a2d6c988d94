"""Pages that pods answer: what is read, and what is refused whole."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from vibethinker_operator import samples
from vibethinker_operator.samples import Sample, SampleRefused, parse_fleet_page, parse_vllm_page

from tests.unit.deciding.builders import START

VLLM_PAGE = (Path(__file__).parent / "data" / "vllm-0.32.0-metrics.txt").read_bytes()

PAGE = b"""\
# HELP vibethinker_memory_used_ratio Live memory.
# TYPE vibethinker_memory_used_ratio gauge
vibethinker_memory_used_ratio 0.425
vibethinker_device_memory_used_ratio 0.85
vibethinker_device_memory_bytes 2.4e+10
vibethinker_memory_bytes{kind="weights"} 3.1e+09
vibethinker_memory_bytes{kind="kv_used"} 5.6e+09
vibethinker_memory_bytes{kind="kv_idle"} 1.02e+10
vibethinker_memory_bytes{kind="other"} 1.5e+09
vibethinker_request_queue_length 3.0
vibethinker_requests_running 17.0
vibethinker_requests_in_flight 20.0
vibethinker_prefill_backlog_tokens 512.0
vibethinker_requests_finished_total 1234.0
vibethinker_admission_rejected_total{reason="queue_full"} 2.0
vibethinker_admission_rejected_total{reason="memory_line"} 5.0
vibethinker_admission_would_reject_total{reason="memory_line"} 1.0
vibethinker_engine_steps_total 98765.0
vibethinker_known_sessions 11.0
vibethinker_policy_generation 4.0
vibethinker_draining 0.0
vibethinker_load_errors_total 0.0
vibethinker_start_phase{phase="WarmingUp"} 1.0
vibethinker_gpu_util 0.93
vibethinker_max_num_seqs 128.0
"""


def parse(page: bytes) -> Sample | SampleRefused:
    return parse_fleet_page(page, pod_uid="a", time=START)


def refusal(page: bytes) -> tuple[str, str]:
    refused = parse(page)
    assert isinstance(refused, SampleRefused)
    assert (refused.pod_uid, refused.time) == ("a", START)
    return refused.reason, refused.detail


def test_every_series_of_the_page_is_read():
    assert parse(PAGE) == Sample(
        pod_uid="a",
        time=START,
        memory_used_ratio=0.425,
        device_memory_used_ratio=0.85,
        device_memory_bytes=2.4e10,
        weights_bytes=3.1e9,
        kv_used_bytes=5.6e9,
        kv_idle_bytes=1.02e10,
        other_bytes=1.5e9,
        queue_length=3.0,
        running=17.0,
        in_flight=20.0,
        prefill_backlog_tokens=512.0,
        finished_total=1234.0,
        rejected_total=(("memory_line", 5.0), ("queue_full", 2.0)),
        would_reject_total=(("memory_line", 1.0),),
        engine_steps_total=98765.0,
        known_sessions=11.0,
        policy_generation=4.0,
        draining=False,
        load_errors_total=0.0,
        start_phase="WarmingUp",
        gpu_util=0.93,
        max_num_seqs=128.0,
    )


def test_what_follows_from_a_reading():
    sample = parse(PAGE)
    assert isinstance(sample, Sample)
    assert sample.non_kv_bytes == 4.6e9
    assert sample.pool_bytes == 1.58e10


def test_weights_that_a_pod_does_not_find_are_among_the_rest_and_memory_stays_known():
    lines = [line for line in PAGE.splitlines(keepends=True) if b'"weights"' not in line]
    sample = parse(b"".join(lines).replace(b"1.5e+09", b"4.6e+09"))
    assert isinstance(sample, Sample)
    assert sample.weights_bytes is None
    assert sample.non_kv_bytes == 4.6e9


def test_absent_is_absent_not_zero():
    sample = parse(b"vibethinker_request_queue_length 0.0\n")
    assert isinstance(sample, Sample)
    assert sample.queue_length == 0.0
    assert sample.running is None
    assert sample.memory_used_ratio is None
    assert sample.draining is None
    assert sample.non_kv_bytes is None
    assert sample.pool_bytes is None


def test_a_page_of_the_library_itself_is_read():
    registry = CollectorRegistry()
    Gauge("vibethinker_requests_running", "Running.", registry=registry).set(12)
    Gauge("vibethinker_draining", "Draining.", registry=registry).set(1)
    Counter("vibethinker_engine_steps", "Steps.", registry=registry).inc(7)
    sample = parse(generate_latest(registry))
    assert isinstance(sample, Sample)
    assert (sample.running, sample.draining, sample.engine_steps_total) == (12.0, True, 7.0)


def test_series_of_others_are_passed_over_however_many():
    noise = b"".join(b'vllm:x_%d{a="b"} NaN\n' % n for n in range(2000))
    assert parse(noise + PAGE + noise) == parse(PAGE)


def test_kinds_and_phases_of_a_later_version_do_no_harm():
    page = PAGE + b'vibethinker_memory_bytes{kind="draft_model"} 5.0\n'
    assert parse(page) == parse(PAGE)


def test_a_phase_that_is_over_is_not_the_phase():
    page = b'vibethinker_start_phase{phase="DownloadingModel"} 0.0\nvibethinker_draining 0\n'
    sample = parse(page)
    assert isinstance(sample, Sample)
    assert sample.start_phase is None


@pytest.mark.parametrize(
    ("page", "reason", "detail"),
    [
        (b"", samples.EMPTY, "the answer has no content"),
        (b" \n\n", samples.EMPTY, "the answer has no content"),
        (
            b"other_metric 1\n",
            samples.EMPTY,
            "none of the series that are read is on the page",
        ),
        (b"<!doctype html>\n", samples.HTML, "the answer is a web page, not metrics"),
        (b"  <html>\n", samples.HTML, "the answer is a web page, not metrics"),
        (PAGE[:-3], samples.TRUNCATED, "the last line has no end"),
        (b"vibethinker_draining \xff\n", samples.MALFORMED, "the page is not UTF-8"),
        (
            b"vibethinker_memory_used_ratio NaN\n",
            samples.NOT_FINITE,
            "vibethinker_memory_used_ratio is nan",
        ),
        (
            b"vibethinker_requests_running +Inf\n",
            samples.NOT_FINITE,
            "vibethinker_requests_running is inf",
        ),
        (
            b"vibethinker_requests_running -1\n",
            samples.OUT_OF_RANGE,
            "vibethinker_requests_running is -1, not in [0, 1.1259e+15]",
        ),
        (
            b"vibethinker_memory_used_ratio 1.01\n",
            samples.OUT_OF_RANGE,
            "vibethinker_memory_used_ratio is 1.01, not in [0, 1]",
        ),
        (
            b"vibethinker_device_memory_bytes 1e308\n",
            samples.OUT_OF_RANGE,
            "vibethinker_device_memory_bytes is 1e+308, not in [0, 1.1259e+15]",
        ),
        (
            b'vibethinker_device_memory_bytes 10\nvibethinker_memory_bytes{kind="other"} 11\n',
            samples.OUT_OF_RANGE,
            "other_bytes is 11, more than the 10 of the device",
        ),
        (
            b"vibethinker_draining 1\nvibethinker_draining 0\n",
            samples.DUPLICATE,
            "a series stands twice on the page",
        ),
        (
            b'vibethinker_draining{a="1"} 1\nvibethinker_draining{a="2"} 0\n',
            samples.DUPLICATE,
            "vibethinker_draining stands twice on the page",
        ),
    ],
)
def test_a_page_that_cannot_be_right_is_refused(page, reason, detail):
    assert refusal(page) == (reason, detail)


def test_one_bad_series_refuses_the_whole_page():
    assert refusal(PAGE + b"vibethinker_admission_rejected_total -3\n")[0] == samples.OUT_OF_RANGE


def test_a_number_with_five_thousand_digits_is_refused():
    page = b"vibethinker_draining " + b"9" * 5000 + b"\n"
    assert refusal(page) == (samples.NOT_FINITE, "vibethinker_draining is inf")


def test_a_line_without_a_value_is_malformed():
    reason, detail = refusal(b"vibethinker_draining\n")
    assert reason == samples.MALFORMED
    assert detail.startswith("a line cannot be parsed: ")


def test_more_than_two_mebibytes_are_not_read():
    page = PAGE + b"#" * samples.MAX_PAGE_BYTES + b"\n"
    assert refusal(page)[0] == samples.TOO_LARGE


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_make_the_parser_raise(page):
    result = parse(page + b"\n")
    assert isinstance(result, Sample | SampleRefused)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60), st.sampled_from(sorted(samples.FLEET_SERIES)))
def test_no_line_of_a_wanted_series_makes_the_parser_raise(rest, name):
    result = parse(f"{name}{rest}\n".encode())
    if isinstance(result, SampleRefused):
        assert result.reason in samples.REFUSAL_REASONS
        assert "\n" not in result.detail


@settings(max_examples=100, deadline=None)
@given(st.floats(min_value=0.0, max_value=1.0))
def test_any_ratio_is_read_back_exactly(ratio):
    sample = parse(f"vibethinker_memory_used_ratio {ratio!r}\n".encode())
    assert isinstance(sample, Sample)
    assert sample.memory_used_ratio == ratio


def test_the_page_of_the_pinned_vllm_gives_what_it_has_and_memory_stays_unknown():
    sample = parse_vllm_page(VLLM_PAGE, pod_uid="a", time=START)
    assert sample == Sample(
        "a", START, running=7.0, queue_length=3.0, kv_used_ratio=0.425, finished_total=0.0
    )


def test_several_engines_of_one_pod_are_added_up():
    page = (
        b'vllm:num_requests_running{engine="0"} 3\nvllm:num_requests_running{engine="1"} 4\n'
        b'vllm:kv_cache_usage_perc{engine="0"} 0.2\nvllm:kv_cache_usage_perc{engine="1"} 0.4\n'
    )
    sample = parse_vllm_page(page, pod_uid="a", time=START)
    assert isinstance(sample, Sample)
    assert sample.running == 7.0
    assert sample.kv_used_ratio == pytest.approx(0.3)
    assert sample.queue_length is None


def test_the_name_that_vllm_dropped_is_not_read_as_idle():
    page = b"vllm:gpu_cache_usage_perc 0.0\n"
    assert parse_vllm_page(page, pod_uid="a", time=START) == SampleRefused(
        "a", START, samples.EMPTY, "none of the series that are read is on the page"
    )
