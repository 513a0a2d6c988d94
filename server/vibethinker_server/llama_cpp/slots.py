"""What llama-server says of its slots, read with suspicion and folded into progress. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot at work.

    Attributes:
        task: number of what it works on.
        held_tokens: of the KV pool, of prompt and answer so far.
        prompt_tokens: of its prompt, computed so far or found in the cache.
        answer_tokens: generated so far.
    """

    task: int
    held_tokens: int
    prompt_tokens: int
    answer_tokens: int


def read_slots(payload: Any) -> tuple[Slot, ...]:
    """Returns the slots at work in the answer of `GET /slots`.

    Idle ones hold the KV of earlier prompts, and give it up where room is short: it counts as free.

    Raises:
        LookupError, TypeError, ValueError: it says something else than it did.
    """
    return tuple(_read_slot(one) for one in payload if one["is_processing"])


def _read_slot(one: Mapping[str, Any]) -> Slot:
    prompt = int(one["n_prompt_tokens_processed"]) + int(one["n_prompt_tokens_cache"])
    answer = int(one["next_token"][0]["n_decoded"])
    slot = Slot(int(one["id_task"]), int(one["n_prompt_tokens"]), prompt, answer)
    if min(slot.held_tokens, slot.prompt_tokens, slot.answer_tokens) < 0:
        raise ValueError(f"senseless slot: {slot}")
    return slot


def kv_usage_ratio(slots: tuple[Slot, ...], pool_tokens: int) -> float:
    """Returns the share of the pool that the slots hold, 0 to 1.

    Several answers to one prompt share its tokens, and count them each.
    """
    return min(1.0, sum(slot.held_tokens for slot in slots) / pool_tokens)


def has_moved(before: tuple[Slot, ...], now: tuple[Slot, ...]) -> bool:
    """Tells whether the engine did anything in between: a task went on, began or ended."""
    return bool(before or now) and set(before) != set(now)


def without_first_token(slots: tuple[Slot, ...]) -> int:
    """Returns how many of the slots still compute their prompt."""
    return sum(slot.answer_tokens == 0 for slot in slots)
