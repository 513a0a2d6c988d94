"""The operator's own page: what is on it, under which names, and what is left out."""

from collections import Counter
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from vibethinker_operator.conditions import ANSWERS, render_conditions
from vibethinker_operator.fleet_view import FleetView
from vibethinker_operator.loop import ReconcileLoop
from vibethinker_operator.metrics import OperatorCollector
from vibethinker_operator.scale_counts import ScaleCounts
from vibethinker_operator.signals import fold_signals
from vibethinker_operator.windows import WINDOW_SECONDS, Windows

from tests.unit.deciding.builders import (
    DEVICE,
    START,
    make_observed,
    make_pod,
    make_sample,
    make_starting,
)
from tests.unit.operating.builders import Time
from tests.unit.operating.views import decide_once, make_view, read_once

NAMES = {
    "vibethinker_operator_last_round_timestamp_seconds",
    "vibethinker_operator_failed_ticks_total",
    "vibethinker_operator_skipped_ticks_total",
    "vibethinker_operator_refused_samples_total",
    "vibethinker_operator_failed_writes_total",
    "vibethinker_fleet_replicas",
    "vibethinker_fleet_min_replicas",
    "vibethinker_fleet_max_replicas",
    "vibethinker_fleet_memory_used_ratio",
    "vibethinker_fleet_memory_line_ratio",
    "vibethinker_fleet_request_queue_length",
    "vibethinker_fleet_request_queue_line",
    "vibethinker_fleet_decision",
    "vibethinker_fleet_condition",
    "vibethinker_fleet_scale_steps_total",
    "vibethinker_fleet_scale_reversals_total",
    "vibethinker_fleet_oldest_sample_timestamp_seconds",
}
OBSERVED = make_observed(
    make_pod("a"), make_pod("b", draining_since=START), make_starting("c", created=START)
)


class Page:
    """The operator's page, as Prometheus reads it."""

    def __init__(self, *views: FleetView) -> None:
        self.views = list(views)
        self.conditions = [
            (("team", "chat"), render_conditions(view, (), START)) for view in self.views
        ]
        self.refused: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.loop = ReconcileLoop(
            snapshots=list, tick=self.tick, clock=Time().clock(), interval_seconds=1.0
        )
        self.registry = CollectorRegistry()
        self.registry.register(
            OperatorCollector(
                loop=self.loop,
                views=lambda: self.views,
                conditions=lambda: self.conditions,
                refused_samples=self.refused,
                failed_writes=self.failed,
            )
        )

    async def tick(self, *_: object) -> None:
        raise NotImplementedError

    def read(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        """Every sample by name and its labels but those of the fleet."""
        families = text_string_to_metric_families(generate_latest(self.registry).decode())
        samples = [sample for family in families for sample in family.samples]
        assert all(
            (sample.labels.pop("namespace", "team"), sample.labels.pop("name", "chat"))
            == ("team", "chat")
            for sample in samples
        )
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples
        }

    def value(self, name: str, **labels: str) -> float | None:
        return self.read().get((name, tuple(sorted(labels.items()))))


@pytest.fixture
def page() -> Page:
    signals = read_once(OBSERVED, queue_length=3.0)
    return Page(make_view(OBSERVED, signals=signals, decision=decide_once()))


def test_these_are_all_its_names(page: Page):
    page.refused["timeout"] += 1
    page.failed["children"] += 1
    assert {name for name, _ in page.read()} == NAMES


def test_replicas_are_counted_by_state(page: Page):
    states = {"ready": 1, "draining": 1, "starting": 1, "desired": 1}
    read = {state: page.value("vibethinker_fleet_replicas", state=state) for state in states}
    assert read == states


def test_load_line_and_decision_of_a_fleet(page: Page):
    assert page.value("vibethinker_fleet_memory_used_ratio") == pytest.approx(4.6e9 / DEVICE)
    assert page.value("vibethinker_fleet_memory_line_ratio") == 0.75
    assert page.value("vibethinker_fleet_request_queue_length") == 9.0
    labels = {"rule": "Hold", "reason": "BelowLines"}
    assert page.value("vibethinker_fleet_decision", **labels) == 1


@pytest.mark.parametrize(
    "view",
    [
        pytest.param(make_view(None), id="no deployment"),
        pytest.param(
            make_view(
                OBSERVED,
                signals=replace(
                    read_once(OBSERVED, other_bytes=None), waiting=None, finished_per_second=None
                ),
            ),
            id="nobody tells",
        ),
    ],
)
def test_what_is_unknown_has_no_series(view: FleetView):
    page = Page(view)
    assert page.value("vibethinker_fleet_memory_used_ratio") is None
    assert page.value("vibethinker_fleet_request_queue_length") is None
    assert page.value("vibethinker_fleet_replicas", state="desired") is None
    assert page.value("vibethinker_fleet_memory_line_ratio") == 0.75


def test_every_condition_tells_its_status_and_reason(page: Page):
    conditions = [
        dict(labels)
        for (name, labels), value in page.read().items()
        if name == "vibethinker_fleet_condition" and value == 1
    ]
    assert {condition["type"] for condition in conditions} == set(ANSWERS)
    (ready,) = (condition for condition in conditions if condition["type"] == "Ready")
    assert ready == {"type": "Ready", "status": "True", "reason": "Serving"}


@pytest.mark.parametrize(
    ("mode", "least", "most"),
    [("Auto", 2, 5), ("Advisory", None, None), ("Manual", None, None)],
)
def test_the_bounds_are_those_that_hold_and_none_where_none_holds(
    mode: str, least: int | None, most: int | None
):
    scaling = {"mode": mode, "minReplicas": 2, "maxReplicas": 5}
    page = Page(make_view(OBSERVED, spec={"scaling": scaling}))
    assert page.value("vibethinker_fleet_min_replicas") == least
    assert page.value("vibethinker_fleet_max_replicas") == most
    assert page.value("vibethinker_fleet_request_queue_line") == 4


def test_steps_of_size_are_counted_by_direction_and_those_that_turn_back_apart():
    counts = ScaleCounts()
    for current, replicas in [(1, 2), (2, 4), (4, 3), (3, 2), (2, 3)]:
        counts = counts.add(current, replicas)
    page = Page(replace(make_view(OBSERVED), scaled=counts))
    assert page.value("vibethinker_fleet_scale_steps_total", direction="out") == 3
    assert page.value("vibethinker_fleet_scale_steps_total", direction="in") == 2
    assert page.value("vibethinker_fleet_scale_reversals_total") == 2


def test_the_oldest_reading_is_that_of_the_ready_pod_read_longest_ago():
    observed = make_observed(make_pod("a"), make_pod("b"), make_starting("c", created=START))
    samples = [make_sample("a", START - 2.0), make_sample("b", START - 1.0)]
    windows = Windows().record(samples, {"a", "b", "c"}, START)
    page = Page(make_view(observed, signals=fold_signals(windows, observed, START)))
    assert page.value("vibethinker_fleet_oldest_sample_timestamp_seconds") == START - 2.0


def test_a_ready_pod_that_was_never_read_counts_as_read_before_the_window():
    observed = make_observed(make_pod("a"), make_pod("b", ready_since=START - 3.0))
    signals = fold_signals(Windows(), observed, START)
    page = Page(make_view(observed, signals=signals))
    oldest = page.value("vibethinker_fleet_oldest_sample_timestamp_seconds")
    assert oldest == START - WINDOW_SECONDS
    new = make_observed(make_pod("b", ready_since=START - 3.0))
    page = Page(make_view(new, signals=fold_signals(Windows(), new, START)))
    assert page.value("vibethinker_fleet_oldest_sample_timestamp_seconds") == START - 3.0


def test_a_fleet_that_is_gone_has_no_series(page: Page):
    page.views.clear()
    page.conditions.clear()
    assert {name for name, _ in page.read() if name.startswith("vibethinker_fleet")} == set()


def test_the_loop_tells_how_it_fares(page: Page):
    page.loop.failed_ticks, page.loop.skipped_ticks, page.loop.last_round = 2, 5, START
    assert page.value("vibethinker_operator_failed_ticks_total") == 2
    assert page.value("vibethinker_operator_skipped_ticks_total") == 5
    assert page.value("vibethinker_operator_last_round_timestamp_seconds") == START


def test_refusals_and_failures_are_counted_by_reason_and_kind(page: Page):
    page.refused.update(["timeout", "timeout", "not_finite"])
    page.failed.update(["SetReplicas"])
    refused = "vibethinker_operator_refused_samples_total"
    assert page.value(refused, reason="timeout") == 2
    assert page.value(refused, reason="not_finite") == 1
    assert page.value("vibethinker_operator_failed_writes_total", kind="SetReplicas") == 1
