"""The comparison for people, as plain text. Pure."""

from collections.abc import Iterator, Sequence

from vibethinker_simulator.rehearsal.arm import Played
from vibethinker_simulator.rehearsal.comparison import Comparison
from vibethinker_simulator.rehearsal.rows import Row, list_rows
from vibethinker_simulator.rehearsal.watched import SizeChange

MOST_CHANGES = 20


def render_text(comparison: Comparison) -> str:
    """Returns title, table, decisions and notes."""
    return "\n".join(
        [
            comparison.title,
            *list_facts(comparison),
            "",
            *_align(list_rows(comparison)),
            *list_changes(comparison),
        ]
    )


def list_facts(comparison: Comparison) -> list[str]:
    """Returns what was simulated, and what a reader has to know of it."""
    question = comparison.question
    trace, card = question.trace, question.resource.spec.gpu.product
    load = f"{len(trace.requests):,} requests in {show_time(trace.seconds)}; {card}"
    start = f"a pod serves {question.start_seconds:g} s after it is asked for"
    notes = (f"note: {note}" for note in comparison.notes)
    return [f"{load}; {start}; seed {question.seed}", *notes]


def list_changes(comparison: Comparison) -> list[str]:
    """Returns the lines about each change of a fleet's size, the first twenty of each arm."""
    return [line for one in comparison.played if one.changes for line in _list_changes(one)]


def show_time(seconds: float) -> str:
    """Returns a time of the trace as hours, minutes and seconds."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def _list_changes(played: Played) -> Iterator[str]:
    yield ""
    yield f"{played.arm.name}: {len(played.changes)} changes of size"
    for change in played.changes[:MOST_CHANGES]:
        yield from _describe(change)
    left = len(played.changes) - MOST_CHANGES
    if left > 0:
        yield f"  … {left} more, --format json has all"


def _describe(change: SizeChange) -> Iterator[str]:
    decision = change.decision
    step = f"{show_time(change.time):>8}  {change.before} -> {change.after}"
    if decision is None:
        yield step
        return
    yield f"{step}  {decision.rule}: {decision.message}"
    yield f"{'':>8}  {decision.counterfactual}"


def _align(rows: Sequence[Row]) -> list[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
