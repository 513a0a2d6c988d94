"""The boards as files."""

from typing import Final

from charts.source.dashboards.fleet_board import build_fleet_board
from charts.source.dashboards.frame import render_board
from charts.source.dashboards.operator_board import build_operator_board

DIRECTORY: Final = "charts/vibethinker-operator/dashboards"


def render_files() -> dict[str, str]:
    """Returns every board: path below the repository to JSON."""
    return {
        f"{DIRECTORY}/fleet.json": render_board(build_fleet_board()),
        f"{DIRECTORY}/operator.json": render_board(build_operator_board()),
    }
