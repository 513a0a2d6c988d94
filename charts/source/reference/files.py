"""Which generated page holds what. Pure: paths to texts."""

from charts.source.reference.conditions import render_conditions_page
from charts.source.reference.crd import render_crd_page
from charts.source.reference.events import render_events_page
from charts.source.reference.findings import render_findings_page
from charts.source.reference.metrics import render_metrics_page
from charts.source.reference.operator_settings import render_operator_settings_page
from charts.source.reference.sizing import render_sizing_page


def render_files() -> dict[str, str]:
    """Returns every page: path from the repository's root to text."""
    return {
        "docs/reference/conditions.md": render_conditions_page(),
        "docs/reference/crd.md": render_crd_page(),
        "docs/reference/events.md": render_events_page(),
        "docs/reference/findings.md": render_findings_page(),
        "docs/reference/metrics.md": render_metrics_page(),
        "docs/reference/operator-settings.md": render_operator_settings_page(),
        "docs/sizing.md": render_sizing_page(),
    }
