"""The live table: one plain line per moment, readable in a CI log as well as at a terminal."""

from collections.abc import Sequence

from tests.demo.rows import Sample

HEADER = "  time  phase     replicas  429s  pods: live / raw memory, waiting, running"


def render_sweep(fleet: Sequence[Sample], *, began: float, rejected: int) -> str:
    """One line for one sweep of the fleet; times count from `began`."""
    if not fleet:
        return ""
    first = fleet[0]
    minutes, seconds = divmod(int(first.time - began), 60)
    replicas = f"{first.ready_replicas or 0}/{first.desired if first.desired is not None else '?'}"
    pods = "  ".join(_render_pod(row) for row in fleet if row.pod)
    return f"{minutes:3d}:{seconds:02d}  {first.phase:<8}  {replicas:<8}  {rejected:4d}  {pods}"


def _render_pod(row: Sample) -> str:
    name = row.pod.rsplit("-", 1)[-1]
    if row.live is None and not row.ready:
        return f"[{name} {row.waiting.split(':')[0] or 'not ready'}]"
    state = " draining" if row.draining else ""
    return (
        f"[{name} {_percent(row.live)} / {_percent(row.raw)} "
        f"q {_count(row.queue)} r {_count(row.running)}{state}]"
    )


def render_decision(row: Sample) -> str:
    """The decision that stands, in the operator's words."""
    rule = f" by {row.decision_rule}" if row.decision_rule else ""
    return f"        decision: {row.decision_desired} replicas{rule}: {row.decision_message}"


def _percent(ratio: float | None) -> str:
    return "  ? %" if ratio is None else f"{100 * ratio:3.0f} %"


def _count(value: int | None) -> str:
    return "?" if value is None else str(value)
