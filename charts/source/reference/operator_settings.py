"""docs/reference/operator-settings.md: every variable of the operator's environment."""

from collections.abc import Iterator

from vibethinker_operator import names
from vibethinker_operator.settings import Settings

from charts.source.reference.markdown import code, render_page, render_table

TEXT = f"""What `{names.OPERATOR_NAME}` reads from its environment, once, when it starts. It does
not start where one is missing or unusable, and says which. There are no arguments and no files.
What a fleet is told is in the resource ([crd.md](crd.md)); what a server can be told is in
[server-settings.md](../server-settings.md)."""
PORTS = {
    names.HEALTH_PORT: f"`{names.PATH_HEALTHZ}`: 200 while the loop turns, for probes",
    names.METRICS_PORT: f"`{names.PATH_METRICS}`: its metrics ([metrics.md](metrics.md))",
}


def render_operator_settings_page() -> str:
    """Returns the page."""
    rows = render_table(("variable", "value", "default", "meaning"), _rows())
    ports = render_table(("port", "what it answers"), ((str(p), t) for p, t in PORTS.items()))
    return render_page("Operator settings", TEXT, rows, "## Ports", ports)


def _rows() -> Iterator[tuple[str, ...]]:
    schema = Settings.model_json_schema(by_alias=True)
    for name, field in schema["properties"].items():
        low, high = field.get("minimum"), field.get("maximum")
        value = field["type"] if low is None else f"{field['type']}, {low} to {high}"
        default = "required" if name in schema["required"] else code(field["default"] or '""')
        yield code(name), value, default, " ".join(field["description"].split())
