"""The board of fleets: what users of them meet, what was decided, and why."""

from vibethinker_operator import names
from vibethinker_server import names as server_names

from charts.source.dashboards.fleet_requests import build_pods, build_requests
from charts.source.dashboards.fleet_rows import build_decisions, build_load, build_now
from charts.source.dashboards.frame import IN_FLEET, Board, Variable


def build_fleet_board() -> Board:
    """Returns the board."""
    known = f"label_values({names.METRIC_MEMORY_LINE}"
    return Board(
        uid="vibethinker-fleet",
        title="VibeThinker / Fleet",
        text="Fleets of VibeThinker: load against each fleet's own lines, what the operator decided"
        " and why, what users meet. Some panels read series that the chart's rules record.",
        variables=(
            Variable("namespace", "Namespace", f"{known}, namespace)"),
            Variable("deployment", "Deployment", f'{known}{{namespace=~"$namespace"}}, name)'),
            Variable("pod", "Pod", f"label_values({server_names.METRIC_PHASE}{{{IN_FLEET}}}, pod)"),
        ),
        rows=(build_now(), build_load(), build_decisions(), build_requests(), build_pods()),
    )
