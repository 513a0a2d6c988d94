"""The series of the ops port, made from the runtime's state at the moment of asking.

Unknown is no series. Nothing is kept in gauges that could go stale.
"""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

from vibethinker_server import names
from vibethinker_server.load import Load, MemoryKinds
from vibethinker_server.process_memory import read_resident_bytes
from vibethinker_server.runtime import LOAD_ERRORS, Runtime


class FleetCollector(Collector):
    """The small page that the operator reads with every sweep."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def collect(self) -> Iterator[Metric]:
        """Yields the series as of now."""
        runtime, now = self._runtime, self._runtime.clock.monotonic()
        load = runtime.load()
        yield from _memory(load)
        kinds = runtime.memory_kinds()
        if kinds is not None:
            yield _kinds(kinds)
        yield from self._fit()
        yield from _gauge(names.METRIC_QUEUE, "Requests let in that do not run.", load.queue_length)
        yield from _gauge(names.METRIC_RUNNING, "Requests that the engine runs.", load.running)
        in_flight = runtime.flights.count
        yield from _gauge(names.METRIC_IN_FLIGHT, "Requests let in and not ended.", in_flight)
        backlog = runtime.prompt_backlog()
        yield from _gauge(names.METRIC_BACKLOG, "Prompt tokens without a first answer.", backlog)
        yield from _gauge(
            names.METRIC_GPU_UTIL,
            "Share of time in which the GPU computed.",
            runtime.gpu_util_ratio,
        )
        yield from _gauge(
            names.METRIC_MAX_NUM_SEQS,
            "Sequences that can run at once.",
            runtime.settings.max_num_seqs,
        )
        yield from self._counters()
        runtime.sessions.forget_expired(runtime.clock.unix())
        yield from _gauge(
            names.METRIC_SESSIONS, "Sessions let in within their time.", runtime.sessions.count
        )
        generation = runtime.fleet.policy.generation
        yield from _gauge(names.METRIC_GENERATION, "Generation of the policy obeyed.", generation)
        draining = runtime.fleet.draining_seconds(now) is not None
        yield from _gauge(names.METRIC_DRAINING, "1 while this pod drains.", int(draining))
        phase = GaugeMetricFamily(names.METRIC_PHASE, "Where this pod stands.", labels=["phase"])
        phase.add_metric([runtime.phase(now)], 1)
        yield phase

    def _fit(self) -> Iterator[Metric]:
        weights = self._runtime.weights
        yield from _gauge(
            names.METRIC_WEIGHTS,
            "Memory that the weights take, by their files' headers.",
            weights.bytes if weights else None,
        )
        yield from _gauge(
            names.METRIC_KV_TOKEN,
            "KV cache that each token of context takes.",
            self._runtime.kv_token_bytes,
        )
        yield from _gauge(
            names.METRIC_KV_POOL,
            "Tokens that the engine's KV cache holds.",
            self._runtime.stats.pool_tokens,
        )

    def _counters(self) -> Iterator[Metric]:
        runtime, stats = self._runtime, self._runtime.stats
        if stats.initialized:
            yield CounterMetricFamily(names.METRIC_STEPS, "Engine steps.", stats.steps)
            yield CounterMetricFamily(names.METRIC_FINISHED, "Requests finished.", stats.finished)
            yield from _counter(
                names.METRIC_PROMPT_TOKENS,
                "Tokens of prompts that got their first answer.",
                stats.prompt_tokens,
            )
            yield from _counter(
                names.METRIC_GENERATION_TOKENS, "Tokens of answers.", stats.generation_tokens
            )
        refused = runtime.rejected.counts()
        yield _by_label(names.METRIC_REJECTED, "Requests refused.", names.LABEL_REASON, refused)
        would = runtime.would_reject.counts()
        yield _by_label(
            names.METRIC_WOULD_REJECT,
            "Requests let in, though over a line: another decides here.",
            names.LABEL_REASON,
            would,
        )
        errors = runtime.errors.total(LOAD_ERRORS)
        yield CounterMetricFamily(names.METRIC_LOAD_ERRORS, "Readings of load that failed.", errors)


class RequestCollector(Collector):
    """What the operator does not read: requests by key, refused, failed, cut; and guesses."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def collect(self) -> Iterator[Metric]:
        """Yields the series as of now."""
        runtime = self._runtime
        yield from self._guesses()
        yield self._objectives()
        errors = runtime.errors.counts()
        yield _by_label(names.METRIC_ERRORS, "Errors of ours, caught.", names.LABEL_WHERE, errors)
        keys = runtime.requests_by_key.counts()
        yield _by_label(
            names.METRIC_KEY_REQUESTS, "Requests with a known API key.", names.LABEL_KEY, keys
        )
        unauthorized = runtime.unauthorized.counts()
        yield _by_label(
            names.METRIC_UNAUTHORIZED,
            "Requests without a known API key.",
            names.LABEL_REASON,
            unauthorized,
        )
        cut = runtime.truncated.counts()
        yield _by_label(
            names.METRIC_TRUNCATED, "Answers that a token cap cut.", names.LABEL_TASK, cut
        )

    def _objectives(self) -> Metric:
        family = GaugeMetricFamily(
            names.METRIC_TTFT_OBJECTIVE,
            "Longest wait for the first token that a profile tolerates.",
            labels=[names.LABEL_PROFILE],
        )
        for profile in self._runtime.fleet.policy.profiles:
            family.add_metric([profile.name], profile.first_token_seconds)
        return family

    def _guesses(self) -> Iterator[Metric]:
        runtime, now = self._runtime, self._runtime.clock.monotonic()
        yield from _gauge(
            names.METRIC_KV_COMMITTED,
            "Tokens of KV that requests in flight will likely hold at their end.",
            runtime.flights.committed_tokens,
        )
        yield from _gauge(
            names.METRIC_PREDICTED_TTFT,
            "Seconds that a newcomer would wait before its own prompt is computed.",
            runtime.predicted_first_token(now),
        )
        yield from _gauge(
            names.METRIC_PEER_SESSIONS,
            "Sessions that other pods let in and told of.",
            runtime.peer_sessions.count,
        )


class EvidenceCollector(Collector):
    """What the doctor compares: the longest sequence, and memory now and after the start."""

    def __init__(
        self, runtime: Runtime, read_resident: Callable[[], int | None] = read_resident_bytes
    ) -> None:
        self._runtime = runtime
        self._read_resident = read_resident

    def collect(self) -> Iterator[Metric]:
        """Yields the series as of now."""
        runtime = self._runtime
        yield from _gauge(
            names.METRIC_MAX_MODEL_LEN,
            "Longest sequence in tokens, prompt and answer together.",
            runtime.settings.max_model_len,
        )
        yield from _gauge(
            names.METRIC_RESIDENT,
            "Anonymous memory of the server's processes.",
            self._read_resident(),
        )
        start = runtime.after_start
        if start is None:
            return
        yield from _gauge(
            names.METRIC_MEMORY_AFTER_START,
            "Live memory when the engine had just begun to serve.",
            start.live_bytes,
        )
        yield from _gauge(
            names.METRIC_RESIDENT_AFTER_START,
            "Anonymous memory of the processes at that moment.",
            start.resident_bytes,
        )


class _Named(Collector):
    """The families of several registries of which a sample has one of `wanted` names."""

    def __init__(self, registries: Iterable[Collector], wanted: set[str]) -> None:
        self._registries = registries
        self._wanted = wanted

    def collect(self) -> Iterator[Metric]:
        for registry in self._registries:
            for family in registry.collect():
                family.samples = [one for one in family.samples if one.name in self._wanted]
                if family.samples:
                    yield family


def render_fleet_page(collector: FleetCollector) -> bytes:
    """Returns the small page in Prometheus' text format."""
    return _render(collector)


def render_metrics(ours: CollectorRegistry, engines: CollectorRegistry, wanted: set[str]) -> bytes:
    """Returns the page of both registries, or just the samples of the `wanted` names if any."""
    if not wanted:
        return generate_latest(ours) + generate_latest(engines)
    registries: list[Collector] = [ours]
    if not all(name.startswith(names.PREFIX) for name in wanted):
        registries.append(engines)
    return _render(_Named(registries, wanted))


def _render(collector: Collector) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    return generate_latest(registry)


def _memory(load: Load) -> Iterator[Metric]:
    yield from _gauge(names.METRIC_MEMORY_USED, "Live memory, 0 to 1.", load.memory_used_ratio)
    raw = load.device_memory_used_ratio
    yield from _gauge(names.METRIC_DEVICE_MEMORY_USED, "Raw use of the device, 0 to 1.", raw)
    total = load.device.total_bytes if load.device else None
    yield from _gauge(names.METRIC_DEVICE_MEMORY, "The device's memory.", total)


def _kinds(kinds: MemoryKinds) -> Metric:
    help_text = "The device's use by kind; the kinds sum to it."
    family = GaugeMetricFamily(names.METRIC_MEMORY, help_text, labels=[names.LABEL_KIND])
    for kind in ("weights", "kv_used", "kv_idle", "other"):
        value = getattr(kinds, kind)
        if value is not None:
            family.add_metric([kind], value)
    return family


def _counter(name: str, text: str, value: int | None) -> Iterator[Metric]:
    if value is not None:
        yield CounterMetricFamily(name, text, value)


def _gauge(name: str, help_text: str, value: float | None) -> Iterator[Metric]:
    if value is not None:
        yield GaugeMetricFamily(name, help_text, value)


def _by_label(name: str, help_text: str, label: str, counts: dict[str, int]) -> Metric:
    family = CounterMetricFamily(name, help_text, labels=[label])
    for value, count in counts.items():
        family.add_metric([value], count)
    return family
