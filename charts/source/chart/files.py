"""Which generated file of the chart holds what. Pure: paths to texts."""

from charts.source.chart.facts import render_crd, render_facts
from charts.source.chart.metadata import render_chart_file
from charts.source.chart.readme import render_readme
from charts.source.chart.schema import render_schema
from charts.source.chart.values_file import render_values_file
from charts.source.chart.values_table import render_values_page

CHART = "charts/vibethinker-operator"


def render_files() -> dict[str, str]:
    """Returns every generated file of the chart, and the reference of its values."""
    return {
        f"{CHART}/Chart.yaml": render_chart_file(),
        f"{CHART}/README.md": render_readme(),
        f"{CHART}/values.yaml": render_values_file(),
        f"{CHART}/values.schema.json": render_schema(),
        f"{CHART}/templates/_crd.tpl": render_crd(),
        f"{CHART}/templates/_facts.tpl": render_facts(),
        "docs/reference/values.md": render_values_page(),
    }
