"""How far a long task is, and how a person sees it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

PLAIN_INTERVAL_SECONDS = 5.0
LINE_INTERVAL_SECONDS = 0.1
BAR_CELLS = 24


@dataclass(frozen=True, slots=True)
class Progress:
    """A task's phase, and the bytes of that phase that are done.

    Attributes:
        phase: what is being done, as one word for people.
        done_bytes: so many of `total_bytes`.
        total_bytes: 0 where the phase has no measure.
    """

    phase: str
    done_bytes: int
    total_bytes: int


Report = Callable[[Progress], None]


class ProgressLine:
    """Shows progress: one line that moves on a terminal, elsewhere a line now and then.

    Give it as the `report` of a task, and close it afterwards.
    """

    def __init__(self, stream: TextIO, monotonic: Callable[[], float]) -> None:
        self._stream = stream
        self._monotonic = monotonic
        self._terminal = stream.isatty()
        self._shown_at: float | None = None
        self._last: Progress | None = None

    def __call__(self, progress: Progress) -> None:
        """Shows `progress` once its time has come; on a terminal a phase's first and last too."""
        now = self._monotonic()
        if self._is_due(progress, now):
            self._shown_at = now
            self._write(progress)
        self._last = progress

    def close(self) -> None:
        """Ends the line, so that what follows begins on its own."""
        if self._terminal and self._shown_at is not None:
            self._stream.write("\n")
            self._stream.flush()

    def _is_due(self, progress: Progress, now: float) -> bool:
        if self._shown_at is None:
            return True
        if not self._terminal:
            return now - self._shown_at >= PLAIN_INTERVAL_SECONDS
        ends = progress.done_bytes >= progress.total_bytes
        turns = self._last is None or self._last.phase != progress.phase
        return ends or turns or now - self._shown_at >= LINE_INTERVAL_SECONDS

    def _write(self, progress: Progress) -> None:
        if self._terminal:
            self._stream.write(f"\r{render_bar(progress)}\x1b[K")
        else:
            self._stream.write(f"{render_progress(progress)}\n")
        self._stream.flush()


def render_progress(progress: Progress) -> str:
    """Returns progress as one line of text."""
    if progress.total_bytes <= 0:
        return progress.phase
    percentage = 100 * progress.done_bytes // progress.total_bytes
    done, total = gigabytes(progress.done_bytes), gigabytes(progress.total_bytes)
    return f"{progress.phase} {percentage:3d} %, {done} of {total}"


def render_bar(progress: Progress) -> str:
    """Returns progress as one line of text with a bar."""
    if progress.total_bytes <= 0:
        return progress.phase
    filled = min(BAR_CELLS, BAR_CELLS * progress.done_bytes // progress.total_bytes)
    return f"[{'#' * filled}{'.' * (BAR_CELLS - filled)}] {render_progress(progress)}"


def gigabytes(count: int) -> str:
    """Returns a number of bytes as people read it, in units of 10^9 or 10^6."""
    return f"{count / 10**9:.2f} GB" if count >= 10**9 else f"{count / 10**6:.1f} MB"
