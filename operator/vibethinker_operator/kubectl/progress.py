"""How far a simulation is, on the standard error, where that is a terminal."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

STEP_SECONDS = 60.0
"""Of the trace, between two looks of the bar: it may not slow down what it shows."""


class Progress:
    """One bar an arm, in a `with`."""

    def __init__(self, seconds: float) -> None:
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
        self._bars = Bars(
            *columns, console=console, transient=True, disable=not console.is_terminal
        )
        self._seconds = seconds
        self._arm = ""

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def report(self, arm: str, second: float) -> None:
        """Takes the second of the trace that `arm` reached."""
        if arm != self._arm:
            self._arm = arm
            self._bars.add_task(arm, total=self._seconds)
        elif second % STEP_SECONDS == 0:
            self._bars.update(self._bars.task_ids[-1], completed=min(second, self._seconds))
