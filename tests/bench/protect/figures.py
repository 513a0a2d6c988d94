"""What the records of one arm say. Pure: requests of the clients, events of the engine's process.

Unknown is None, never 0.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

from tests.bench.protect.crowd import Asked

TOO_MANY_REQUESTS = 429
UNAVAILABLE = 503
FEWEST_GAPS = 100


@dataclass(frozen=True)
class Window:
    """A part of the run, in monotonic seconds."""

    begin: float
    end: float

    def holds(self, moment: float | None) -> bool:
        """Tells whether a moment is in it."""
        return moment is not None and self.begin <= moment < self.end


@dataclass(frozen=True)
class Preemption:
    """One preemption: when, and of which of the engine's own request ids."""

    at: float
    request_id: str


@dataclass(frozen=True)
class Contestant:
    """The figures of one arm; milliseconds, counts, and a ratio."""

    newcomers: int
    newcomers_admitted: int
    newcomers_refused: int
    first_refusal_ms: float | None
    wrongly_admitted: int
    known_turns: int
    known_turns_refused: int
    known_sessions_cut: int
    errors: tuple[str, ...]
    known_sessions_preempted: int
    newcomers_preempted: int
    itl_p99_ms_before: float | None
    itl_p99_ms_after: float | None
    itl_p99_ratio: float | None

    def render(self) -> dict[str, Any]:
        """Returns the JSON object."""
        return asdict(self)


def judge(
    asked: Sequence[Asked], preemptions: Sequence[Preemption], calm: Window, storm: Window
) -> Contestant:
    """Returns the figures of one arm from what its clients and its engine wrote down."""
    newcomers = [one for one in asked if not one.known and storm.holds(one.sent)]
    turns = [one for one in asked if one.known and storm.holds(one.sent)]
    refused = [one for one in newcomers if is_refused(one)]
    first = min((one.answered for one in refused if one.answered), default=None)
    before = percentile_99(gaps_in(asked, calm))
    # Where nobody is refused, the storm is all there is after.
    after = percentile_99(gaps_in(asked, Window(first or storm.begin, storm.end)))
    hit = [owner_of(one, asked) for one in preemptions if storm.holds(one.at)]
    return Contestant(
        newcomers=len(newcomers),
        newcomers_admitted=sum(one.status == 200 for one in newcomers),
        newcomers_refused=len(refused),
        first_refusal_ms=None if first is None else (first - storm.begin) * 1000,
        wrongly_admitted=len(blamed(asked, preemptions, storm)),
        known_turns=len(turns),
        known_turns_refused=sum(map(is_refused, turns)),
        known_sessions_cut=sum(is_cut(one) for one in turns),
        errors=tuple(sorted({one.reason for one in turns if is_cut(one)})),
        known_sessions_preempted=sum(one is not None and one.known for one in hit),
        newcomers_preempted=sum(one is not None and not one.known for one in hit),
        itl_p99_ms_before=before,
        itl_p99_ms_after=after,
        itl_p99_ratio=None if before is None or after is None else after / before,
    )


def is_refused(one: Asked) -> bool:
    """Tells whether the server said to come again."""
    return one.status in (TOO_MANY_REQUESTS, UNAVAILABLE)


def is_cut(one: Asked) -> bool:
    """Tells whether an answer began and did not end whole, or the server failed."""
    return one.ended is not None and not one.is_whole and not is_refused(one)


def owner_of(preemption: Preemption, asked: Iterable[Asked]) -> Asked | None:
    """Returns whose request was preempted; the engine's id begins with the client's."""
    for one in asked:
        if one.request_id and preemption.request_id.startswith(one.request_id):
            return one
    return None


def blamed(asked: Sequence[Asked], preemptions: Sequence[Preemption], storm: Window) -> set[str]:
    """Returns the newcomers whose admission preempted somebody.

    The last request to come in before a preemption is the one that there was no room for.
    """
    found = set()
    for preemption in preemptions:
        if not storm.holds(preemption.at):
            continue
        owner = owner_of(preemption, asked)
        inside = [
            one
            for one in asked
            if one is not owner
            and one.answered is not None
            and one.status == 200
            and one.sent <= preemption.at
            and (one.ended is None or one.ended > preemption.at)
        ]
        last = max(inside, key=lambda one: one.sent, default=None)
        if last is not None and not last.known:
            found.add(last.request_id)
    return found


def gaps_in(asked: Iterable[Asked], window: Window) -> list[float]:
    """Returns the times between two tokens of known sessions' answers, in milliseconds."""
    return [
        (later - earlier) * 1000
        for one in asked
        if one.known
        for earlier, later in zip(one.tokens_at, one.tokens_at[1:], strict=False)
        if window.holds(earlier) and window.holds(later)
    ]


def percentile_99(values: Sequence[float]) -> float | None:
    """Returns the 99th percentile, None of too few."""
    if len(values) < FEWEST_GAPS:
        return None
    return sorted(values)[ceil(0.99 * len(values)) - 1]


def first_step_after_sustained(
    ratios: Sequence[tuple[float, float]], line: float, sustained_seconds: float
) -> float | None:
    """Returns the moment of the engine step that completes so long above the line, if any.

    Args:
        ratios: moment and live memory ratio of each step.
        line: ratio, 0 to 1.
        sustained_seconds: how long it must stay at or above it.
    """
    since = None
    for at, ratio in ratios:
        if ratio < line:
            since = None
            continue
        since = at if since is None else since
        if at - since >= sustained_seconds:
            return at
    return None
