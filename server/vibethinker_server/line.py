"""The memory line with its hysteresis: a pure fold over readings in time."""

from dataclasses import dataclass, replace

from vibethinker_server.policy import Saturation


@dataclass(frozen=True, slots=True)
class Line:
    """Whether the line counts as crossed, and since when readings have stood above it."""

    crossed: bool = False
    above_since: float | None = None


def fold_line(line: Line, now: float, ratio: float | None, saturation: Saturation) -> Line:
    """Returns the line after the reading `ratio` (0 to 1, None: unknown) at `now`.

    It is crossed once readings have stood at or above the line for `sustained_seconds`, and left
    at the recover line. An unknown reading breaks a streak, as the time it stands for is not known
    to be above, but leaves a crossed line crossed.
    """
    if ratio is None:
        return replace(line, above_since=None)
    if line.crossed:
        return Line() if ratio <= saturation.memory_recover_ratio else line
    if ratio < saturation.memory_used_ratio:
        return Line()
    since = now if line.above_since is None else line.above_since
    return Line(crossed=now - since >= saturation.sustained_seconds, above_since=since)
