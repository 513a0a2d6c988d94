"""Panels as our boards have them: what all of them share is said here once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as dashboard_builders
from grafana_foundation_sdk.builders import prometheus, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from charts.source.promql import list_metrics

DATASOURCE: Final = common.DataSourceRef(type_val="prometheus", uid="${datasource}")
NEUTRAL: Final = "blue"
COUNT: Final = "short"
LINE_LEGEND: Final = "line"
"""Series whose legend ends so are lines to hold against, and drawn dashed."""

Panel = stat.Panel | statetimeline.Panel | table.Panel | timeseries.Panel
P = TypeVar("P", stat.Panel, statetimeline.Panel, table.Panel, timeseries.Panel)


@dataclass(frozen=True)
class Query:
    """One query of a panel and what its series are called."""

    expression: str
    legend: str = ""


@dataclass(frozen=True)
class Judgement:
    """From which value on a figure is worth a look, and from which it is bad."""

    look: float
    bad: float


def tile(
    title: str,
    text: str,
    unit: str,
    *queries: Query,
    judged: Judgement | None = None,
    empty: str = "No data",
) -> stat.Panel:
    """Returns one figure, coloured only where it is judged."""
    panel = (
        stat.Panel()
        .height(4)
        .span(4)
        .reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]))
    )
    panel.graph_mode(common.BigValueGraphMode.NONE)
    panel.color_mode(common.BigValueColorMode.VALUE)
    panel.text_mode(common.BigValueTextMode.AUTO)
    panel.no_value(empty)
    if unit == COUNT:
        panel.decimals(0)
    _describe(panel, title, text, unit, queries)
    if judged is None:
        fixed = dashboard_builders.FieldColor().mode(dashboard.FieldColorModeId.FIXED)
        return panel.color_scheme(fixed.fixed_color(NEUTRAL))
    return panel.thresholds(_steps(judged)).color_scheme(
        dashboard_builders.FieldColor().mode(dashboard.FieldColorModeId.THRESHOLDS)
    )


def graph(
    title: str,
    text: str,
    unit: str,
    *queries: Query,
    width: int = 8,
    stacked: bool = False,
    highest: float | None = None,
) -> timeseries.Panel:
    """Returns curves over time; lines to hold them against are dashed."""
    panel = timeseries.Panel().height(9).span(width).min(0).line_width(1)
    panel.fill_opacity(40 if stacked else 8)
    panel.show_points(common.VisibilityMode.NEVER)
    if highest is not None:
        panel.max(highest)
    if stacked:
        panel.stacking(common_builders.StackingConfig().mode(common.StackingMode.NORMAL))
    _describe(panel, title, text, unit, queries)
    panel.color_scheme(
        dashboard_builders.FieldColor().mode(dashboard.FieldColorModeId.PALETTE_CLASSIC)
    )
    panel.tooltip(
        common_builders.VizTooltipOptions()
        .mode(common.TooltipDisplayMode.MULTI)
        .sort(common.SortOrder.DESCENDING)
    )
    panel.legend(
        common_builders.VizLegendOptions()
        .show_legend(True)
        .display_mode(common.LegendDisplayMode.TABLE)
        .placement(common.LegendPlacement.BOTTOM)
        .calcs(["max", "lastNotNull"])
    )
    dashed = {"fill": "dash", "dash": [10, 10]}
    return panel.override_by_regexp(
        f"/{LINE_LEGEND}$/",
        [
            dashboard.DynamicConfigValue("custom.lineStyle", dashed),
            dashboard.DynamicConfigValue("custom.fillOpacity", 0),
        ],
    )


def timeline(title: str, text: str, *queries: Query, width: int = 24) -> statetimeline.Panel:
    """Returns a row for each series, filled while it is 1."""
    panel = statetimeline.Panel().height(9).span(width).fill_opacity(70).line_width(0)
    panel.show_value(common.VisibilityMode.NEVER).merge_values(True)
    panel.legend(common_builders.VizLegendOptions().show_legend(False).calcs([]))
    _describe(panel, title, text, "bool_on_off", queries)
    fixed = dashboard_builders.FieldColor().mode(dashboard.FieldColorModeId.FIXED)
    return panel.color_scheme(fixed.fixed_color(NEUTRAL))


def grid(title: str, text: str, *columns: tuple[str, str, Query], link: str) -> table.Panel:
    """Returns a table with a row for each pod.

    Args:
        title: its title.
        text: what it shows.
        columns: title, unit and query of each column; every query has the same labels.
        link: where a row leads, for the column `Pod`.
    """
    panel = table.Panel().height(9).span(24)
    queries = [query for _, _, query in columns]
    _describe(panel, title, text, "short", queries, instant=True)
    panel.with_transformation(dashboard.DataTransformerConfig(id_val="merge", options={}))
    names = {f"Value #{_ref(index)}": name for index, (name, _, _) in enumerate(columns)}
    labels = {"namespace": "Namespace", "name": "Deployment", "pod": "Pod", "instance": "Instance"}
    panel.with_transformation(
        dashboard.DataTransformerConfig(
            id_val="organize",
            options={"excludeByName": {"Time": True}, "renameByName": labels | names},
        )
    )
    for name, unit, _ in columns:
        panel.override_by_name(name, [dashboard.DynamicConfigValue("unit", unit)])
    to_vllm = {"title": "This pod on vLLM's own board", "url": link}
    return panel.override_by_name("Pod", [dashboard.DynamicConfigValue("links", [to_vllm])])


def _describe(
    panel: P, title: str, text: str, unit: str, queries: Sequence[Query], *, instant: bool = False
) -> None:
    metrics = dict.fromkeys(m for query in queries for m in list_metrics(query.expression))
    named = ", ".join(f"`{metric}`" for metric in metrics)
    panel.title(title).unit(unit).datasource(DATASOURCE)
    panel.description(f"{text}\n\nFrom {named}.")
    # A quotient of nothing, or a quantile of no answer, is no figure.
    panel.mappings([_say("No traffic", dashboard.SpecialValueMatch.NA_N)])
    for index, query in enumerate(queries):
        panel.with_target(_target(_ref(index), query, instant=instant))


def _target(ref: str, query: Query, *, instant: bool) -> prometheus.Dataquery:
    built = prometheus.Dataquery().ref_id(ref).expr(query.expression).datasource(DATASOURCE)
    built.legend_format(query.legend or "__auto")
    if instant:
        return built.instant().format(PromQueryFormat.TABLE)
    return built.range()


def _steps(judged: Judgement) -> dashboard_builders.ThresholdsConfig:
    steps = [
        dashboard.Threshold(color="green", value=None),
        dashboard.Threshold(color="orange", value=judged.look),
        dashboard.Threshold(color="red", value=judged.bad),
    ]
    return (
        dashboard_builders.ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(steps)
    )


def _say(text: str, match: dashboard.SpecialValueMatch) -> dashboard.SpecialValueMap:
    result = dashboard.ValueMappingResult(text=text, index=0)
    options = dashboard.DashboardSpecialValueMapOptions(match=match, result=result)
    return dashboard.SpecialValueMap(options)


def _ref(index: int) -> str:
    return chr(ord("A") + index)
