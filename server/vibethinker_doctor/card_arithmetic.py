"""Weights, KV pool and the rest against the device: does it add up, is the line reached? Pure.

highest live = (weights + other + smaller of pool and longest sequences) / device
"""

from dataclasses import dataclass

from vibethinker_doctor.amounts import GIB, show_bytes
from vibethinker_doctor.answer import Answer, found, ok, unknown
from vibethinker_doctor.engine_readings import EngineReadings
from vibethinker_doctor.finding import Finding, Severity

ARITHMETIC = "Does it add up on this device?"
DEFAULT_LINE_PERCENTAGE = 75


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The parts of a device's memory, in bytes, and what sequences can take of it.

    Attributes:
        device_bytes: the device; on a CPU the container's limit.
        weights_bytes: the weights.
        pool_bytes: the KV pool.
        other_bytes: everything else: context, activations, processes.
        pool_tokens: tokens that the pool holds.
        max_num_seqs: sequences that can run at once.
        max_model_len: longest sequence, in tokens.
    """

    device_bytes: int
    weights_bytes: int
    pool_bytes: int
    other_bytes: int
    pool_tokens: int
    max_num_seqs: int
    max_model_len: int

    @property
    def whole_bytes(self) -> int:
        """Everything together, the pool full or empty."""
        return self.weights_bytes + self.pool_bytes + self.other_bytes

    @property
    def highest_live_percentage(self) -> float:
        """Highest live memory that sequences of full length can bring about, in percent."""
        tokens = min(self.pool_tokens, self.max_num_seqs * self.max_model_len)
        kv_bytes = self.pool_bytes * tokens / self.pool_tokens
        return 100 * (self.weights_bytes + self.other_bytes + kv_bytes) / self.device_bytes


def read_card(readings: EngineReadings) -> Card | None:
    """Returns the card that a page shows; None where a part is not known."""
    device, pool, tokens = readings.device_bytes, readings.pool_bytes, readings.pool_tokens
    weights, other = readings.weights_bytes, readings.other_bytes
    seats, length = readings.max_num_seqs, readings.max_model_len
    if not device or pool is None or not tokens or seats is None or length is None:
        return None
    if other is None:
        return None
    # Weights that are not known stand in `other`: the sum is the same.
    return Card(
        device_bytes=device,
        weights_bytes=weights or 0,
        pool_bytes=pool,
        other_bytes=other,
        pool_tokens=tokens,
        max_num_seqs=seats,
        max_model_len=length,
    )


def ask_arithmetic(
    card: Card | None, line_percentage: int = DEFAULT_LINE_PERCENTAGE, *, on_cpu: bool = False
) -> Answer:
    """Answers whether the parts fit, and says whether the memory line can be reached."""
    if card is None:
        return unknown(
            ARITHMETIC,
            "the page must show vibethinker_device_memory_bytes and vibethinker_memory_bytes: on a"
            " CPU that takes a memory limit, on a GPU a card of the engine's own",
        )
    evidence = _describe(card, line_percentage)
    if card.whole_bytes <= card.device_bytes:
        return ok(ARITHMETIC, evidence)
    wanted = -(-card.whole_bytes // GIB)
    return found(
        ARITHMETIC,
        Finding(
            code="MemoryOverDevice",
            cause=f"the parts need {show_bytes(card.whole_bytes)}, the device has"
            f" {show_bytes(card.device_bytes)}",
            evidence=evidence,
            remedy="give it more memory, or make the KV cache smaller",
            field="resources.limits.memory" if on_cpu else "engine.gpuMemoryUtilizationPercentage",
            value=f"{wanted}Gi" if on_cpu else None,
            severity=Severity.ERROR,
        ),
    )


def _describe(card: Card, line: int) -> str:
    highest = card.highest_live_percentage
    reach = "is reached" if highest >= line else "is not: queue length decides here"
    return (
        f"weights {show_bytes(card.weights_bytes)} + KV pool {show_bytes(card.pool_bytes)} + other"
        f" {show_bytes(card.other_bytes)} = {show_bytes(card.whole_bytes)} of"
        f" {show_bytes(card.device_bytes)}; {card.max_num_seqs} sequences of"
        f" {card.max_model_len} tokens bring live memory to {highest:.1f} %: the line of {line} %"
        f" {reach}"
    )
