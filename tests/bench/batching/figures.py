"""What a window does to waits and to the whole, beside no window. Pure; seconds and ratios."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any


@dataclass(frozen=True)
class Answer:
    """One request: when it came, its first byte, its last. Seconds from the run's beginning."""

    arrival: float
    first: float
    last: float


def compare(answers: Mapping[float, Sequence[Answer]]) -> dict[str, Any]:
    """Returns each window's figures and their ratios to those of window 0."""
    plain = _summarize(answers[0.0])
    result = {}
    for window, given in answers.items():
        own = _summarize(given)
        ratios = {f"{name}_ratio": round(own[name] / plain[name], 3) for name in own}
        rounded = {name: round(value, 3) for name, value in own.items()}
        result[f"{window:g}"] = {"requests": len(given), **rounded, **ratios}
    return result


def _summarize(answers: Sequence[Answer]) -> dict[str, float]:
    waits = [one.first - one.arrival for one in answers]
    whole = [one.last - one.arrival for one in answers]
    return {
        "first_token_median_s": median(waits),
        "first_token_p95_s": quantiles(waits, n=20)[-1],
        "whole_answer_median_s": median(whole),
        # What the engine needs for an answer once it has begun: what larger batches would cost.
        "after_first_token_median_s": median(one.last - one.first for one in answers),
    }
