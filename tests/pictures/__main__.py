"""Draws each panel's data as the truth tests kept it.

python -m tests.pictures docs/dashboards
"""

import json
import sys
from pathlib import Path

from charts.source.dashboards.page import picture_name
from tests.pictures.draw import draw_panel
from tests.support.boards import list_panels

RESULTS = Path("build/dashboards")


def main(arguments: list[str]) -> None:
    """Draws every panel that has data into the one directory named."""
    if len(arguments) != 1:
        sys.exit("usage: python -m tests.pictures DIRECTORY")
    directory = Path(arguments[0])
    directory.mkdir(parents=True, exist_ok=True)
    answers: dict[str, dict[str, list[dict[str, object]]]] = {}
    for name in ("box.json", "vllm.json"):
        for title, queries in json.loads((RESULTS / name).read_text()).items():
            known = answers.setdefault(title, {})
            known |= {query: curves for query, curves in queries.items() if curves}
    for panel in list_panels():
        figure = draw_panel(panel.json, answers[panel.title])
        figure.savefig(directory / picture_name(panel.board, panel.json["title"]))


if __name__ == "__main__":
    main(sys.argv[1:])
