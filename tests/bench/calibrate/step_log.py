"""What the probe wrote of each step of the engine: how long it took and what it computed. Pure."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        at: When it was scheduled, in monotonic seconds.
        seconds: Until the next one was, or until its output was taken where nothing was left.
        prompt_tokens: Computed of prompts.
        pairs: Sum over these of the tokens before each.
        kv_tokens: In the cache of the sequences that decode.
        sequences: That decode.
        kv_ratio: Blocks in use over all.
    """

    at: float
    seconds: float
    prompt_tokens: int
    pairs: float
    kv_tokens: int
    sequences: int
    kv_ratio: float

    @property
    def tokens(self) -> int:
        """Tokens computed."""
        return self.prompt_tokens + self.sequences


def read_log(lines: Iterable[str]) -> list[Step]:
    """Returns the steps of which the log knows the end, in order."""
    begun: list[dict[str, Any]] = []
    done: list[dict[str, Any]] = []
    for line in lines:
        if not line.endswith("}"):
            continue
        entry = json.loads(line)
        (done if "done" in entry else begun).append(entry)
    return list(_pair(begun, done))


def _pair(begun: Sequence[dict[str, Any]], done: Sequence[dict[str, Any]]) -> Iterator[Step]:
    # Outputs are taken in the order of scheduling, one step or several behind it.
    for number, (step, end) in enumerate(zip(begun, done, strict=False)):
        following = begun[number + 1]["at"] if number + 1 < len(begun) else None
        ends_at = following if end["left"] and following is not None else end["done"]
        if following is not None:
            ends_at = min(ends_at, following)
        yield Step(
            at=step["at"],
            seconds=ends_at - step["at"],
            prompt_tokens=step["prompt"],
            pairs=step["pairs"],
            kv_tokens=step["kv_tokens"],
            sequences=step["sequences"],
            kv_ratio=step["kv"],
        )


def spans(steps: Sequence[Step], seconds: float) -> list[list[Step]]:
    """Returns the steps in groups of at least so many seconds; what is left at the end is not."""
    found: list[list[Step]] = []
    group: list[Step] = []
    total = 0.0
    for step in steps:
        group.append(step)
        total += step.seconds
        if total >= seconds:
            found.append(group)
            group, total = [], 0.0
    return found
