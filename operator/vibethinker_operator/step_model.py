"""What a replica's time goes into, learned from what its engine counts. Pure.

A step of the engine reads the weights, computes prompts and adds a token to each answer. So the
seconds in which an engine worked are, to first order,

    seconds = a * steps + b * prompt tokens + c * generated tokens + d * KV bytes read

and least squares over the readings of the last minutes finds a to d. From them follows what
other sizes of the fleet would do: with the same load on fewer replicas each step serves more
requests, so the same tokens take fewer steps, but each step takes longer. Running requests
multiply as replicas near their limit; a ratio of them to replicas would say "two will do" of a
load that three cannot carry.
"""

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import add, sub
from typing import Final, NamedTuple

HALF_LIFE_SECONDS: Final = 600.0
"""Older readings count half: another mix of prompts and answers is learned in some minutes."""

LEAST_SECONDS: Final = 60.0
"""Of engine time; with less nothing is said."""

RIDGE: Final = 1e-3
"""Share of each column's own weight that pulls towards zero: columns that always rise and fall
together share their time evenly, instead of one taking all of it by chance."""

_TERMS: Final = 4


class Work(NamedTuple):
    """What one engine did in a span in which it worked without a pause.

    Attributes:
        seconds: Length of the span.
        steps: Steps taken.
        prompt_tokens: Of prompts that got their first token.
        generated_tokens: Tokens of answers.
        kv_bytes: KV bytes in use, summed over the steps: each step reads them all.
    """

    seconds: float = 0.0
    steps: float = 0.0
    prompt_tokens: float = 0.0
    generated_tokens: float = 0.0
    kv_bytes: float = 0.0

    def plus(self, later: "Work") -> "Work":
        """Returns the work of both spans."""
        return Work(*map(add, self, later))

    def minus(self, earlier: "Work") -> "Work":
        """Returns the work of this span without that of its beginning."""
        return Work(*map(sub, self, earlier))


class Flow(NamedTuple):
    """The load of a whole fleet: tokens per second, and KV bytes of a running request."""

    prompt_tokens: float
    generated_tokens: float
    kv_bytes_each: float

    def times(self, prompts: float, generated: float) -> "Flow":
        """Returns the load with so many times the tokens."""
        return Flow(
            self.prompt_tokens * prompts, self.generated_tokens * generated, self.kv_bytes_each
        )


@dataclass(frozen=True, slots=True)
class StepModel:
    """Seconds of engine time.

    Attributes:
        step_seconds: Of each step.
        prompt_token_seconds: Of each prompt token.
        generated_token_seconds: Of each generated token.
        kv_byte_seconds: Of each KV byte read: a step reads those of every running request.
    """

    step_seconds: float
    prompt_token_seconds: float
    generated_token_seconds: float
    kv_byte_seconds: float

    def busy_replicas(self, flow: Flow) -> float:
        """Returns the replicas that the load's tokens keep busy, steps left out.

        No smaller fleet can carry the load, however many requests each replica runs.
        """
        each = self.generated_token_seconds + self.kv_byte_seconds * flow.kv_bytes_each
        return self.prompt_token_seconds * flow.prompt_tokens + each * flow.generated_tokens

    def running_each(self, flow: Flow, replicas: int) -> float:
        """Returns the requests that each of `replicas` would run; infinite if they cannot."""
        left = 1 - self.busy_replicas(flow) / replicas
        if left <= 0:
            return math.inf
        return flow.generated_tokens / replicas * self.step_seconds / left

    def load_for(self, flow: Flow, replicas: int, running_each: float) -> float:
        """Returns how many times this load would make each replica run so many requests."""
        steps = flow.generated_tokens * self.step_seconds + running_each * self.busy_replicas(flow)
        return running_each * replicas / steps if steps > 0 else math.inf


@dataclass(frozen=True, slots=True)
class StepFit:
    """Sums of the readings so far, older ones fading.

    Attributes:
        squares: Of the columns with each other, row by row.
        products: Of the columns with the seconds.
        seconds: Of engine time.
    """

    squares: tuple[float, ...] = (0.0,) * (_TERMS * _TERMS)
    products: tuple[float, ...] = (0.0,) * _TERMS
    seconds: float = 0.0

    def record(self, works: Iterable[Work], *, elapsed_seconds: float) -> "StepFit":
        """Returns the sums with these readings; `elapsed_seconds` since the last ones."""
        fade = 0.5 ** (elapsed_seconds / HALF_LIFE_SECONDS)
        squares = [fade * square for square in self.squares]
        products = [fade * product for product in self.products]
        seconds = fade * self.seconds
        for span, *row in works:
            seconds += span
            for i, value in enumerate(row):
                products[i] += value * span
                for j, other in enumerate(row):
                    squares[i * _TERMS + j] += value * other
        return StepFit(tuple(squares), tuple(products), seconds)

    def solve(self) -> StepModel | None:
        """Returns the constants, none of them negative; None while too little was seen."""
        if self.seconds < LEAST_SECONDS or not all(self.squares[:: _TERMS + 1]):
            return None
        found = _solve(self, _ALL)
        if found is None:
            several = (_solve(self, kept) for kept in _SUBSETS)
            found = min((terms for terms in several if terms), key=self._error, default=None)
        return None if found is None else StepModel(*found)

    def _error(self, terms: Sequence[float]) -> float:
        square = sum(
            terms[i] * terms[j] * self.squares[i * _TERMS + j]
            for i in range(_TERMS)
            for j in range(_TERMS)
        )
        return square - 2 * sum(t * p for t, p in zip(terms, self.products, strict=True))


_ALL: Final = tuple(range(_TERMS))
_SUBSETS: Final = tuple(
    kept for size in range(1, _TERMS) for kept in itertools.combinations(_ALL, size)
)


def _solve(fit: StepFit, kept: Sequence[int]) -> tuple[float, ...] | None:
    """Solves the normal equations of the columns `kept` by elimination; None if one is negative."""
    rows = [
        [fit.squares[i * _TERMS + j] * (1 + RIDGE * (i == j)) for j in kept] + [fit.products[i]]
        for i in kept
    ]
    for place, row in enumerate(rows):
        if row[place] <= 0:
            return None
        for other in rows[place + 1 :]:
            share = other[place] / row[place]
            other[:] = [a - share * b for a, b in zip(other, row, strict=True)]
    terms = [0.0] * _TERMS
    for place in reversed(range(len(rows))):
        row = rows[place]
        known = sum(row[p] * terms[kept[p]] for p in range(place + 1, len(rows)))
        terms[kept[place]] = (row[-1] - known) / row[place]
    return tuple(terms) if min(terms) >= 0 else None
