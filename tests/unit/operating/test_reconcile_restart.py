"""What survives the end of the process, and a drain from its mark to the smaller fleet."""

from typing import Any

import pytest

from tests.unit.operating.builders import START, make_pod
from tests.unit.operating.ticks import FULL, Story

GROWN = (2, "70")
SMALLER = {"replicas": 1, "scaling": {"mode": "Manual"}}


async def streak_of(seconds: int) -> Story:
    """A fleet whose memory has been above its line for so long, as its status says."""
    story = Story()
    story.answer(**FULL)
    await story.tick(seconds)
    return story


async def test_a_streak_goes_on_after_a_restart():
    story = await streak_of(7)
    assert story.status["streak"]["signal"] == "Memory"
    story.restart(seconds=20)
    await story.tick(3)
    assert story.cluster.done("apply_replicas") == []
    await story.tick(3)  # 5 s were in the status, and 6 s more are 10 s and the sweep that began it
    assert story.cluster.done("apply_replicas") == [GROWN]


@pytest.mark.parametrize("lost", ["status", "time"])
async def test_without_a_status_or_after_too_long_it_begins_anew(lost: str):
    story = await streak_of(7)
    if lost == "status":
        story.cluster.statuses.clear()
    story.restart(seconds=20 if lost == "status" else 120)
    await story.tick(10)
    assert story.cluster.done("apply_replicas") == []
    await story.tick()
    assert story.cluster.done("apply_replicas") == [GROWN]


async def test_a_restart_tells_nothing_again_and_rolls_nothing():
    story = Story()
    await story.tick(20)
    before = story.cluster.objects["Deployment", "chat"]
    story.restart()
    story.cluster.statuses.clear()
    await story.tick(20)
    assert story.cluster.told == []
    assert story.cluster.statuses == []  # nothing changed, not even a time
    assert story.cluster.objects["Deployment", "chat"] == before


class Drain(Story):
    """Two replicas of which one is to go."""

    def __init__(self) -> None:
        super().__init__(SMALLER, make_pod("a"), make_pod("b"))
        self.scraper.readings["a"] = self.scraper.readings["a"] | {"in_flight": 5.0}
        self.scraper.readings["b"] = self.scraper.readings["b"] | {"in_flight": 2.0}

    def follow(self) -> None:
        """The annotations are on the pod, and it does what it was told."""
        for name, annotations in self.cluster.done("annotate"):
            (pod,) = (pod for pod in self.pods if pod["metadata"]["name"] == name)
            kept: dict[str, Any] = pod["metadata"]["annotations"] | annotations
            told = {key: value for key, value in kept.items() if value is not None}
            pod["metadata"]["annotations"] = told
        for call, uid in self.scraper.drains:
            self.scraper.readings[uid] = self.scraper.readings[uid] | {"draining": call == "mark"}


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_drain_ends_what_runs_and_then_the_fleet_shrinks(restarts: bool):
    story = Drain()
    await story.tick()
    ((name, annotations),) = story.cluster.done("annotate")
    assert name == "chat-b"
    assert annotations["vibethinker.io/drain-since"] == f"{START + 1:.3f}"
    story.follow()
    await story.tick()
    assert story.scraper.drains == [("mark", "b")]
    story.follow()
    await story.tick(20)
    assert story.cluster.done("apply_replicas") == []  # two are still in flight
    if restarts:
        story.restart(seconds=5)
    story.scraper.readings["b"] |= {"in_flight": 0.0}
    await story.tick()
    assert story.cluster.done("apply_replicas") == [(1, "70")]
    assert story.cluster.told == ["DrainStarted", "ScaledIn"]
    assert len(story.cluster.done("annotate")) == 1
    assert story.scraper.drains == [("mark", "b")]


async def test_a_drain_is_undone_when_the_pod_is_wanted_again():
    story = Drain()
    await story.tick()
    story.follow()
    await story.tick()
    story.follow()
    story.edit(SMALLER | {"replicas": 2})
    await story.tick()
    _, (name, annotations) = story.cluster.done("annotate")
    assert name == "chat-b"
    assert set(annotations.values()) == {None}
    story.follow()
    await story.tick()
    assert story.scraper.drains == [("mark", "b"), ("undo", "b")]
    assert story.cluster.told == ["DrainStarted", "DrainUndone"]
    assert story.cluster.done("apply_replicas") == []
