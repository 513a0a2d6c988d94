"""How many sequences fit one KV pool, by the way in which it is given out. Pure.

- `max_model_len`: each sequence gets the longest length that the model is served with, in one
  piece, before it begins. So do static caches, whose shape is fixed.
- `prompt_and_cap`: each gets its own prompt and the cap of its answer, in one piece.
- `paged`: each gets blocks as it grows, and is counted with all that it has at its end, so that
  as many never run out of room.
- `floor`: what is held and nothing more. No way can be better.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.bench.paged.lengths import Request

FLOOR: Final = "floor"
PAGED: Final = "paged"
WAYS: Final = ("max_model_len", "prompt_and_cap", PAGED, FLOOR)


@dataclass(frozen=True, kw_only=True)
class Pool:
    """A KV pool and the limits of the sequences in it, all in tokens."""

    tokens: int
    block: int
    max_model_len: int


def compare(requests: Iterable[Request], pool: Pool, cap: int) -> dict[str, Any]:
    """Returns for each way the sequences of mean length that fit, what is wasted, and the share of
    the floor that it reaches.

    Args:
        requests: prompts that leave no room for an answer are left out: a server refuses them.
        pool: what is to be filled.
        cap: most tokens of an answer.
    """
    given = list(requests)
    served = [one for one in given if one.prompt < pool.max_model_len]
    held = _mean(served, [_held(one, pool, cap) for one in served])
    mean = {way: _mean(served, [reserve(way, one, pool, cap) for one in served]) for way in WAYS}
    fit = {way: math.floor(pool.tokens / mean[way]) for way in WAYS}
    return {
        "cap_tokens": cap,
        "refused_share": round(1 - _weight(served) / _weight(given), 4),
        "answers_longer_than_cap": round(_longer(given, cap), 3),
        "held_tokens_mean": round(held, 1),
        "ways": {way: _figures(fit[way], mean[way], held) for way in WAYS},
        "paged_more_sequences": {
            way: round(fit[PAGED] / fit[way] - 1, 4) for way in WAYS if way not in (PAGED, FLOOR)
        },
    }


def reserve(way: str, request: Request, pool: Pool, cap: int) -> float:
    """Returns the tokens of the pool that a request has for itself at its end."""
    held = _held(request, pool, cap)
    return {
        "max_model_len": float(pool.max_model_len),
        "prompt_and_cap": min(request.prompt + cap, pool.max_model_len),
        PAGED: float(math.ceil(held / pool.block) * pool.block),
        FLOOR: held,
    }[way]


def _figures(sequences: int, reserved: float, held: float) -> dict[str, float]:
    return {
        "sequences": sequences,
        "reserved_tokens_mean": round(reserved, 1),
        "wasted_share": round(1 - held / reserved, 4),
        "of_floor": round(held / reserved, 4),
    }


def _held(request: Request, pool: Pool, cap: int) -> float:
    return min(request.prompt + min(request.answer, cap), pool.max_model_len)


def _longer(requests: Sequence[Request], cap: int) -> float:
    return _weight([one for one in requests if one.answer > cap]) / _weight(requests)


def _mean(requests: Sequence[Request], values: Sequence[float]) -> float:
    weighted = (one.weight * value for one, value in zip(requests, values, strict=True))
    return sum(weighted) / _weight(requests)


def _weight(requests: Sequence[Request]) -> float:
    return sum(one.weight for one in requests)
