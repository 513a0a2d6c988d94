"""How long a line has been crossed: the "sustained" of the resource, across sweeps and restarts.

A line counts as crossed for good when at least 80 % of the sweeps of the window, and the newest,
are above it. A sweep without data says nothing: it neither feeds a streak nor ends it. A gap (the
operator restarted, the machine was paused) is not counted, so a streak cut at 70 % goes on at
70 %, and only after three sweeps in a row have confirmed that the line is still crossed.
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NamedTuple

SUSTAINED_SHARE: Final = 0.8
"""Share of a window's sweeps that must be above the line (design, section 6)."""

SWEEP_SECONDS: Final = 1.0
"""One sweep a second."""

GAP_SECONDS: Final = 6.0
"""Longest step between two sweeps that still counts as time watched: three sweeps at their
slowest, 2 s each."""

RESUME_SECONDS: Final = 60.0
"""A gap up to this (or two windows, if that is more) lets a streak go on; beyond, it is another
load."""

CONFIRMING_SWEEPS: Final = 3
"""Sweeps in a row that must be above the line before a streak that had a gap counts again."""


_ROUNDING: Final = 1e-9


class Signal(StrEnum):
    """What a line is drawn on."""

    MEMORY = "Memory"
    QUEUE = "Queue"
    CONCURRENCY = "Concurrency"


@dataclass(frozen=True, slots=True)
class Streak:
    """A line that is crossed, as the status keeps it.

    Attributes:
        signal: Which line.
        since: Since when, in unix seconds, time not watched left out: `last_seen - since` is
            the time counted.
        last_seen: When it was last seen crossed, in unix seconds.
    """

    signal: Signal
    since: float
    last_seen: float


class _Mark(NamedTuple):
    time: float
    above: bool


@dataclass(frozen=True, slots=True)
class Track:
    """What is remembered of one line. `since` is None while it is not crossed."""

    signal: Signal
    since: float | None = None
    last_seen: float | None = None
    marks: tuple[_Mark, ...] = ()
    unconfirmed: int = 0


def start_tracks(resumed: Streak | None = None) -> tuple[Track, ...]:
    """Returns one track per signal; the one of `resumed` goes on where the status left it."""
    return tuple(
        Track(signal, resumed.since, resumed.last_seen, (), CONFIRMING_SWEEPS)
        if resumed is not None and resumed.signal is signal
        else Track(signal)
        for signal in Signal
    )


def fold_sweep(track: Track, above: bool | None, *, window_seconds: float, now: float) -> Track:
    """Returns the track after one more sweep.

    Args:
        track: What was remembered before.
        above: Whether the line is crossed in this sweep; None if nobody can tell.
        window_seconds: How long it must stay crossed.
        now: Time of the sweep, in unix seconds.
    """
    if above is None:
        return track
    track = _skip_gap(_clamp(track, now), window_seconds, now)
    if track.unconfirmed and not above:
        return Track(track.signal)
    since = track.since
    marks = _keep_since((*track.marks, _Mark(now, above)), now - window_seconds)
    if since is None:
        marks = _start_above(marks)
    if since is None and above:
        since = _find_start(marks)
    if since is not None and _is_over(marks, since, window_seconds):
        since = None
    return replace(
        track,
        since=since,
        last_seen=now if above else track.last_seen,
        marks=marks,
        unconfirmed=max(0, track.unconfirmed - 1),
    )


def is_sustained(track: Track, *, window_seconds: float, now: float) -> bool:
    """Returns whether the line has been crossed for the whole window, up to the newest sweep."""
    # Sweeps without data move the window on too: what has left it no longer counts.
    marks = _keep_since(track.marks, now - window_seconds)
    return (
        track.since is not None
        and not track.unconfirmed
        and bool(marks)
        and marks[-1].above
        and now - marks[-1].time <= GAP_SECONDS
        and now - track.since >= window_seconds
        and _is_mostly_above(sum(m.above for m in marks), len(marks))
    )


def remaining_seconds(track: Track, *, window_seconds: float, now: float) -> float | None:
    """Returns for how long the line must still stay crossed; None if it is not crossed."""
    if track.since is None:
        return None
    unconfirmed = track.unconfirmed * SWEEP_SECONDS
    return max(0.0, window_seconds - (now - track.since), unconfirmed)


def newest_streak(tracks: Iterable[Track]) -> Streak | None:
    """Returns the streak that has lasted longest, for the status; None if no line is crossed."""
    lasting = [
        Streak(track.signal, track.since, track.last_seen)
        for track in tracks
        if track.since is not None and track.last_seen is not None
    ]
    return max(lasting, key=lambda streak: streak.last_seen - streak.since, default=None)


def _clamp(track: Track, now: float) -> Track:
    # A clock that was set back, or a status that somebody wrote: no time lies after now.
    if track.since is None or track.last_seen is None:
        return track
    last_seen = min(max(track.last_seen, 0.0), now)
    marks = track.marks if not track.marks or track.marks[-1].time <= now else ()
    return replace(
        track, since=min(max(track.since, 0.0), last_seen), last_seen=last_seen, marks=marks
    )


def _skip_gap(track: Track, window_seconds: float, now: float) -> Track:
    if track.since is None or track.last_seen is None:
        stale = bool(track.marks) and now - track.marks[-1].time > GAP_SECONDS
        return Track(track.signal) if stale else track
    watched_until = track.marks[-1].time if track.marks else track.last_seen
    gap = now - watched_until
    if track.marks and gap <= GAP_SECONDS:
        return track
    if gap > max(RESUME_SECONDS, 2 * window_seconds):
        return Track(track.signal)
    return replace(
        track,
        since=track.since + gap,
        last_seen=track.last_seen + gap,
        marks=(),
        unconfirmed=CONFIRMING_SWEEPS,
    )


def _keep_since(marks: tuple[_Mark, ...], horizon: float) -> tuple[_Mark, ...]:
    return tuple(mark for mark in marks if mark.time >= horizon)


def _start_above(marks: tuple[_Mark, ...]) -> tuple[_Mark, ...]:
    # A streak starts above the line, so what was below before it is of no use.
    return tuple(itertools.dropwhile(lambda mark: not mark.above, marks))


def _find_start(marks: tuple[_Mark, ...]) -> float:
    start, above = marks[-1].time, 0
    for count, mark in enumerate(reversed(marks), start=1):
        above += mark.above
        if mark.above and _is_mostly_above(above, count):
            start = mark.time
    return start


def _is_over(marks: tuple[_Mark, ...], since: float, window_seconds: float) -> bool:
    # Counted against a full window from the start, or the second sweep could already end it.
    counted = [mark for mark in marks if mark.time >= since]
    expected = max(len(counted), window_seconds / SWEEP_SECONDS)
    below = sum(not mark.above for mark in counted)
    return below > (1 - SUSTAINED_SHARE) * expected + _ROUNDING


def _is_mostly_above(above: int, count: int) -> bool:
    return above >= SUSTAINED_SHARE * count - _ROUNDING
