"""Every query of every board and rule is asked of a real Prometheus: data, or a reason why not.

Prometheus scrapes the operator and the pods in the box while three fleets live through a minute.
What it answered is kept in build/dashboards, of which the pictures are drawn.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from vibethinker_operator import names

from charts.source.promql import list_metrics
from charts.source.rules.alerts import ALERTS
from charts.source.rules.recording import RECORDING_RULES
from tests.integration.operations.kube import unix_now, wait_for
from tests.integration.operations.monitoring import SHORTENED, running_prometheus
from tests.integration.operations.scene import FLEETS, Traffic, play
from tests.support.boards import BOARDS, Answers, Json, dump_answers, fill, list_panels
from tests.support.prometheus import Curve, Prometheus

__all__ = ["FLEETS"]

RESULTS = Path("build/dashboards/box.json")
NEVER_HERE = {"vllm:": "the stub engine has no series of vLLM's; tests/e2e asks a real one"}
"""Series without data here, and why."""

PERHAPS_NOT_HERE = {
    f"{names.METRIC_FAILED_WRITES}_total": "a counter begins with the first write that fails"
}
"""Series that have no data where all went well."""


@dataclass(frozen=True)
class Scene:
    """The scene after it was played."""

    prometheus: Prometheus
    traffic: Traffic
    start: float
    end: float
    fired: list[Json]

    def ask(self, expression: str) -> list[Curve]:
        return self.prometheus.curves(fill(expression), self.start, self.end)


@pytest.fixture(scope="module")
def scene(fleets, kube, operator_process, tmp_path_factory) -> Iterator[Scene]:
    with running_prometheus(kube, tmp_path_factory.mktemp("prometheus")) as prometheus:
        start = unix_now()
        fired: list[Json] = []
        traffic = play(fleets, lambda: fired.extend(wait_until_fired(prometheus)))
        yield Scene(prometheus, traffic, start, unix_now(), fired)


def wait_until_fired(prometheus: Prometheus) -> list[Json]:
    """Returns the alerts that fire, once those that are to fire here do."""

    def look() -> list[Json]:
        # Pods of the tests before these may still be on their way out.
        ours = [a for a in prometheus.firing() if a["labels"].get("name", "full") in FLEETS]
        fired = {alert["labels"]["alertname"] for alert in ours}
        return ours if set(SHORTENED) <= fired else []

    return wait_for(look, "both alerts")


def is_explained(expression: str) -> bool:
    """Whether one of the series that it needs is known to be missing here."""
    asked = list_metrics(expression)
    explained = NEVER_HERE | PERHAPS_NOT_HERE
    return any(name.startswith(missing) for name in asked for missing in explained)


def test_every_query_of_every_panel_has_data_or_a_reason(scene: Scene):
    answers = {
        panel.title: {expression: scene.ask(expression) for expression in panel.expressions}
        for panel in list_panels()
    }
    keep(answers)
    without = [
        f"{title}: {expression}"
        for title, queries in answers.items()
        for expression, curves in queries.items()
        if not curves and not is_explained(expression)
    ]
    print(f"{sum(map(len, answers.values()))} queries of {len(answers)} panels")
    assert without == []


def test_no_reason_is_left_over(scene: Scene):
    every = [expression for panel in list_panels() for expression in panel.expressions]
    for missing in NEVER_HERE:
        asked = [e for e in every if any(n.startswith(missing) for n in list_metrics(e))]
        assert asked, f"{missing} is not asked for"
        assert not any(scene.ask(expression) for expression in asked), f"{missing} has data"


def test_the_marks_over_the_graphs_tell_the_steps_and_the_reject_window(scene: Scene):
    marks = {mark["name"]: mark["expr"] for mark in BOARDS["fleet"]["annotations"]["list"]}
    fleets = {
        name: {curve.labels["name"] for curve in scene.ask(expression)}
        for name, expression in marks.items()
    }
    assert "growing" in fleets["Scale-out"]
    assert "growing" in fleets["Scale-in"]
    assert "full" in fleets["Reject window"]
    assert "advised" not in set().union(*fleets.values())


def test_every_rule_is_evaluated_and_every_recorded_series_has_data(scene: Scene):
    rules = scene.prometheus.rules()
    assert len(rules) == len(RECORDING_RULES) + len(ALERTS)
    assert [rule for rule in rules if rule["health"] != "ok"] == []
    for rule in RECORDING_RULES:
        assert scene.ask(rule.record), rule.record


def test_a_fleet_at_its_most_replicas_and_one_that_refuses_are_alerted_on(scene: Scene):
    assert 429 in scene.traffic.statuses["full"]
    assert {alert["labels"]["alertname"] for alert in scene.fired} == set(SHORTENED)
    for alert in scene.fired:
        labels, said = alert["labels"], alert["annotations"]
        assert labels["name"] == "full"
        assert said["summary"].startswith("fleets/full: ")
        assert "error" not in said["description"]
        print(f"{labels['alertname']}: {said['summary']}; {said['description']}")


def keep(answers: Answers) -> None:
    """Writes the answers where the pictures are drawn from."""
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(dump_answers(answers))
