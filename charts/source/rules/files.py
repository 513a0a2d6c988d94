"""What is written from the alerts and recording rules: one rules file and a page for each alert."""

from typing import Any

import yaml

from charts.source.promql import format_expression
from charts.source.rules.alert import Alert
from charts.source.rules.alerts import ALERTS
from charts.source.rules.recording import RECORDING_RULES, RecordingRule
from charts.source.rules.runbook import render_runbook

RULES_FILE = "charts/vibethinker-operator/rules/vibethinker.yaml"
HEADER = "# Written by `make generate` from charts/source/rules: change it there.\n"


def render_files() -> dict[str, str]:
    """Returns every file: path below the repository to text."""
    pages = {f"docs/alerts/{alert.name}.md": render_runbook(alert) for alert in ALERTS}
    return {RULES_FILE: HEADER + _dump(build_groups())} | pages


def build_groups() -> dict[str, Any]:
    """Returns the rules as Prometheus reads them."""
    return {
        "groups": [
            {"name": "vibethinker.rules", "rules": [_build_record(r) for r in RECORDING_RULES]},
            {"name": "vibethinker.alerts", "rules": [_build_alert(a) for a in ALERTS]},
        ]
    }


def _build_record(rule: RecordingRule) -> dict[str, Any]:
    return {"record": rule.record, "expr": format_expression(rule.expression)}


def _build_alert(alert: Alert) -> dict[str, Any]:
    keeps = {"keep_firing_for": alert.keep_firing_for} if alert.keep_firing_for else {}
    return {
        "alert": alert.name,
        "expr": format_expression(alert.expression),
        "for": alert.for_,
        **keeps,
        "labels": {"severity": str(alert.severity)},
        "annotations": {
            "summary": alert.summary,
            "description": alert.description,
            "runbook_url": alert.runbook_url,
        },
    }


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def _dump(document: dict[str, Any]) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=100, allow_unicode=True)
