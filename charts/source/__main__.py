"""Writes what is generated of the chart and its pages: `python -m charts.source`, from the root."""

from pathlib import Path

from charts.source.chart.files import render_files as render_chart
from charts.source.dashboards.files import render_files as render_dashboards
from charts.source.reference.files import render_files as render_references
from charts.source.rules.files import render_files as render_rules

RENDERERS = (render_chart, render_references, render_rules, render_dashboards)


def main() -> None:
    """Writes every file below the working directory."""
    for render in RENDERERS:
        for path, text in render().items():
            target = Path(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
