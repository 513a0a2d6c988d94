"""What both boards have around their panels: variables, links, marks over all graphs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard
from vibethinker_operator import names

from charts.source.dashboards.panels import DATASOURCE, Panel
from charts.source.rules.recording import REJECTED

TAGS: Final = ["vibethinker", "vllm"]
"""The second joins the row of links that vLLM's own boards have."""

IN_FLEET: Final = 'namespace=~"$namespace", name=~"$deployment"'
IN_POD: Final = f'{IN_FLEET}, pod=~"$pod"'
MARK_STEP: Final = "30s"


@dataclass(frozen=True)
class Variable:
    """A choice at the top of a board: all values of a label, within the choices before."""

    name: str
    title: str
    values: str


@dataclass(frozen=True)
class Row:
    """Panels under one heading."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Board:
    """One board."""

    uid: str
    title: str
    text: str
    variables: Sequence[Variable]
    rows: Sequence[Row]


def render_board(board: Board) -> str:
    """Returns the board as Grafana reads it."""
    built = builders.Dashboard(board.title).uid(board.uid).description(board.text).tags(TAGS)
    built.readonly().tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
    built.time("now-1h", "now").refresh("30s").timezone("browser")
    built.with_variable(_datasource())
    for variable in board.variables:
        built.with_variable(_query_variable(variable))
    for mark in _marks():
        built.annotation(mark)
    built.link(_link("VibeThinker", "vibethinker")).link(_link("vLLM", "vllm"))
    for row in board.rows:
        built.with_row(builders.Row(row.title))
        for panel in row.panels:
            built.with_panel(panel)
    return json.dumps(built.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def _datasource() -> builders.DatasourceVariable:
    return builders.DatasourceVariable("datasource").label("Data source").type("prometheus")


def _query_variable(variable: Variable) -> builders.QueryVariable:
    everything = dashboard.VariableOption(selected=True, text="All", value="$__all")
    return (
        builders.QueryVariable(variable.name)
        .label(variable.title)
        .query(variable.values)
        .definition(variable.values)
        .datasource(DATASOURCE)
        .refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(dashboard.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(everything)
    )


def _marks() -> tuple[builders.AnnotationQuery, ...]:
    refused = f"sum by (namespace, name) ({REJECTED.record}) > 0"
    return (
        _mark("Scale-out", "green", _step("out"), "grows"),
        _mark("Scale-in", "purple", _step("in"), "shrinks"),
        _mark("Reject window", "red", refused, "refuses requests"),
    )


def _step(direction: str) -> str:
    steps = f'{names.METRIC_SCALE_STEPS}_total{{direction="{direction}"}}'
    return f"sum by (namespace, name) (increase({steps}[$__rate_interval])) > 0"


def _mark(name: str, color: str, expression: str, does: str) -> builders.AnnotationQuery:
    mark = builders.AnnotationQuery().name(name).enable(True).icon_color(color)
    mark.datasource(DATASOURCE).expr(expression).step(MARK_STEP).use_value_for_time(False)
    return mark.title_format(f"{{{{namespace}}}}/{{{{name}}}} {does}").text_format("")


def _link(title: str, tag: str) -> builders.DashboardLink:
    link = builders.DashboardLink(title).type(dashboard.DashboardLinkType.DASHBOARDS)
    return link.tags([tag]).as_dropdown(True).keep_time(True).include_vars(True)
