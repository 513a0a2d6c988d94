"""What an engine's pages show at one moment, as frozen values. Pure.

The page is Prometheus' text: vLLM's own series beside ours (port 9100).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

SERIES = re.compile(r"^(?P<name>[A-Za-z_:][\w:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)")
MOST = 2.0**60
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Series:
    """One series of a page."""

    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineReadings:
    """What one engine's page shows; None: the page does not say. Bytes, tokens and counts.

    Attributes:
        blocks: blocks of the KV pool.
        block_size: tokens of a block.
        running: requests that the engine runs.
        waiting: requests that wait in the engine.
        in_flight: requests that our door let in and that have not ended.
        max_num_seqs: sequences that can run at once.
        max_model_len: longest sequence.
        kv_usage_ratio: share of the blocks in use, 0 to 1.
        steps: steps of the engine since its start.
        preemptions: times that a running request was thrown out and computed anew.
        finished: requests finished.
        mean_tokens: tokens of a finished request, prompt and answer.
        device_bytes: the device's memory; on a CPU the container's limit.
        live_bytes: its use without the idle part of the KV pool.
        live_after_start_bytes: the same, when the engine had just begun to serve.
        weights_bytes: the weights.
        pool_bytes: the KV pool.
        other_bytes: the rest of the device's use.
        resident_bytes: anonymous memory of the server's processes.
        resident_after_start_bytes: the same, when the engine had just begun to serve.
        uncollectable_objects: what Python's garbage collector could not free.
        collections: full runs of it (generation 2).
        phase: where the server stands between its start and its end.
    """

    blocks: int | None = None
    block_size: int | None = None
    running: int | None = None
    waiting: int | None = None
    in_flight: int | None = None
    max_num_seqs: int | None = None
    max_model_len: int | None = None
    kv_usage_ratio: float | None = None
    steps: int | None = None
    preemptions: int | None = None
    finished: int | None = None
    mean_tokens: float | None = None
    device_bytes: int | None = None
    live_bytes: int | None = None
    live_after_start_bytes: int | None = None
    weights_bytes: int | None = None
    pool_bytes: int | None = None
    other_bytes: int | None = None
    resident_bytes: int | None = None
    resident_after_start_bytes: int | None = None
    uncollectable_objects: int | None = None
    collections: int | None = None
    phase: str | None = None

    @property
    def pool_tokens(self) -> int | None:
        """Tokens that the KV pool holds."""
        if self.blocks is None or self.block_size is None:
            return None
        return self.blocks * self.block_size

    @property
    def idle(self) -> bool | None:
        """Whether nobody is served now; None: not known."""
        known = [n for n in (self.in_flight, self.running, self.waiting) if n is not None]
        return not any(known) if known else None


def parse_page(text: str) -> tuple[Series, ...]:
    """Returns the series of a page in Prometheus' text format; lines that are none are left out."""
    return tuple(series for line in text.splitlines() if (series := _parse_line(line)) is not None)


def read_engine(text: str) -> EngineReadings:
    """Returns what a page shows of one engine."""
    page = _Page(parse_page(text))
    cache = page.labels("vllm:cache_config_info")
    device = page.whole("vibethinker_device_memory_bytes")
    ratio = page.value("vibethinker_memory_used_ratio")
    pool = [page.whole("vibethinker_memory_bytes", kind=kind) for kind in ("kv_used", "kv_idle")]
    known_pool = [part for part in pool if part is not None]
    return EngineReadings(
        blocks=_positive(cache.get("num_gpu_blocks")),
        block_size=_positive(cache.get("block_size")),
        running=page.whole("vllm:num_requests_running"),
        waiting=page.whole("vllm:num_requests_waiting"),
        in_flight=page.whole("vibethinker_requests_in_flight"),
        max_num_seqs=page.whole("vibethinker_max_num_seqs") or None,
        max_model_len=page.whole("vibethinker_max_model_len") or None,
        kv_usage_ratio=page.value("vllm:kv_cache_usage_perc"),
        steps=page.whole("vibethinker_engine_steps_total"),
        preemptions=page.whole("vllm:num_preemptions_total"),
        finished=page.whole("vibethinker_requests_finished_total"),
        mean_tokens=page.mean("vllm:request_prompt_tokens", "vllm:request_generation_tokens"),
        device_bytes=device,
        live_bytes=None if device is None or ratio is None else round(device * ratio),
        live_after_start_bytes=page.whole("vibethinker_memory_after_start_bytes"),
        weights_bytes=page.whole("vibethinker_memory_bytes", kind="weights"),
        pool_bytes=sum(known_pool) if len(known_pool) == len(pool) else None,
        other_bytes=page.whole("vibethinker_memory_bytes", kind="other"),
        resident_bytes=page.whole("vibethinker_resident_memory_bytes"),
        resident_after_start_bytes=page.whole("vibethinker_resident_memory_after_start_bytes"),
        uncollectable_objects=page.whole("python_gc_objects_uncollectable_total"),
        collections=page.whole("python_gc_collections_total", generation="2"),
        phase=page.labels("vibethinker_start_phase").get("phase"),
    )


@dataclass(frozen=True, slots=True)
class _Page:
    series: tuple[Series, ...]

    def labels(self, name: str) -> Mapping[str, str]:
        return next((one.labels for one in self.series if one.name == name), {})

    def value(self, name: str, **labels: str) -> float | None:
        """Returns the sum of what is so named and labelled; None: there is no such series."""
        wanted = labels.items()
        values = [s.value for s in self.series if s.name == name and s.labels.items() >= wanted]
        return sum(values) if values else None

    def whole(self, name: str, **labels: str) -> int | None:
        value = self.value(name, **labels)
        return None if value is None else round(value)

    def mean(self, *names: str) -> float | None:
        """Returns the means of these histograms together; None where one has seen nothing."""
        total = 0.0
        for name in names:
            amount, count = self.value(f"{name}_sum"), self.value(f"{name}_count")
            if amount is None or not count:
                return None
            total += amount / count
        return total


def _parse_line(line: str) -> Series | None:
    found = SERIES.match(line)
    if found is None:
        return None
    try:
        value = float(found["value"])
    except ValueError:
        return None
    # Nothing that a server shows is negative, or beyond what a machine can count.
    if not (isfinite(value) and 0 <= value <= MOST):
        return None
    return Series(found["name"], dict(LABEL.findall(found["labels"] or "")), value)


def _positive(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() and int(text) > 0 else None
