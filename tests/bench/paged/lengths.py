"""How long the requests of a workload are, as a small table: no request of the source is in it.

Requests are put into cells of 256 prompt tokens by 256 answer tokens; of each cell the table keeps
its weight and its mean lengths. Pure.
"""

import csv
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

CELL: Final = 256
"""Tokens: every cap at a length of 4096 is a multiple of it. An answer of exactly a cap stands
below that line, a prompt of exactly LONGEST above: so what the table says of answers that a cap
cuts, and of prompts that do not fit, is exact."""

LONGEST: Final = 4096
"""Tokens: longer ones share the last cell, since no sequence of ours gets there."""

HEAD: Final = ("weight", "prompt_tokens", "answer_tokens")


class Request(NamedTuple):
    """A request, or many of the same lengths (in tokens): `weight` says how many."""

    weight: float
    prompt: float
    answer: float


@dataclass
class _Sums:
    weight: float = 0.0
    prompt: float = 0.0
    answer: float = 0.0


def group(requests: Iterable[Request]) -> list[Request]:
    """Returns one entry for each cell that holds any, in order, with the cell's mean lengths."""
    cells: dict[tuple[int, int], _Sums] = {}
    for weight, prompt, answer in requests:
        row = math.floor(min(prompt, LONGEST) / CELL)
        column = math.ceil(min(answer, LONGEST + 1) / CELL)
        sums = cells.setdefault((row, column), _Sums())
        sums.weight += weight
        sums.prompt += weight * prompt
        sums.answer += weight * answer
    return [
        Request(sums.weight, sums.prompt / sums.weight, sums.answer / sums.weight)
        for _, sums in sorted(cells.items())
    ]


def render_table(requests: Iterable[Request], comment: str) -> str:
    """Returns the table as CSV below `comment`, which names source and licence."""
    lines = [f"# {line}".rstrip() for line in comment.splitlines()]
    lines.append(",".join(HEAD))
    lines += [f"{weight:.1f},{prompt:.1f},{answer:.1f}" for weight, prompt, answer in requests]
    return "\n".join(lines) + "\n"


def parse_table(text: str) -> list[Request]:
    """Returns what `render_table` wrote.

    Raises:
        ValueError: a column is missing, or is no number.
    """
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    _require(rows.fieldnames, HEAD)
    return [Request(*(float(row[name]) for name in HEAD)) for row in rows]


def parse_azure(lines: Iterable[str]) -> Iterator[Request]:
    """Yields the requests of Azure's trace: TIMESTAMP,ContextTokens,GeneratedTokens.

    Raises:
        ValueError: a column is missing, or is no number.
    """
    rows = csv.DictReader(lines)
    names = ("ContextTokens", "GeneratedTokens")
    _require(rows.fieldnames, names)
    for row in rows:
        yield Request(1.0, *(float(row[name]) for name in names))


def _require(found: Iterable[str] | None, wanted: tuple[str, ...]) -> None:
    missing = set(wanted) - set(found or ())
    if missing:
        raise ValueError(
            f"the table of lengths has no column {', '.join(sorted(missing))}: its first line must"
            f" name {', '.join(wanted)}"
        )
