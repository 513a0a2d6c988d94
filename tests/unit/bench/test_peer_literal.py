"""The mission's literal rule."""

from tests.bench.sim.peers.literal import LiteralRule
from tests.bench.sim.peers.pods import PodView


def pods(*ratios: float | None) -> list[PodView]:
    return [
        PodView(
            name=f"pod-{number}",
            created=0.0,
            ready_since=0.0,
            metrics={} if ratio is None else {"live": ratio},
        )
        for number, ratio in enumerate(ratios)
    ]


def rule(start_seconds: float = 60.0) -> LiteralRule:
    return LiteralRule("live", start_seconds=start_seconds, minimum=1, maximum=4)


def sweep(rule: LiteralRule, ratio: float | None, start: int, end: int, replicas: int) -> list[int]:
    """Returns the seconds at which the answer was another than `replicas`."""
    answers = {now: rule.sweep(float(now), replicas, pods(ratio)) for now in range(start, end)}
    return [now for now, answer in answers.items() if answer != replicas]


def test_one_more_after_ten_seconds_above_and_then_one_in_each_start_time():
    assert sweep(rule(), 0.76, 0, 135, replicas=2) == [10, 70, 130]


def test_a_dip_or_a_gap_begins_the_ten_seconds_again():
    for between in (0.75, None):
        tried = rule()
        assert sweep(tried, 0.9, 0, 10, replicas=2) == []
        assert sweep(tried, between, 10, 11, replicas=2) == []
        assert sweep(tried, 0.9, 11, 22, replicas=2) == [21]


def test_one_less_after_each_five_minutes_below_nine_tenths_of_the_line():
    assert sweep(rule(), 0.67, 0, 650, replicas=3) == [300, 600]
    assert sweep(rule(), 0.69, 0, 650, replicas=3) == []


def test_bounds_hold():
    assert sweep(rule(), 0.9, 0, 100, replicas=4) == []
    assert sweep(rule(), 0.1, 0, 700, replicas=1) == []


def test_the_mean_of_those_that_answer_counts():
    tried = rule()
    fleet = [*pods(0.9, 0.7, None), PodView(name="new", created=0.0, ready_since=None)]
    assert [tried.sweep(float(now), 2, fleet) for now in (0, 10)] == [2, 3]
