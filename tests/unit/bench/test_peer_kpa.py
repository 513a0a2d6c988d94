"""The parts of the KPA's port that the vectors do not reach: its sample, its bounds, its turns."""

import random

import pytest

from tests.bench.sim.peers.kpa import Kpa, Settings
from tests.bench.sim.peers.kpa_scrape import sample_size, scrape
from tests.bench.sim.peers.kpa_window import MeanWindow
from tests.bench.sim.peers.pods import PodView


def draw() -> random.Random:
    return random.Random(1)  # noqa: S311 (reproducible)


def pod(number: int, in_flight: float | None, created: float = 0.0) -> PodView:
    metrics = {} if in_flight is None else {"in_flight": in_flight}
    return PodView(name=f"pod-{number}", created=created, ready_since=created, metrics=metrics)


@pytest.mark.parametrize(
    ("pods", "asked"), [(0, 0), (3, 3), (4, 4), (5, 4), (10, 7), (100, 14), (10_000, 16)]
)
def test_a_sample_is_asked(pods: int, asked: int):
    assert sample_size(pods) == asked


def total(pods: list[PodView], now: float = 100.0) -> float | None:
    return scrape(pods, "in_flight", now, 60.0, draw())


def test_the_sample_stands_for_all():
    assert total([pod(number, 7.0) for number in range(50)]) == pytest.approx(350.0)


def test_old_pods_are_asked_first():
    old = [pod(number, 1.0) for number in range(8)]
    young = [pod(number, 99.0, created=90.0) for number in range(8, 10)]
    assert total(old + young) == pytest.approx(10.0)
    assert total(old[:6] + young) == pytest.approx(8.0)


def test_too_few_answers_are_none():
    assert total([pod(0, 1.0), pod(1, None)]) is None
    assert total([]) is None
    silent_but_enough = [pod(0, None), *(pod(number, 2.0) for number in range(1, 10))]
    assert total(silent_but_enough) == pytest.approx(20.0)


def test_bounds():
    kpa = Kpa(Settings(minimum=2, maximum=5), ready=1, now=0.0, metric="", chance=draw())
    assert [kpa.bound(wanted) for wanted in (0, 3, 9)] == [2, 3, 5]


def test_a_jump_is_met_within_the_panic_window_and_kept_for_a_minute_after_it():
    kpa = Kpa(Settings(), ready=1, now=0.0, metric="in_flight", chance=draw())
    replicas, sizes = 1, {}
    for second in range(200):
        load = 700.0 if 60 <= second < 90 else 35.0
        fleet = [pod(number, load / replicas) for number in range(replicas)]
        wanted = kpa.sweep(float(second), replicas, fleet)
        if wanted != replicas:
            sizes[second] = replicas = wanted
    assert {second: size for second, size in sizes.items() if second < 122} == {
        60: 3,
        62: 6,
        64: 9,
        66: 10,
    }
    assert sizes[124] == 5


def test_a_late_value_goes_to_its_own_second_and_one_from_before_the_window_nowhere():
    window = MeanWindow(6)
    for now, value in [(10.0, 6.0), (8.5, 3.0), (3.9, 100.0)]:
        window.record(now, value)
    assert window.mean(10.0) == 3.0
    assert window.mean(16.0) == 0.0
    assert not window.is_empty(16.0)
    assert window.is_empty(17.0)
