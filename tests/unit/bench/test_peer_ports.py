"""The ports of other autoscalers answer what the real ones do, turn by turn."""

from collections import Counter

import pytest

from tests.bench.sim.peers.golden.replay_hpa import replay_hpa
from tests.bench.sim.peers.golden.replay_kpa import replay_kpa
from tests.bench.sim.peers.golden.vectors import COUNT, read_lives

REPLAYS = {"kubernetes": replay_hpa, "knative": replay_kpa}


@pytest.mark.parametrize("program", REPLAYS)
def test_every_kept_vector_of_the_real_one_is_answered_alike(program: str, record_property):
    found = Counter[str]()
    differing = []
    for life, series in enumerate(read_lives(program)):
        for turn, (real, ours) in enumerate(REPLAYS[program](series)):
            found["tried"] += 1
            if real != ours:
                differing.append(f"life {life}, turn {turn}: {real}, ours {ours}")
    record_property("vectors", found["tried"])
    print(f"{program}: {found['tried']} vectors tried, {len(differing)} differ")
    assert differing[:5] == []
    assert found["tried"] == COUNT
