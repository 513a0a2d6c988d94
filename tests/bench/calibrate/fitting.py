"""The constants of `IterationModel`, from steps of a real engine, and how far it is off. Pure."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from vibethinker_simulator.iteration import IDLE_SHARE, IterationModel

from tests.bench.calibrate.step_log import Step

SPAN_SECONDS: Final = 0.5
"""Of engine time: a step's own jitter is evened out, and cells of the sweep are not."""

KNEES: Final = (0, *(round(2 ** (power / 2)) for power in range(19)))
"""Tokens up to which a step may take no longer than reading the weights, as they are tried."""

_TERMS: Final = 5
Terms = tuple[float, float, float, float, float]
_SUBSETS: Final = tuple(
    kept for size in range(1, _TERMS + 1) for kept in itertools.combinations(range(_TERMS), size)
)

Span = Sequence[Step]
Matrix = npt.NDArray[np.float64]


class FitError(ValueError):
    """There is nothing to fit."""


@dataclass(frozen=True)
class Residuals:
    """Relative errors of the seconds of spans, without their sign."""

    spans: int
    median: float
    p90: float

    def render(self) -> dict[str, Any]:
        """Returns the JSON object."""
        return {
            "spans": self.spans,
            "median_relative_error": round(self.median, 4),
            "p90_relative_error": round(self.p90, 4),
        }


def fit(spans: Sequence[Span], source: str) -> IterationModel:
    """Returns the constants, none of them negative, with the least squares of relative errors.

    A step takes the longer of reading the weights and of computing, so the columns depend on
    which steps compute longer: each of KNEES is tried.

    Raises:
        FitError: no span is given.
    """
    if not spans:
        raise FitError("no span of steps was measured")
    found = [IterationModel(*terms, source=source) for terms in _solve_each_knee(spans)]
    return min(found, key=lambda model: sum(error**2 for error in errors(model, spans)))


def predict(model: IterationModel, span: Span) -> float:
    """Returns the seconds that the model gives a span."""
    return sum(
        model.mixed_step(step.prompt_tokens, step.pairs, step.kv_tokens, step.sequences)
        for step in span
    )


def errors(model: IterationModel, spans: Sequence[Span]) -> list[float]:
    """Returns the relative error of each span: above 0 where the model is too slow."""
    return [predict(model, span) / _seconds(span) - 1 for span in spans]


def summarize(found: Sequence[float]) -> Residuals:
    """Returns the figures of relative errors."""
    sizes = sorted(map(abs, found))
    return Residuals(len(sizes), median(sizes), sizes[min(len(sizes) - 1, int(0.9 * len(sizes)))])


def _solve_each_knee(spans: Sequence[Span]) -> Iterator[Terms]:
    seconds = np.array([_seconds(span) for span in spans])
    for knee in KNEES:
        columns = np.array([_columns(span, knee) for span in spans])
        yield least_squares(columns / seconds[:, None], np.ones(len(spans)))


def least_squares(columns: Matrix, wanted: Matrix) -> Terms:
    """Returns the terms, none of them negative, that come closest to `wanted`.

    By trying each set of columns: they are five.
    """
    best: Terms = (0.0, 0.0, 0.0, 0.0, 0.0)
    least = float(wanted @ wanted)
    for kept in _SUBSETS:
        part = columns[:, kept]
        scale = np.linalg.norm(part, axis=0)
        if not scale.all():
            continue
        terms = np.linalg.lstsq(part / scale, wanted, rcond=None)[0] / scale
        error = float(np.sum((part @ terms - wanted) ** 2))
        if terms.min() >= 0 and error < least:
            given = dict(zip(kept, map(float, terms), strict=True))
            step, token, kv_token, sequence, pair = (given.get(term, 0.0) for term in range(_TERMS))
            best, least = (step, token, kv_token, sequence, pair), error
    return best


def _columns(span: Span, knee: int) -> list[float]:
    below = [step for step in span if step.tokens <= knee]
    above = [step for step in span if step.tokens > knee]
    return [
        len(below) + IDLE_SHARE * len(above),
        float(sum(step.tokens for step in above)),
        float(sum(step.kv_tokens for step in span)),
        float(sum(step.sequences for step in span)),
        sum(step.pairs for step in span),
    ]


def _seconds(span: Span) -> float:
    return sum(step.seconds for step in span)
