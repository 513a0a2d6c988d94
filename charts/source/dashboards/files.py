"""The boards as files, and the page that shows them."""

from typing import Final

from charts.source.dashboards.fleet_board import build_fleet_board
from charts.source.dashboards.frame import render_board
from charts.source.dashboards.operator_board import build_operator_board
from charts.source.dashboards.page import PAGE, render_page

DIRECTORY: Final = "charts/vibethinker-operator/dashboards"


def render_files() -> dict[str, str]:
    """Returns every board and the page of them: path below the repository to text."""
    boards = {
        "fleet": render_board(build_fleet_board()),
        "operator": render_board(build_operator_board()),
    }
    files = {f"{DIRECTORY}/{name}.json": text for name, text in boards.items()}
    return files | {PAGE: render_page(boards)}
