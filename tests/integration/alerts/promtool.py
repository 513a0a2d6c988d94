"""Alert rules against series on paper, by Prometheus' own tool."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from charts.source.rules.alert import Alert
from tests.cluster.commands import run
from tests.cluster.prometheus import prometheus_binaries

INTERVAL_SECONDS = 30
FLEET = 'namespace="team", name="chat"'

Series = Mapping[str, str]
"""Name and labels of a series, and its values every 30 s as promtool writes them."""


def check_rules(rules: Path) -> str:
    """Returns what promtool says of a rules file."""
    return run([prometheus_binaries() / "promtool", "check", "rules", rules])


def expect_firing(
    rules: Path, alert: Alert, series: Series, firing: Mapping[str, bool], directory: Path
) -> None:
    """Has promtool look whether the alert fires once, or not at all, at each of these times.

    Raises:
        CommandError: it does otherwise; the message says at which time.
    """
    count = f'count(ALERTS{{alertname="{alert.name}", alertstate="firing"}})'
    once = [{"labels": "{}", "value": 1}]
    expected = [
        {"expr": count, "eval_time": at, "exp_samples": once if fires else []}
        for at, fires in firing.items()
    ]
    test = {
        "rule_files": [str(rules.resolve())],
        "evaluation_interval": f"{INTERVAL_SECONDS}s",
        "tests": [
            {
                "interval": f"{INTERVAL_SECONDS}s",
                "input_series": [{"series": s, "values": v} for s, v in series.items()],
                "promql_expr_test": expected,
            }
        ],
    }
    file = directory / "test.yaml"
    file.write_text(yaml.safe_dump(test))
    run([prometheus_binaries() / "promtool", "test", "rules", file])
