"""One vLLM engine, step by step: continuous batching, chunked prefill, paged KV, preemption.

As vLLM's V1 scheduler does it: in each step every running sequence decodes one token; what is left
of the step's tokens goes to prompts, in chunks, first of those that have begun. A waiting request
is taken while there is a seat and blocks for its whole prompt. Where a sequence finds no block for
its next token, the newest of the lowest class is preempted and later computed anew.

Steps that only decode, between two events, have a closed form and are taken at once: a day of
requests is some seconds of work.
"""

import heapq
import math
from collections import deque
from dataclasses import dataclass
from typing import Final, NamedTuple

from vibethinker_simulator.iteration import IterationModel
from vibethinker_simulator.sequence import KNOWN, NEWCOMER, Sequence

WATERMARK: Final = 0.01
"""Share of the blocks that stay free when a prompt is taken beside running sequences (vLLM's)."""

LONGEST_SPELL: Final = 64
"""Most steps taken at once while requests wait, so that their wait is seen while it lasts."""


@dataclass(frozen=True, slots=True)
class EngineShape:
    """What bounds one engine: seats, tokens of a step, blocks of its KV pool."""

    max_num_seqs: int
    max_num_batched_tokens: int
    block_size: int
    num_blocks: int

    @property
    def pool_tokens(self) -> int:
        """Tokens that the KV pool holds."""
        return self.num_blocks * self.block_size


class Spell(NamedTuple):
    """Steps during which prompts waited or were computed, as admission learns from them.

    Attributes:
        ends_at: When they ended, in seconds.
        prompt_tokens: Of the prompts that got their first token.
        backlog_tokens: Prompt tokens without a first token after them.
        longest_wait: Seconds that the first of these prompts had waited.
    """

    ends_at: float
    prompt_tokens: int
    backlog_tokens: int
    longest_wait: float


@dataclass(slots=True)
class _MixedStep:
    """A step with prompts in it that has begun: when it ends, and whose chunks it computes."""

    ends_at: float
    chunks: list[tuple[Sequence, int]]


class Replica:
    """An engine at `now`, the end of the last step that is done. Times are seconds.

    Attributes:
        now: End of the last step.
        kv_tokens: Tokens in the cache of sequences that decode.
        blocks_used: Blocks of the pool that are taken.
        backlog_tokens: Prompt tokens of requests without a first token.
        steps: Steps done.
        prompt_tokens: Tokens of the prompts that got their first token.
        generated_tokens: Tokens generated.
        started: Sequences that had their first token, and when, since the list was last emptied.
        finished: Those that ended and when, likewise.
        spells: What steps did to the backlog of prompts, likewise.
        quiet_until: Before this nobody has a first token or ends, unless a request comes.
    """

    def __init__(self, shape: EngineShape, speed: IterationModel, now: float) -> None:
        self.shape = shape
        self.speed = speed
        self.now = now
        self.kv_tokens = 0
        self.blocks_used = 0
        self.backlog_tokens = 0
        self.steps = 0
        self.prompt_tokens = 0
        self.generated_tokens = 0
        self.started: list[tuple[float, Sequence]] = []
        self.finished: list[tuple[float, Sequence]] = []
        self.spells: list[Spell] = []
        self.quiet_until = now
        self._tick = 0
        self._waiting: tuple[deque[Sequence], deque[Sequence]] = (deque(), deque())
        self._prefilling: list[Sequence] = []
        # By class, in the order of joining: the last is the first to be preempted.
        self._decoding: tuple[dict[int, Sequence], dict[int, Sequence]] = ({}, {})
        self._ends: list[tuple[int, int, Sequence]] = []
        self._residues = [0] * shape.block_size
        self._mixed: _MixedStep | None = None
        # The step, counted from 0, that last had to preempt: nobody is seated in it.
        self._preempted_in = -1

    @property
    def running(self) -> int:
        """Sequences with a seat."""
        return self._count_decoding() + len(self._prefilling)

    @property
    def waiting(self) -> int:
        """Sequences without one."""
        return len(self._waiting[KNOWN]) + len(self._waiting[NEWCOMER])

    @property
    def kv_usage_ratio(self) -> float:
        """Blocks in use over all."""
        return self.blocks_used / self.shape.num_blocks

    def submit(self, sequence: Sequence) -> None:
        """Takes a request that comes at its `arrival`; call `advance` up to then first."""
        if not self.running and not self.waiting and self._mixed is None:
            self.now = max(self.now, sequence.arrival)
        self._waiting[sequence.rank].append(sequence)
        self.backlog_tokens += sequence.prompt_tokens
        self.quiet_until = self.now

    def advance(self, until: float) -> None:
        """Does every step that ends by `until`."""
        while self._take_step(until):
            pass
        self.quiet_until = self._find_next_event()

    @property
    def inside(self) -> list[Sequence]:
        """Everything that waits or runs: what is cut where the process ends."""
        waiting = [*self._waiting[KNOWN], *self._waiting[NEWCOMER]]
        decoding = [*self._decoding[KNOWN].values(), *self._decoding[NEWCOMER].values()]
        return [*waiting, *self._prefilling, *decoding]

    def _find_next_event(self) -> float:
        if self._mixed is not None:
            return self._mixed.ends_at
        decoding = self._count_decoding()
        if not decoding:
            return math.inf
        steps = 1 if self.waiting else max(1, self._steps_to_next_end())
        return self.now + self.speed.decode_steps(steps, self.kv_tokens, decoding)

    def _take_step(self, until: float) -> bool:
        if self._mixed is not None:
            if self._mixed.ends_at > until:
                return False
            self._end_mixed(self._mixed)
            return True
        prompts = self._prefilling or self._next_waiting() is not None
        if prompts and self._begin_mixed():
            return True
        decoding = self._count_decoding()
        return decoding > 0 and self._decode(until, decoding)

    def _count_decoding(self) -> int:
        return len(self._decoding[KNOWN]) + len(self._decoding[NEWCOMER])

    # Prompts

    def _next_waiting(self) -> Sequence | None:
        for queue in self._waiting:
            if queue and queue[0].arrival <= self.now:
                return queue[0]
        return None

    def _is_one_coming(self) -> bool:
        return any(queue and queue[0].arrival > self.now for queue in self._waiting)

    def _begin_mixed(self) -> bool:
        self._make_room()
        decoding = self._count_decoding()
        budget = self.shape.max_num_batched_tokens - decoding
        chunks: list[tuple[Sequence, int]] = []
        pairs = 0.0
        for sequence in self._prefilling:
            if budget <= 0:
                break
            budget, pairs = self._add_chunk(chunks, sequence, budget, pairs)
        while budget > 0 and self._preempted_in != self.steps:
            taken = self._seat_next()
            if taken is None:
                break
            budget, pairs = self._add_chunk(chunks, taken, budget, pairs)
        if not chunks:
            return False
        tokens = sum(chunk for _, chunk in chunks)
        seconds = self.speed.mixed_step(tokens, pairs, self.kv_tokens, decoding)
        self._mixed = _MixedStep(self.now + seconds, chunks)
        return True

    def _add_chunk(
        self, chunks: list[tuple[Sequence, int]], sequence: Sequence, budget: int, pairs: float
    ) -> tuple[int, float]:
        chunk = min(budget, sequence.to_compute - sequence.computed)
        chunks.append((sequence, chunk))
        return budget - chunk, pairs + chunk * (sequence.computed + chunk / 2)

    def _seat_next(self) -> Sequence | None:
        running = self.running
        if running >= self.shape.max_num_seqs:
            return None
        sequence = self._next_waiting()
        if sequence is None:
            return None
        blocks = -(-sequence.to_compute // self.shape.block_size)
        spare = WATERMARK * self.shape.num_blocks if running else 0
        if self.blocks_used + self._count_new_blocks(1) + blocks + spare > self.shape.num_blocks:
            return None
        self._waiting[sequence.rank].popleft()
        self.blocks_used += blocks
        self._prefilling.append(sequence)
        return sequence

    def _end_mixed(self, step: _MixedStep) -> None:
        self.now = step.ends_at
        self._mixed = None
        self.steps += 1
        self._grow(1)
        began = len(self.started)
        for sequence, chunk in step.chunks:
            sequence.computed += chunk
            if sequence.computed == sequence.to_compute:
                self._prefilling.remove(sequence)
                self._start_decoding(sequence)
        self._end_finished()
        begun = self.started[began:]
        done = sum(sequence.prompt_tokens for _, sequence in begun)
        longest = max((at - sequence.arrival for at, sequence in begun), default=0.0)
        self.spells.append(Spell(self.now, done, self.backlog_tokens, longest))

    def _start_decoding(self, sequence: Sequence) -> None:
        # The step that completes a prompt brings its first token along.
        sequence.generated += 1
        self.generated_tokens += 1
        if sequence.first_token_at is None:
            sequence.first_token_at = self.now
            self.started.append((self.now, sequence))
            self.backlog_tokens -= sequence.prompt_tokens
            self.prompt_tokens += sequence.prompt_tokens
        length = sequence.to_compute
        left = sequence.output_tokens - sequence.generated
        sequence.offset = length - self._tick
        sequence.end_tick = self._tick + left
        self._decoding[sequence.rank][sequence.number] = sequence
        self._residues[sequence.offset % self.shape.block_size] += 1
        self.kv_tokens += length
        heapq.heappush(self._ends, (sequence.end_tick, sequence.number, sequence))

    # Decoding

    def _decode(self, until: float, decoding: int) -> bool:
        most = self._steps_to_next_end()
        steps = min(most, self.speed.count_decode_steps(until - self.now, self.kv_tokens, decoding))
        if steps <= 0:
            return False
        if self.waiting:
            # Who came within this step, or was kept out by its preemptions, is taken at its end.
            once = self._preempted_in == self.steps or self._is_one_coming()
            steps = 1 if once else min(steps, LONGEST_SPELL)
        steps = self._steps_that_fit(steps)
        if steps == 0:
            return self._make_room()
        self.now += self.speed.decode_steps(steps, self.kv_tokens, decoding)
        self.steps += steps
        self._grow(steps)
        self._end_finished()
        if self.waiting:
            self.spells.append(Spell(self.now, 0, self.backlog_tokens, 0.0))
        return True

    def _steps_to_next_end(self) -> int:
        while self._ends:
            end, number, sequence = self._ends[0]
            held = self._decoding[sequence.rank].get(number)
            if held is sequence and sequence.end_tick == end:
                return end - self._tick
            heapq.heappop(self._ends)
        return 0

    def _grow(self, steps: int) -> None:
        decoding = self._count_decoding()
        if not decoding:
            return
        self.blocks_used += self._count_new_blocks(steps)
        self._tick += steps
        self.kv_tokens += decoding * steps
        self.generated_tokens += decoding * steps

    def _count_new_blocks(self, steps: int) -> int:
        # A sequence takes a block when its length passes a multiple of the block's size.
        size = self.shape.block_size
        rounds, rest = divmod(steps, size)
        residues, tick = self._residues, self._tick
        new = sum(residues[-(tick + step) % size] for step in range(rest))
        if rounds:
            new += rounds * self._count_decoding()
        return new

    def _steps_that_fit(self, steps: int) -> int:
        free = self.shape.num_blocks - self.blocks_used
        decoding = self._count_decoding()
        if decoding * (steps // self.shape.block_size + 1) <= free:
            return steps
        while steps and self._count_new_blocks(steps) > free:
            steps -= 1 if steps <= self.shape.block_size else self.shape.block_size
        return steps

    def _end_finished(self) -> None:
        while self._ends and self._steps_to_next_end() <= 0 and self._ends:
            _, _, sequence = heapq.heappop(self._ends)
            sequence.generated = sequence.output_tokens
            self._leave(sequence)
            self.finished.append((self.now, sequence))

    def _leave(self, sequence: Sequence) -> None:
        length = sequence.offset + self._tick
        del self._decoding[sequence.rank][sequence.number]
        self._residues[sequence.offset % self.shape.block_size] -= 1
        self.kv_tokens -= length
        self.blocks_used -= -(-length // self.shape.block_size)

    def _make_room(self) -> bool:
        """Preempts until each sequence that decodes finds its next block; tells whether it has.

        That ends: a pool holds one sequence of full length at least.
        """
        while self.blocks_used + self._count_new_blocks(1) > self.shape.num_blocks:
            victim = self._find_victim()
            if victim is None:
                break
            self._preempt(victim)
            self._preempted_in = self.steps
        return self._preempted_in == self.steps

    def _find_victim(self) -> Sequence | None:
        for rank in (NEWCOMER, KNOWN):
            if self._decoding[rank]:
                return next(reversed(self._decoding[rank].values()))
        return None

    def _preempt(self, sequence: Sequence) -> None:
        length = sequence.offset + self._tick
        self._leave(sequence)
        sequence.generated += length - sequence.to_compute
        sequence.to_compute = sequence.prompt_tokens + sequence.generated
        sequence.computed = 0
        sequence.preemptions += 1
        self._waiting[sequence.rank].appendleft(sequence)
