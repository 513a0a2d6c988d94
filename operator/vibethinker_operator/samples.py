"""One reading of one pod: the small page it answers on `/-/fleet`, or why that was refused.

A series that is not on the page is None, never 0: "absent" and "idle" must not look alike. A page
that cannot be right (not a number, negative, beyond all bounds, a series twice, cut short) is
refused whole, because a reading that lies in one place is not trusted in another.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from prometheus_client.parser import text_string_to_metric_families

MAX_PAGE_BYTES: Final = 2 * 1024 * 1024
"""Largest answer that is read. The page is about 3 kB; an engine without our package answers with
its whole page, about 60 kB. Beyond 2 MiB is no metrics page of one pod."""

MAX_BYTES: Final = float(2**50)
"""1 PiB: no device and no container has so much memory."""

MAX_COUNT: Final = 1e15
"""No counter of requests, steps or tokens gets there in the life of a pod."""

EMPTY: Final = "empty"
HTML: Final = "html"
MALFORMED: Final = "malformed"
TRUNCATED: Final = "truncated"
NOT_FINITE: Final = "not_finite"
OUT_OF_RANGE: Final = "out_of_range"
DUPLICATE: Final = "duplicate"
TOO_LARGE: Final = "too_large"
WRONG_STATUS: Final = "wrong_status"
ENCODED: Final = "encoded"
TIMEOUT: Final = "timeout"
UNREACHABLE: Final = "unreachable"
REFUSAL_REASONS: Final = (
    EMPTY, HTML, MALFORMED, TRUNCATED, NOT_FINITE, OUT_OF_RANGE, DUPLICATE, TOO_LARGE,
    WRONG_STATUS, ENCODED, TIMEOUT, UNREACHABLE,
)  # fmt: skip
"""Every reason for which a sample is refused: the label values of the operator's counter."""

MEMORY_REFUSALS: Final = frozenset({"hard_line", "kv_headroom", "memory_line"})
"""Reasons of a pod's admission that mean: there was no memory for one more session."""

LOAD_REFUSALS: Final = MEMORY_REFUSALS | {"queue_full", "time_to_first_token"}
"""Reasons that mean: there was too much to do. The others mean: nobody here can serve."""


@dataclass(frozen=True, slots=True)
class SampleRefused:
    """A reading that did not come, or that cannot be right.

    Attributes:
        pod_uid: The pod that was asked.
        time: When, in unix seconds.
        reason: One of `REFUSAL_REASONS`.
        detail: The rest of the sentence, for logs; never more than a line.
    """

    pod_uid: str
    time: float
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading of one pod. None is a series that the pod does not export.

    Attributes:
        pod_uid: The pod that answered.
        time: When, in unix seconds.
        memory_used_ratio: Live memory over device memory (0 to 1), idle KV pool left out.
        device_memory_used_ratio: The raw ratio (0 to 1).
        device_memory_bytes: Memory of the device, D.
        weights_bytes: Weights.
        kv_used_bytes: KV blocks in use.
        kv_idle_bytes: The rest of the KV pool.
        other_bytes: Everything else in use on the device.
        queue_length: Requests that wait in the engine.
        running: Requests that the engine runs.
        in_flight: HTTP requests let in and not ended: what a drain waits for.
        prefill_backlog_tokens: Prompt tokens not yet computed.
        finished_total: Requests finished since the pod started.
        rejected_total: Refused requests by reason.
        would_reject_total: Requests that would have been refused, by reason.
        engine_steps_total: Steps of the engine: stands still when the engine does.
        prompt_tokens_total: Tokens of the prompts that got their first token.
        generation_tokens_total: Tokens of answers.
        known_sessions: Sessions that the pod protects.
        policy_generation: Generation of the policy that the pod obeys.
        draining: Whether the pod drains.
        load_errors_total: Readings of its own load that failed.
        start_phase: Where its start has got to.
        prepared_ratio: Share of the weights that a preparing pod has written (0 to 1).
        gpu_util: Use of the GPU (0 to 1).
        max_num_seqs: How many requests its engine runs at most at once.
        kv_used_ratio: KV blocks in use over all (0 to 1); from vLLM's own page.
        checkpoint_weights_bytes: Weights by their files' headers, known before the engine is up.
        kv_token_bytes: KV of one token; before the engine is up by the checkpoint's config.
        kv_pool_tokens: Tokens that the engine's KV pool holds.
    """

    pod_uid: str
    time: float
    memory_used_ratio: float | None = None
    device_memory_used_ratio: float | None = None
    device_memory_bytes: float | None = None
    weights_bytes: float | None = None
    kv_used_bytes: float | None = None
    kv_idle_bytes: float | None = None
    other_bytes: float | None = None
    queue_length: float | None = None
    running: float | None = None
    in_flight: float | None = None
    prefill_backlog_tokens: float | None = None
    finished_total: float | None = None
    rejected_total: tuple[tuple[str, float], ...] = ()
    would_reject_total: tuple[tuple[str, float], ...] = ()
    engine_steps_total: float | None = None
    prompt_tokens_total: float | None = None
    generation_tokens_total: float | None = None
    known_sessions: float | None = None
    policy_generation: float | None = None
    draining: bool | None = None
    load_errors_total: float | None = None
    start_phase: str | None = None
    prepared_ratio: float | None = None
    gpu_util: float | None = None
    max_num_seqs: float | None = None
    kv_used_ratio: float | None = None
    checkpoint_weights_bytes: float | None = None
    kv_token_bytes: float | None = None
    kv_pool_tokens: float | None = None

    @property
    def non_kv_bytes(self) -> float | None:
        """Bytes in use that are not KV: weights and everything else."""
        # A pod that finds no weights on its disk counts theirs among the rest.
        return None if self.other_bytes is None else (self.weights_bytes or 0.0) + self.other_bytes

    @property
    def pool_bytes(self) -> float | None:
        """Bytes of the whole KV pool."""
        if self.kv_used_bytes is None or self.kv_idle_bytes is None:
            return None
        return self.kv_used_bytes + self.kv_idle_bytes


class _Bound(NamedTuple):
    field: str
    most: float


_RATIO = 1.0
_FLEET_SERIES: Final[Mapping[str, _Bound]] = {
    "vibethinker_memory_used_ratio": _Bound("memory_used_ratio", _RATIO),
    "vibethinker_device_memory_used_ratio": _Bound("device_memory_used_ratio", _RATIO),
    "vibethinker_device_memory_bytes": _Bound("device_memory_bytes", MAX_BYTES),
    "vibethinker_request_queue_length": _Bound("queue_length", MAX_COUNT),
    "vibethinker_requests_running": _Bound("running", MAX_COUNT),
    "vibethinker_requests_in_flight": _Bound("in_flight", MAX_COUNT),
    "vibethinker_prefill_backlog_tokens": _Bound("prefill_backlog_tokens", MAX_COUNT),
    "vibethinker_requests_finished_total": _Bound("finished_total", MAX_COUNT),
    "vibethinker_engine_steps_total": _Bound("engine_steps_total", MAX_COUNT),
    "vibethinker_prompt_tokens_total": _Bound("prompt_tokens_total", MAX_COUNT),
    "vibethinker_generation_tokens_total": _Bound("generation_tokens_total", MAX_COUNT),
    "vibethinker_known_sessions": _Bound("known_sessions", MAX_COUNT),
    "vibethinker_policy_generation": _Bound("policy_generation", MAX_COUNT),
    "vibethinker_draining": _Bound("draining", 1.0),
    "vibethinker_load_errors_total": _Bound("load_errors_total", MAX_COUNT),
    "vibethinker_gpu_util": _Bound("gpu_util", _RATIO),
    "vibethinker_prepared_ratio": _Bound("prepared_ratio", _RATIO),
    "vibethinker_max_num_seqs": _Bound("max_num_seqs", MAX_COUNT),
    "vibethinker_weights_bytes": _Bound("checkpoint_weights_bytes", MAX_BYTES),
    "vibethinker_kv_token_bytes": _Bound("kv_token_bytes", MAX_BYTES),
    "vibethinker_kv_pool_tokens": _Bound("kv_pool_tokens", MAX_COUNT),
}
_MEMORY_KINDS: Final = "vibethinker_memory_bytes"
_KINDS: Final = {
    "weights": "weights_bytes",
    "kv_used": "kv_used_bytes",
    "kv_idle": "kv_idle_bytes",
    "other": "other_bytes",
}
_PHASES: Final = "vibethinker_start_phase"
_REFUSAL_COUNTERS: Final = {
    "vibethinker_admission_rejected_total": "rejected_total",
    "vibethinker_admission_would_reject_total": "would_reject_total",
}
FLEET_SERIES: Final = frozenset({*_FLEET_SERIES, *_REFUSAL_COUNTERS, _MEMORY_KINDS, _PHASES})
"""Names of every series that is read from the page of our server."""

# vLLM's own names (0.32: vllm/v1/metrics/loggers.py). One line per engine; summed, the ratio
# averaged. Its counters carry `_total` on the page.
_VLLM_SERIES: Final[Mapping[str, _Bound]] = {
    "vllm:num_requests_running": _Bound("running", MAX_COUNT),
    "vllm:num_requests_waiting": _Bound("queue_length", MAX_COUNT),
    "vllm:kv_cache_usage_perc": _Bound("kv_used_ratio", _RATIO),
    "vllm:request_success_total": _Bound("finished_total", MAX_COUNT),
}
VLLM_SERIES: Final = frozenset(_VLLM_SERIES)
"""Names that are read from the page of an engine without our package."""


class _Point(NamedTuple):
    name: str
    labels: Mapping[str, str]
    value: float


class _RefusedError(Exception):
    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


def parse_fleet_page(page: bytes, *, pod_uid: str, time: float) -> Sample | SampleRefused:
    """Returns the reading that the page of our server gives, or why it is refused."""
    return _parse(page, FLEET_SERIES, _fold_fleet, pod_uid=pod_uid, time=time)


def parse_vllm_page(page: bytes, *, pod_uid: str, time: float) -> Sample | SampleRefused:
    """Returns what vLLM's own page gives: queue, running, KV share, finished. Memory is unknown."""
    return _parse(page, VLLM_SERIES, _fold_vllm, pod_uid=pod_uid, time=time)


def _parse(
    page: bytes,
    wanted: frozenset[str],
    fold: Callable[[Iterable[_Point], str, float], Sample],
    *,
    pod_uid: str,
    time: float,
) -> Sample | SampleRefused:
    try:
        return fold(_read_points(page, wanted), pod_uid, time)
    except _RefusedError as refused:
        return SampleRefused(pod_uid, time, refused.reason, refused.detail)


def _read_points(page: bytes, wanted: frozenset[str]) -> tuple[_Point, ...]:
    if len(page) > MAX_PAGE_BYTES:
        raise _RefusedError(TOO_LARGE, f"{len(page)} bytes, more than {MAX_PAGE_BYTES}")
    stripped = page.lstrip()
    if not stripped:
        raise _RefusedError(EMPTY, "the answer has no content")
    if stripped.startswith(b"<"):
        raise _RefusedError(HTML, "the answer is a web page, not metrics")
    if not page.endswith(b"\n"):
        # A number cut in half is still a number: 12 of 1234.
        raise _RefusedError(TRUNCATED, "the last line has no end")
    points = _parse_points(_keep_wanted(page, wanted))
    if not points:
        raise _RefusedError(EMPTY, "none of the series that are read is on the page")
    seen = {(point.name, tuple(sorted(point.labels.items()))) for point in points}
    if len(seen) < len(points):
        raise _RefusedError(DUPLICATE, "a series stands twice on the page")
    return points


def _keep_wanted(page: bytes, wanted: frozenset[str]) -> str:
    # prometheus_client's parser costs about 15 µs a line: only wanted lines get to it. The rest,
    # `# TYPE` among them, would change nothing that is read here.
    try:
        text = page.decode()
    except UnicodeDecodeError as error:
        raise _RefusedError(MALFORMED, "the page is not UTF-8") from error
    lines = text.split("\n")
    return "\n".join(line for line in lines if line.partition("{")[0].split(" ")[0] in wanted)


def _parse_points(text: str) -> tuple[_Point, ...]:
    try:
        samples = [s for family in text_string_to_metric_families(text) for s in family.samples]
        return tuple(_Point(s.name, s.labels, _check_number(s.name, s.value)) for s in samples)
    except (ValueError, OverflowError, IndexError, KeyError) as error:
        detail = str(error).partition("\n")[0][:200]
        raise _RefusedError(MALFORMED, f"a line cannot be parsed: {detail}") from error


def _check_number(name: str, value: float) -> float:
    # The parser gives whole numbers as int of any length: compare before converting.
    if isinstance(value, float) and not math.isfinite(value):
        raise _RefusedError(NOT_FINITE, f"{name} is {value}")
    if not 0 <= value <= max(MAX_BYTES, MAX_COUNT):
        raise _RefusedError(OUT_OF_RANGE, f"{name} is {value:.6g}, not in [0, {MAX_BYTES:g}]")
    return float(value)


def _check_bound(point: _Point, most: float) -> float:
    if point.value > most:
        raise _RefusedError(
            OUT_OF_RANGE, f"{point.name} is {point.value:.6g}, not in [0, {most:g}]"
        )
    return point.value


def _fold_fleet(points: Iterable[_Point], pod_uid: str, time: float) -> Sample:
    single: dict[str, Any] = {}  # numbers by field name
    counters: dict[str, list[tuple[str, float]]] = {
        field: [] for field in _REFUSAL_COUNTERS.values()
    }
    phase: str | None = None
    for point in points:
        bound = _FLEET_SERIES.get(point.name)
        if bound is not None:
            if bound.field in single:
                raise _RefusedError(DUPLICATE, f"{point.name} stands twice on the page")
            single[bound.field] = _check_bound(point, bound.most)
        elif point.name == _MEMORY_KINDS and point.labels.get("kind") in _KINDS:
            single[_KINDS[point.labels["kind"]]] = _check_bound(point, MAX_BYTES)
        elif point.name in _REFUSAL_COUNTERS:
            reason = point.labels.get("reason", "unknown")
            counters[_REFUSAL_COUNTERS[point.name]].append((reason, point.value))
        elif point.name == _PHASES and point.value > 0:
            phase = point.labels.get("phase")
    _check_memory(single)
    draining = single.pop("draining", None)
    sample = Sample(
        pod_uid=pod_uid,
        time=time,
        start_phase=phase,
        draining=None if draining is None else draining > 0,
        rejected_total=tuple(sorted(counters["rejected_total"])),
        would_reject_total=tuple(sorted(counters["would_reject_total"])),
    )
    return replace(sample, **single)


def _check_memory(single: Mapping[str, float]) -> None:
    device = single.get("device_memory_bytes")
    if device is None:
        return
    for field in _KINDS.values():
        if single.get(field, 0.0) > device:
            raise _RefusedError(
                OUT_OF_RANGE,
                f"{field} is {single[field]:.6g}, more than the {device:.6g} of the device",
            )


def _fold_vllm(points: Iterable[_Point], pod_uid: str, time: float) -> Sample:
    values: dict[str, list[float]] = {}
    for point in points:
        bound = _VLLM_SERIES[point.name]
        values.setdefault(bound.field, []).append(_check_bound(point, bound.most))
    folded: dict[str, Any] = {field: math.fsum(found) for field, found in values.items()}
    if "kv_used_ratio" in folded:
        folded["kv_used_ratio"] /= len(values["kv_used_ratio"])
    return replace(Sample(pod_uid=pod_uid, time=time), **folded)
