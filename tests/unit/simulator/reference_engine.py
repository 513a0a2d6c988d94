"""The engine's scheduling rules once more: one step at a time, with each sequence's blocks counted.

Slow and plain on purpose. It shares the iteration model's single step with the simulator, and
nothing else.
"""

from collections.abc import Sequence as Items
from dataclasses import dataclass
from math import ceil

from vibethinker_simulator.iteration import IterationModel
from vibethinker_simulator.replica import WATERMARK, EngineShape


@dataclass
class Asked:
    """A request, and what became of it; KV in tokens and blocks as they are held."""

    number: int
    arrival: float
    rank: int
    prompt: int
    output: int
    generated: int = 0
    to_compute: int = 0
    computed: int = 0
    kv: int = 0
    blocks: int = 0
    first_token_at: float | None = None
    ended_at: float | None = None
    preemptions: int = 0


class ReferenceEngine:
    """Plays requests, which must come at different times, to their ends."""

    def __init__(self, shape: EngineShape, speed: IterationModel, requests: Items[Asked]) -> None:
        self.shape, self.speed, self.now = shape, speed, 0.0
        self.coming = sorted(requests, key=lambda one: one.arrival)
        self.queues: tuple[list[Asked], list[Asked]] = ([], [])
        self.prefilling: list[Asked] = []
        self.decoding: list[Asked] = []
        self.most_blocks = 0

    def play(self) -> None:
        while self.coming or self.queues[0] or self.queues[1] or self.prefilling or self.decoding:
            if not (self.queues[0] or self.queues[1] or self.prefilling or self.decoding):
                self.now = max(self.now, self.coming[0].arrival)
            while self.coming and self.coming[0].arrival <= self.now:
                came = self.coming.pop(0)
                came.to_compute = came.prompt
                self.queues[came.rank].append(came)
            self.take_step()

    @property
    def used(self) -> int:
        return sum(one.blocks for one in (*self.prefilling, *self.decoding))

    @property
    def growing(self) -> int:
        """Blocks that the next token of each sequence needs."""
        return sum(one.kv % self.shape.block_size == 0 for one in self.decoding)

    def take_step(self) -> None:
        preempted = self.make_room()
        budget = self.shape.max_num_batched_tokens - len(self.decoding)
        chunks = []
        for one in self.prefilling:
            chunk = min(budget, one.to_compute - one.computed)
            if chunk > 0:
                chunks.append((one, chunk))
                budget -= chunk
        while budget > 0 and not preempted and (taken := self.seat_next()):
            chunk = min(budget, taken.to_compute)
            chunks.append((taken, chunk))
            budget -= chunk
        if chunks or self.decoding:
            self.compute(chunks)

    def make_room(self) -> bool:
        preempted = False
        while self.decoding and self.used + self.growing > self.shape.num_blocks:
            newcomers = [one for one in self.decoding if one.rank == 1]
            victim = (newcomers or self.decoding)[-1]
            self.decoding.remove(victim)
            victim.to_compute = victim.prompt + victim.generated
            victim.kv = victim.blocks = victim.computed = 0
            victim.preemptions += 1
            self.queues[victim.rank].insert(0, victim)
            preempted = True
        return preempted

    def seat_next(self) -> Asked | None:
        queue = self.queues[0] or self.queues[1]
        running = len(self.prefilling) + len(self.decoding)
        if not queue or running >= self.shape.max_num_seqs:
            return None
        blocks = ceil(queue[0].to_compute / self.shape.block_size)
        spare = WATERMARK * self.shape.num_blocks if running else 0
        if self.used + self.growing + blocks + spare > self.shape.num_blocks:
            return None
        taken = queue.pop(0)
        taken.blocks = blocks
        self.prefilling.append(taken)
        return taken

    def compute(self, chunks: list[tuple[Asked, int]]) -> None:
        self.now += self.speed.mixed_step(
            sum(chunk for _, chunk in chunks),
            sum(chunk * (one.computed + chunk / 2) for one, chunk in chunks),
            sum(one.kv for one in self.decoding),
            len(self.decoding),
        )
        for one in self.decoding:
            one.kv += 1
            one.generated += 1
            one.blocks = ceil(one.kv / self.shape.block_size)
        for one, chunk in chunks:
            one.computed += chunk
            if one.computed == one.to_compute:
                self.start_decoding(one)
        self.most_blocks = max(self.most_blocks, self.used)
        for one in [one for one in self.decoding if one.generated >= one.output]:
            self.decoding.remove(one)
            one.ended_at = self.now

    def start_decoding(self, one: Asked) -> None:
        self.prefilling.remove(one)
        self.decoding.append(one)
        one.kv = one.to_compute
        one.generated += 1
        if one.first_token_at is None:
            one.first_token_at = self.now
