"""Every alert fires when it should, not before its time, and stays silent beside it."""

from pathlib import Path

import pytest

from charts.source.rules.alert import Alert
from charts.source.rules.alerts import ALERTS
from charts.source.rules.files import RULES_FILE
from charts.source.rules.recording import RECORDING_RULES
from tests.cluster.commands import CommandError
from tests.integration.alerts.cases import CASES
from tests.integration.alerts.promtool import Series, check_rules, expect_firing

RULES = Path(__file__).parents[3] / RULES_FILE
BY_NAME = {alert.name: alert for alert in ALERTS}
# Five minutes are the longest range of an expression, beside Flapping's, whose case is built for
# it; with `for` of a quarter of an hour everything that is to fire does so by then.
LATE = "25m"

FIRING = [
    pytest.param(BY_NAME[name], series, id=f"{name}: {story}")
    for name, case in CASES.items()
    for story, series in case.fires.items()
]
SILENT = [
    pytest.param(BY_NAME[name], series, id=f"{name}: {story}")
    for name, case in CASES.items()
    for story, series in case.silent.items()
]


def test_promtool_accepts_every_rule():
    assert f"SUCCESS: {len(RECORDING_RULES) + len(ALERTS)} rules found" in check_rules(RULES)


def test_every_alert_has_a_case_each_way():
    assert set(CASES) == set(BY_NAME)
    assert all(case.fires and case.silent for case in CASES.values())


@pytest.mark.parametrize(("alert", "series"), FIRING)
def test_it_fires_and_not_before_its_time(alert: Alert, series: Series, tmp_path: Path):
    # A rate needs two readings, half a minute apart.
    before = f"{int(alert.for_.removesuffix('m')) * 60 - 30}s"
    expect_firing(RULES, alert, series, {before: False, LATE: True}, tmp_path)


@pytest.mark.parametrize(("alert", "series"), SILENT)
def test_it_stays_silent(alert: Alert, series: Series, tmp_path: Path):
    expect_firing(RULES, alert, series, dict.fromkeys(("12m", LATE, "40m"), False), tmp_path)


def test_a_rule_that_never_fires_is_noticed(tmp_path: Path):
    broken = tmp_path / "rules.yaml"
    broken.write_text(RULES.read_text().replace(":of_line > 1", ":of_line > 100"))
    series = CASES["VibeThinkerMemoryHigh"].fires["above its own line"]
    with pytest.raises(CommandError, match="FAILED"):
        expect_firing(broken, BY_NAME["VibeThinkerMemoryHigh"], series, {LATE: True}, tmp_path)
