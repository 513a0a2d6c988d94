"""The server of one simulated pod: an engine behind the product's own admission."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Final

from vibethinker_operator.samples import Sample
from vibethinker_server.admission import Admitted, Rejected, admit
from vibethinker_server.door import gather_facts
from vibethinker_server.fleet import Fleet
from vibethinker_server.flights import Flight
from vibethinker_server.key_file import KeyFile
from vibethinker_server.line import fold_line
from vibethinker_server.load import DeviceMemory, EngineReading, MemoryKinds
from vibethinker_server.runtime import Clock, Runtime

from vibethinker_simulator.blueprint import Blueprint
from vibethinker_simulator.replica import Replica
from vibethinker_simulator.sequence import KNOWN, NEWCOMER, Sequence
from vibethinker_simulator.trace import Request

BYTES_PER_TOKEN: Final = 4
"""Of a prompt, as admission guesses sizes; English under Qwen's tokenizer."""

_NO_FILE: Final = Path("/nonexistent")
_NO_DEVICE: Final = DeviceMemory(total_bytes=0, used_bytes=0)
_NO_KINDS: Final = MemoryKinds(None, 0, 0, 0)


class Server:
    """An engine and the state of the server around it. Times are simulated unix seconds.

    Attributes:
        uid: Of its pod.
        number: Of its pod.
        replica: Its engine.
        runtime: What the server knows of itself.
        alive: Whether its process runs.
        leaving: Whether it was told to end, and so takes no connection any more.
    """

    def __init__(
        self, blueprint: Blueprint, *, uid: str, number: int, now: float, clock: Callable[[], float]
    ) -> None:
        self.uid = uid
        self.number = number
        self.alive = True
        self.leaving = False
        self.replica = Replica(blueprint.shape, blueprint.speed, now)
        self.runtime = Runtime(
            settings=blueprint.settings,
            fleet=Fleet(blueprint.policy),
            clock=Clock(monotonic=clock, unix=clock),
            chance=random.Random(number).random,  # noqa: S311 (reproducible)
            ticket_file=KeyFile(_NO_FILE),
            token_file=KeyFile(_NO_FILE),
            served_by=uid.encode(),
        )
        self.runtime.stats.start(blueprint.shape.pool_tokens, blueprint.token_bytes)
        self.runtime.device = blueprint.device
        self.runtime.backlog = lambda: self.replica.backlog_tokens
        self.runtime.answering = True
        self._blueprint = blueprint
        self._flights: dict[int, Flight] = {}

    def let_in(self, request: Request, *, known: bool) -> Admitted | Rejected:
        """Judges a request of a session that is known or not, as the server's door does."""
        runtime = self._read_engine()
        facts = gather_facts(
            runtime,
            known=known,
            tokens=self.likely_tokens(request),
            objective_seconds=self._blueprint.objective_seconds,
        )
        verdict = runtime.fleet.verdict(runtime.clock.monotonic())
        answer = admit(runtime.fleet.policy, verdict, runtime.load(), facts)
        if isinstance(answer, Rejected):
            runtime.rejected.add(answer.reason)
        elif answer.would_reject is not None:
            runtime.would_reject.add(answer.would_reject)
        return answer

    def take(self, number: int, request: Request, *, known: bool, now: float) -> None:
        """Gives a request to the engine."""
        flight = Flight(request.session.to_bytes(8, "big"), self.likely_tokens(request))
        self._flights[number] = flight
        self.runtime.flights.begin(flight)
        output = min(request.output_tokens, self._blueprint.limit_tokens)
        rank = KNOWN if known else NEWCOMER
        self.replica.submit(Sequence(number, now, rank, request.prompt_tokens, max(1, output)))

    def likely_tokens(self, request: Request) -> int:
        """Returns the tokens of KV that admission expects the request to hold at its end."""
        return self.runtime.stats.sizes.estimate_tokens(
            request.prompt_tokens * BYTES_PER_TOKEN,
            self._blueprint.limit_tokens,
            1,
            self._blueprint.settings.block_size,
        )

    def harvest(self) -> tuple[list[tuple[float, Sequence]], list[tuple[float, Sequence]]]:
        """Returns who had a first token and who ended since the last time, and learns from it."""
        replica, runtime = self.replica, self.runtime
        stats = runtime.stats
        for at, prompt_tokens, backlog, longest in replica.spells:
            stats.prompt_rate.add_step(at, prompt_tokens, backlog, longest)
        for at, sequence in replica.finished:
            stats.sizes.add_finished(sequence.prompt_tokens, sequence.output_tokens)
            stats.sizes.add_answered(sequence.prompt_tokens * BYTES_PER_TOKEN)
            stats.count_finished(1, at)
            runtime.flights.end(self._flights.pop(sequence.number))
        started, finished = replica.started, replica.finished
        replica.started, replica.finished, replica.spells = [], [], []
        return started, finished

    def watch_line(self, now: float) -> None:
        """Looks at the memory line at `now`; the server does so four times a second."""
        runtime = self._read_engine()
        ratio, saturation = runtime.load().memory_used_ratio, runtime.fleet.policy.saturation
        runtime.line = fold_line(runtime.line, now, ratio, saturation)

    def read(self, now: float) -> Sample:
        """Returns what a sweep of the operator reads at `now`."""
        runtime = self._read_engine()
        load, stats = runtime.load(), runtime.stats
        device = load.device or _NO_DEVICE
        kinds = runtime.memory_kinds() or _NO_KINDS
        rejected = tuple(runtime.rejected.counts().items())
        return Sample(
            pod_uid=self.uid,
            time=now,
            memory_used_ratio=load.memory_used_ratio,
            device_memory_used_ratio=load.device_memory_used_ratio,
            device_memory_bytes=device.total_bytes,
            weights_bytes=None,
            kv_used_bytes=kinds.kv_used,
            kv_idle_bytes=kinds.kv_idle,
            other_bytes=kinds.other,
            queue_length=load.queue_length,
            running=load.running,
            in_flight=runtime.flights.count,
            prefill_backlog_tokens=runtime.prompt_backlog(),
            finished_total=stats.finished,
            rejected_total=rejected,
            engine_steps_total=stats.steps,
            prompt_tokens_total=self.replica.prompt_tokens,
            generation_tokens_total=self.replica.generated_tokens,
            policy_generation=runtime.fleet.policy.generation,
            draining=runtime.fleet.draining_seconds(now) is not None,
            max_num_seqs=runtime.settings.max_num_seqs,
            kv_token_bytes=self._blueprint.token_bytes,
            kv_pool_tokens=stats.pool_tokens,
        )

    def _read_engine(self) -> Runtime:
        replica, runtime = self.replica, self.runtime
        runtime.stats.reading = EngineReading(
            replica.running, replica.waiting, min(1.0, replica.kv_usage_ratio)
        )
        runtime.stats.steps = replica.steps
        return runtime
