"""The state of this process, in one place: what the ops port shows and the middleware decides by.

vLLM constructs the middleware and the stat logger without arguments of ours, so the process's one
Runtime is installed before vLLM is imported and found by both.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_bytes

from prometheus_client import CollectorRegistry, Histogram

from vibethinker_server import names
from vibethinker_server.api_keys import ApiKeys
from vibethinker_server.connections import Connections
from vibethinker_server.engine_settings import EngineSettings
from vibethinker_server.engine_stats import EngineStats
from vibethinker_server.first_token import predict_first_token
from vibethinker_server.fleet import Fleet
from vibethinker_server.flights import Flight, Flights
from vibethinker_server.key_file import KeyFile
from vibethinker_server.known_models import KnownModel, find_known_model
from vibethinker_server.line import Line
from vibethinker_server.load import (
    AfterStart,
    DeviceMemory,
    Load,
    MemoryKinds,
    measure,
    queue_length,
    split_memory,
)
from vibethinker_server.peer_sessions import PeerSessions
from vibethinker_server.phases import Milestones, Phase, phase_of
from vibethinker_server.recent_count import RecentCount
from vibethinker_server.retry_after import Chance
from vibethinker_server.sampling import NO_CHOICE, Sampling
from vibethinker_server.sessions import Sessions
from vibethinker_server.tally import Tally
from vibethinker_server.weights import Weights

# vLLM's own buckets up to where a client has long gone.
TTFT_BUCKETS = (0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 7.5, 10, 20, 40, 80, 160)
BACKLOG_TRIES = 3
LOAD_ERRORS = (names.WHERE_DEVICE_MEMORY, names.WHERE_ENGINE_STATS, names.WHERE_READINGS)


@dataclass(frozen=True, slots=True)
class Clock:
    """The two clocks of the process: one for durations, one for what other pods read."""

    monotonic: Callable[[], float]
    unix: Callable[[], float]


@dataclass(kw_only=True)
class Runtime:
    """Everything that lives as long as the process.

    `device`, `gpu_util_ratio`, `line`, `weights` and `after_start` are replaced by the reader's
    thread, `answering` and `backlog` by the middleware once the application has started. Without
    `api_keys` the client port is open, as vLLM's is. `model` is the known one that the engine's
    settings name.
    """

    settings: EngineSettings
    fleet: Fleet
    clock: Clock
    chance: Chance
    ticket_file: KeyFile
    token_file: KeyFile
    served_by: bytes
    api_keys: ApiKeys | None = None
    model: KnownModel | None = None
    errors: Tally = field(default_factory=Tally)
    requests_by_key: Tally = field(default_factory=Tally)
    unauthorized: Tally = field(default_factory=Tally)
    rejected: Tally = field(default_factory=lambda: Tally(names.REASONS))
    would_reject: Tally = field(
        default_factory=lambda: Tally(
            (names.REASON_MEMORY_LINE, names.REASON_KV_HEADROOM, names.REASON_FIRST_TOKEN)
        )
    )
    truncated: Tally = field(default_factory=Tally)
    max_new_tokens: int = field(init=False)
    stats: EngineStats = field(init=False)
    flights: Flights = field(default_factory=Flights)
    known_let_in: RecentCount = field(default_factory=RecentCount)
    sessions: Sessions = field(default_factory=Sessions)
    peer_sessions: PeerSessions = field(default_factory=PeerSessions)
    connections: Connections = field(default_factory=Connections)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    ttft: Histogram = field(init=False)
    device: DeviceMemory | None = None
    gpu_util_ratio: float | None = None
    line: Line = field(default_factory=Line)
    weights: Weights | None = None
    after_start: AfterStart | None = None
    answering: bool = False
    backlog: Callable[[], int] | None = None

    def __post_init__(self) -> None:
        self.stats = EngineStats(self.errors)
        # The engine's own hard cap for as long as this process lives: the largest at its start.
        self.max_new_tokens = max(self.fleet.policy.token_limits.values())
        # Where no key is mounted, tickets are good on this pod alone.
        self._own_key = token_bytes(32)
        self.ttft = Histogram(
            names.METRIC_TTFT,
            "Seconds from a request's arrival to the first bytes of its streamed answer.",
            labelnames=(names.LABEL_PROFILE, names.LABEL_TASK),
            registry=self.registry,
            buckets=TTFT_BUCKETS,
        )

    def count_error(self, where: str, log: logging.Logger, what: str) -> None:
        """Counts an error that was just caught, and writes it to `log` with its traceback."""
        self.errors.add(where)
        log.error(what, exc_info=True)  # noqa: LOG014 (called where an error was caught)

    def load(self) -> Load:
        """Returns the load as of now."""
        return measure(
            device=self.device,
            pool_bytes=self.stats.pool_bytes,
            reading=self.stats.reading,
            in_flight=self.flights.count,
            max_num_seqs=self.settings.max_num_seqs,
        )

    def memory_kinds(self) -> MemoryKinds | None:
        """Returns the device's use by kind as of now, None where it is not known."""
        device, pool, reading = self.device, self.stats.pool_bytes, self.stats.reading
        if device is None or pool is None or reading is None:
            return None
        weights = self.weights.bytes if self.weights else None
        return split_memory(device, pool, reading.kv_usage_ratio, weights)

    @property
    def sampling(self) -> Sampling:
        """What the authors of the model recommend; the policy's name for it counts first."""
        named = self.fleet.policy.repository
        model = find_known_model(named) if named else self.model
        return model.sampling if model else NO_CHOICE

    @property
    def kv_token_bytes(self) -> int | None:
        """Bytes of KV of one token: as the engine says, before that as the checkpoint does."""
        if self.stats.token_bytes is not None:
            return self.stats.token_bytes
        return self.weights.kv_token_bytes if self.weights else None

    def note_start(self, resident_bytes: int | None) -> None:
        """Keeps what is in use now as that of the start; later growth is measured against it."""
        device, pool = self.device, self.stats.pool_bytes
        live = None if device is None or pool is None else device.used_bytes - pool
        self.after_start = AfterStart(live, resident_bytes)

    def begin(self, flight: Flight, *, known: bool) -> None:
        """Counts a request that is let in; one of a known session goes before newcomers."""
        self.flights.begin(flight)
        if known:
            self.known_let_in.add(1, self.clock.monotonic())

    def queue_with_one_more(self) -> int:
        """Returns the queue if one more request were let in, known even without the engine's."""
        reading, seats = self.stats.reading, self.settings.max_num_seqs
        running, waiting = (reading.running, reading.waiting) if reading else (0, 0)
        return queue_length(self.flights.count + 1, running, waiting, seats)

    def prompt_backlog(self) -> int | None:
        """Returns the prompt tokens of requests that have no token yet, None: vLLM does not say.

        vLLM sums over a dict that its event loop changes; a change in between costs another try.
        """
        if self.backlog is None:
            return None
        for _ in range(BACKLOG_TRIES):
            try:
                return int(self.backlog())
            except RuntimeError:
                continue
            except Exception:
                break
        return None

    def predicted_first_token(self, now: float) -> float | None:
        """Returns the seconds that a newcomer would wait for its first token, None: not known."""
        reading = self.stats.reading
        seated = reading is not None and reading.running >= self.settings.max_num_seqs
        finished = self.stats.count_recent(now)
        return predict_first_token(
            backlog_tokens=self.prompt_backlog(),
            tokens_per_second=self.stats.prompt_rate.tokens_per_second,
            waiting_for_seats=self.queue_with_one_more() if seated else 0,
            finished_per_second=self.stats.finished_per_second(now),
            known_share=self.known_let_in.total(now) / finished if finished else 0.0,
        )

    def phase(self, now: float) -> Phase:
        """Returns the phase at `now`."""
        return phase_of(
            Milestones(
                weights_present=self.weights is not None,
                engine_initialized=self.stats.initialized,
                answering=self.answering,
                draining=self.fleet.draining_seconds(now) is not None,
            )
        )

    def ticket_key(self, now: float) -> bytes:
        """Returns the key that session tickets are signed with."""
        return self.ticket_file.read(now) or self._own_key


_installed: list[Runtime] = []


def install(runtime: Runtime) -> None:
    """Makes `runtime` the one that vLLM's plugins find."""
    _installed[:] = [runtime]


def installed() -> Runtime:
    """Returns the process's runtime.

    Raises:
        RuntimeError: vLLM was not started by `vibethinker-server serve`.
    """
    if not _installed:
        raise RuntimeError(
            "vibethinker_server's middleware and stat logger run only in a process started by "
            "`python3 -m vibethinker_server serve`"
        )
    return _installed[0]
