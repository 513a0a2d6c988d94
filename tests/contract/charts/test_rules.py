"""Rules and runbooks: as generated, of series that exist, with commands that the product takes."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from vibethinker_operator import names
from vibethinker_operator.api import parse_deployment

from charts.source.promql import list_metrics, parse_nodes
from charts.source.rules.alert import RUNBOOK_MARKER, Alert
from charts.source.rules.alerts import ALERTS
from charts.source.rules.files import RULES_FILE, render_files
from charts.source.rules.recording import RECORDING_RULES
from tests.contract.charts.exported import exported_series
from tests.support.boards import BOARDS
from tests.unit.operating.builders import make_body

RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load(Path(RULES_FILE).read_text())["groups"]
    for rule in group["rules"]
]
EXPECTED = {
    "VibeThinkerOperatorDown": "critical",
    "VibeThinkerReconcileErrors": "warning",
    "VibeThinkerNotReady": "critical",
    "VibeThinkerAtMaxReplicas": "warning",
    "VibeThinkerMemoryHigh": "warning",
    "VibeThinkerRejecting": "critical",
    "VibeThinkerQueueBacklog": "warning",
    "VibeThinkerMetricsStale": "warning",
    "VibeThinkerFlapping": "warning",
}
CRD = Path("manifests/crd/vibethinkerdeployments.yaml")
VERBS = {"patch", "scale", "delete", "describe", "port-forward"}
KINDS = {"vtd", "deployment", "pod", "pods"}


def page_of(alert: Alert) -> str:
    return Path(f"docs/alerts/{alert.name}.md").read_text(encoding="utf-8")


def commands_of(alert: Alert) -> list[str]:
    return re.findall(r"```sh\n(.*?)\n```", page_of(alert), re.DOTALL)


def test_the_committed_files_are_the_generated_ones():
    written = render_files()
    assert written == {path: Path(path).read_text(encoding="utf-8") for path in written}
    pages = {path for path in written if path.startswith("docs/alerts/")}
    assert {str(path) for path in Path("docs/alerts").iterdir()} == pages


def test_these_are_all_the_alerts_and_how_urgent_they_are():
    alerts = {rule["alert"]: rule["labels"]["severity"] for rule in RULES if "alert" in rule}
    assert alerts == EXPECTED


def test_every_alert_says_what_it_is_and_where_to_read_on():
    for rule in (rule for rule in RULES if "alert" in rule):
        said = rule["annotations"]
        assert set(said) == {"summary", "description", "runbook_url"}
        assert said["runbook_url"] == f"{RUNBOOK_MARKER}/{rule['alert']}.md"
        assert re.fullmatch(r"[0-9]+m", rule["for"])


def test_an_alert_by_fleet_names_the_fleet():
    for alert in ALERTS:
        by_fleet = "by (namespace, name)" in alert.expression or "fleet:" in alert.expression
        assert by_fleet == ("$labels.namespace" in alert.summary), alert.name


def test_recorded_names_have_a_level_a_metric_and_an_operation():
    for rule in RECORDING_RULES:
        assert re.fullmatch(r"[a-z_]+:vibethinker_[a-z0-9_]+:[a-z0-9_]+", rule.record)
        assert "namespace, name" in rule.expression


def test_every_series_asked_for_is_exported_or_recorded():
    known = exported_series() | {rule.record for rule in RECORDING_RULES}
    for rule in RULES:
        assert list(parse_nodes(rule["expr"]))
        assert set(list_metrics(rule["expr"])) <= known, rule


def test_every_recorded_series_is_asked_for_by_a_board_or_an_alert():
    boards = "".join(path.read_text() for path in Path(RULES_FILE).parents[1].glob("dashboards/*"))
    asked = boards + "".join(alert.expression for alert in ALERTS)
    assert [rule.record for rule in RECORDING_RULES if rule.record not in asked] == []


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_a_runbook_has_its_parts_and_the_figures_of_the_rule(alert: Alert):
    page = page_of(alert)
    parts = (
        "## What it means",
        "## What to look at",
        "## What to do",
        "## How to take over by hand",
    )
    assert [page.index(part) for part in parts] == sorted(page.index(part) for part in parts)
    assert f"Severity **{alert.severity}**" in page
    assert f"has held for {alert.for_}" in page
    assert commands_of(alert)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_panels_and_rows_that_a_runbook_names_are_on_the_boards(alert: Alert):
    titles = {panel["title"] for board in BOARDS.values() for panel in board["panels"]}
    named = re.findall(r"(?<!\*)\*([^*\n]+(?:\n[^*\n]+)?)\*(?!\*)", page_of(alert))
    assert {re.sub(r"\s+", " ", name) for name in named} <= titles


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_commands_of_a_runbook_name_kinds_that_are_there(alert: Alert):
    assert names.SHORT_NAME in KINDS
    for command in commands_of(alert):
        program, verb, *words = shlex.split(command)
        assert program == "kubectl"
        assert verb in VERBS
        assert KINDS & {word.partition("/")[0] for word in words}
        assert "-n NAMESPACE" in command


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_patches_of_a_runbook_are_understood_by_the_resource(alert: Alert):
    for command in commands_of(alert):
        words = shlex.split(command)
        if "patch" in words:
            patch = json.loads(words[words.index("-p") + 1])
            assert set(patch) == {"spec"}
            parse_deployment(make_body(patch["spec"]))


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_fields_that_a_runbook_names_are_in_the_resource(alert: Alert):
    (version,) = yaml.safe_load(CRD.read_text())["spec"]["versions"]
    root = version["schema"]["openAPIV3Schema"]
    blocks = root["properties"]["spec"]["properties"]
    named = re.findall(r"`([a-zA-Z]+(?:\[\])?(?:\.[a-zA-Z]+(?:\[\])?)+)`", page_of(alert))
    for path in named:
        parts = path.replace("[]", "").split(".")
        node = root if parts[0] in {"spec", "status"} else {"properties": blocks}
        for part in parts:
            node = node.get("items", node)["properties"]
            assert part in node, path
            node = node[part]
