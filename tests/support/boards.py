"""The committed boards as JSON, and their parts as tests ask for them."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from charts.source.dashboards.files import DIRECTORY
from charts.source.promql import fill_variables
from tests.support.prometheus import Curve

Json = dict[str, Any]
Answers = dict[str, dict[str, list[Curve]]]
"""What Prometheus answered: by panel, by query."""

BOARDS: dict[str, Json] = {
    path.stem: json.loads(path.read_text()) for path in sorted(Path(DIRECTORY).glob("*.json"))
}


@dataclass(frozen=True)
class BoardPanel:
    """One panel of a board; rows are none."""

    board: str
    json: Json

    @property
    def title(self) -> str:
        return f"{self.board}: {self.json['title']}"

    @property
    def expressions(self) -> list[str]:
        return [target["expr"] for target in self.json["targets"]]


def list_panels() -> Iterator[BoardPanel]:
    """Yields every panel of every board."""
    for name, board in BOARDS.items():
        for panel in board["panels"]:
            if panel["type"] != "row":
                yield BoardPanel(name, panel)


def list_expressions(board: Json) -> Iterator[str]:
    """Yields every query of a board, its marks' and its variables' included."""
    for panel in board["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    yield from (mark["expr"] for mark in board["annotations"]["list"])
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["query"].removeprefix("label_values(").rpartition(",")[0]


EVERYTHING = {"namespace": ".*", "deployment": ".*", "pod": ".*"}
"""All choices of a board, as Grafana fills them in for `All`."""


def fill(expression: str, rate_interval: str = "10s") -> str:
    """Returns a query of a board as Grafana sends it, with `All` chosen everywhere."""
    ranges = {"__rate_interval": rate_interval, "__range": "5m", "__interval": "1s"}
    return fill_variables(expression, EVERYTHING | ranges)


def dump_answers(answers: Answers) -> str:
    """Returns the answers as JSON, for the pictures."""
    return json.dumps(answers, default=asdict)
