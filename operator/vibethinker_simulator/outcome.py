"""What came of a simulated run: request by request, second by second, and in figures."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

REVERSAL_SECONDS: Final = 600.0
"""A step up and a step down within ten minutes is one reversal."""


class Fate(IntEnum):
    """What became of a request."""

    INSIDE = 0
    ANSWERED = 1
    REFUSED = 2
    DROPPED = 3
    CUT_BY_FAILURE = 4
    TOO_LONG = 5


@dataclass(slots=True)
class Outcome:
    """One run. Lists go by the number of the request; times are seconds of the trace.

    Attributes:
        fates: What became of each request.
        first_token_seconds: From its coming to its first token; NaN where it had none.
        known: Whether its session was known when it came.
        answer_tokens: Tokens of the answer, as its cap leaves them.
        ends: When it ended; NaN where it did not.
        replicas: Size asked for, second by second.
        serving: Pods that take requests, second by second.
        queue: Requests waiting in the engines, second by second.
        memory_used_ratio: Live memory of the fullest pod, second by second.
        above_line_seconds: Pod-seconds with live memory above the line.
        pod_seconds: From each pod's making to its end.
        preemptions: Of known sessions and of newcomers.
        refused_for: Refusals by reason.
    """

    fates: list[Fate]
    first_token_seconds: list[float]
    known: list[bool]
    answer_tokens: list[int]
    ends: list[float]
    replicas: list[int] = field(default_factory=list)
    serving: list[int] = field(default_factory=list)
    queue: list[int] = field(default_factory=list)
    memory_used_ratio: list[float] = field(default_factory=list)
    above_line_seconds: int = 0
    pod_seconds: float = 0.0
    preemptions: list[int] = field(default_factory=lambda: [0, 0])
    refused_for: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, count: int) -> "Outcome":
        """Returns the outcome of `count` requests before any has come."""
        return cls(
            fates=[Fate.INSIDE] * count,
            first_token_seconds=[math.nan] * count,
            known=[False] * count,
            answer_tokens=[0] * count,
            ends=[math.nan] * count,
        )


def count_reversals(replicas: Sequence[int]) -> int:
    """Returns how often the size turned round within ten minutes, one entry a second."""
    reversals, last_sign, last_at = 0, 0, -math.inf
    for second in range(1, len(replicas)):
        change = replicas[second] - replicas[second - 1]
        if change == 0:
            continue
        sign = 1 if change > 0 else -1
        if last_sign and sign != last_sign and second - last_at <= REVERSAL_SECONDS:
            reversals += 1
        last_sign, last_at = sign, second
    return reversals


@dataclass(frozen=True)
class Figures:
    """The figures of one run.

    Attributes:
        requests: Requests that an engine of this length can serve.
        gpu_hours: From each pod's making to its end, starts and drains included.
        in_time: Share of all requests with a first token within the objective.
        attainable_in_time: That share of those whose prompt alone leaves time for it.
        admitted_in_time: That share of those let in.
        goodput_tokens: Tokens of answers whose first token came in time.
        first_token_p50_seconds: Of those with a first token.
        first_token_p99_seconds: Likewise.
        refused: Requests refused.
        dropped: Requests cut by scaling.
        preempted_known: Preemptions of known sessions.
        preempted: All preemptions.
        reversals: Turns of the size within ten minutes.
        above_line_share: Share of the serving pods' time with live memory above the line.
    """

    requests: int
    gpu_hours: float
    in_time: float
    attainable_in_time: float
    admitted_in_time: float
    goodput_tokens: int
    first_token_p50_seconds: float
    first_token_p99_seconds: float
    refused: int
    dropped: int
    preempted_known: int
    preempted: int
    reversals: int
    above_line_share: float


def summarize(outcome: Outcome, *, objective_seconds: float, attainable: Sequence[bool]) -> Figures:
    """Returns the figures of a run.

    Args:
        outcome: The run.
        objective_seconds: For the first token.
        attainable: By request, whether an idle replica would make that.
    """
    counted = [n for n, fate in enumerate(outcome.fates) if fate is not Fate.TOO_LONG]
    waits = outcome.first_token_seconds
    good = [
        n for n in counted if waits[n] <= objective_seconds and outcome.fates[n] is Fate.ANSWERED
    ]
    able = [n for n in counted if attainable[n]]
    let_in = [n for n in able if outcome.fates[n] is not Fate.REFUSED]
    in_time = set(good)
    had_one = sorted(waits[n] for n in counted if not math.isnan(waits[n]))
    fates = [outcome.fates[n] for n in counted]
    return Figures(
        requests=len(counted),
        gpu_hours=outcome.pod_seconds / 3600,
        in_time=_share(len(good), len(counted)),
        attainable_in_time=_share(sum(n in in_time for n in able), len(able)),
        admitted_in_time=_share(sum(n in in_time for n in let_in), len(let_in)),
        goodput_tokens=sum(outcome.answer_tokens[n] for n in good),
        first_token_p50_seconds=_quantile(had_one, 0.5),
        first_token_p99_seconds=_quantile(had_one, 0.99),
        refused=fates.count(Fate.REFUSED),
        dropped=fates.count(Fate.DROPPED),
        preempted_known=outcome.preemptions[0],
        preempted=sum(outcome.preemptions),
        reversals=count_reversals(outcome.replicas),
        above_line_share=_share(outcome.above_line_seconds, sum(outcome.serving)),
    )


def _share(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else math.nan
