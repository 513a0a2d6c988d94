"""llm-d's WVA: its saturation rule, and the fleet that it moves through its HPA."""

import pytest

from tests.bench.sim.peers.pods import PodView
from tests.bench.sim.peers.wva import KV, QUEUE, Wva
from tests.bench.sim.peers.wva_saturation import Replica, Thresholds, Variant, choose_target

IDLE = Replica(kv=0.1, queue=0)
FULL = Replica(kv=0.85, queue=9)


@pytest.mark.parametrize(
    ("replicas", "wanted"),
    [
        ([Replica(0.71, 0)], 2),  # less than 0.10 of KV cache spare
        ([Replica(0.69, 0)], 1),
        ([Replica(0.1, 3)], 2),  # fewer than 3 requests of queue spare
        ([Replica(0.1, 2)], 1),
        ([FULL, FULL], 3),
        ([FULL, IDLE], 2),  # the mean is over those that are not saturated
        ([IDLE, IDLE], 1),
        ([Replica(0.4, 0), Replica(0.4, 0)], 2),  # the other would be full
        ([Replica(0.3, 0), Replica(0.3, 2)], 1),
        ([Replica(0.3, 1), Replica(0.3, 2)], 2),
        ([], None),
    ],
)
def test_one_step_at_most_by_what_is_spare(replicas: list[Replica], wanted: int | None):
    steady = Variant(current=len(replicas), ready=len(replicas), desired=len(replicas))
    assert choose_target(replicas, steady, Thresholds()) == wanted


@pytest.mark.parametrize(
    ("variant", "wanted"),
    [
        (Variant(current=2, ready=2, desired=3), 3),  # the HPA has not moved yet
        (Variant(current=3, ready=2, desired=3), 3),  # one does not answer yet
        (Variant(current=3, ready=2, desired=None), 3),
    ],
)
def test_nothing_moves_while_the_fleet_does(variant: Variant, wanted: int):
    assert choose_target([FULL, FULL], variant, Thresholds()) == wanted


def test_no_step_up_while_a_replica_that_answers_is_not_ready():
    assert choose_target([FULL, FULL], Variant(2, 1, 2), Thresholds()) == 2


def fleet(replicas: int, kv: float, queue: float = 0.0) -> list[PodView]:
    return [
        PodView(name=f"pod-{number}", created=0.0, ready_since=0.0, metrics={KV: kv, QUEUE: queue})
        for number in range(replicas)
    ]


def follow(wva: Wva, kv: float, start: int, end: int, replicas: int) -> dict[int, int]:
    """Returns the changes by second, of a fleet whose pods start and end at once."""
    changes = {}
    for now in range(start, end):
        wanted = wva.sweep(float(now), replicas, fleet(replicas, kv))
        if wanted != replicas:
            changes[now] = replicas = wanted
    return changes


def test_its_hpa_waits_240_seconds_before_each_step():
    up = follow(Wva(minimum=1, maximum=10), 0.9, 0, 600, replicas=1)
    assert up == {240: 2, 495: 3}


def test_without_a_window_a_step_takes_one_round():
    up = follow(Wva(minimum=1, maximum=10, hpa_window_seconds=0), 0.9, 0, 70, replicas=1)
    assert up == {0: 2, 30: 3, 60: 4}


def test_ten_replicas_never_become_eleven_since_that_is_within_the_hpas_tolerance():
    wva = Wva(minimum=1, maximum=20, hpa_window_seconds=0)
    assert follow(wva, 0.9, 0, 900, replicas=10) == {}


def test_a_peak_counts_for_a_minute():
    wva = Wva(minimum=1, maximum=10, hpa_window_seconds=0)
    assert wva.sweep(0.0, 4, fleet(4, kv=0.6)) == 4
    answers = [wva.sweep(15.0, 4, fleet(4, kv=0.9))]
    answers += [wva.sweep(now, 4, fleet(4, kv=0.6)) for now in (30.0, 45.0)]
    assert answers == [4, 5, 5]
