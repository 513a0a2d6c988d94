"""What is news, told once, and what is none."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from vibethinker_operator.api.status import Status
from vibethinker_operator.events import Notice
from vibethinker_operator.fleet_view import FleetView
from vibethinker_operator.notices import NewsMemory, build_notices
from vibethinker_operator.observed import Observed, ObservedPod, Termination
from vibethinker_operator.plan import Action, MarkPod, SetReplicas, StartDrain, UnmarkPod
from vibethinker_operator.scaling import Mode, ScalingPolicy
from vibethinker_operator.status import render_status

from tests.unit.deciding.builders import (
    START,
    Load,
    make_observed,
    make_pending,
    make_pod,
    make_starting,
)
from tests.unit.operating.views import decide_once, make_view, read_once

A, B, C = (make_pod(uid) for uid in "abc")
GROW = SetReplicas(1, 2, "memory stayed above 75 %")
NO_GPU = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."
REFUSED = {"refusals_per_second": 2.5}


@dataclass
class Newsroom:
    """One fleet's ticks, a second apart; what each tells."""

    memory: NewsMemory = field(default_factory=NewsMemory)
    status: Status = field(default_factory=Status)
    now: float = START

    def tick(self, view: FleetView, *done: Action) -> list[tuple[str, str]]:
        return [(notice.type, notice.reason) for notice in self.read(view, *done)]

    def read(self, view: FleetView, *done: Action) -> tuple[Notice, ...]:
        self.now += 1.0
        status = render_status(view, self.status, self.now)
        notices, self.memory = build_notices(
            view, done, before=self.status, after=status, memory=self.memory, now=self.now
        )
        self.status = status
        return notices


@pytest.fixture
def room() -> Newsroom:
    newsroom = Newsroom()
    newsroom.tick(make_view(decision=decide_once()))
    return newsroom


def loaded(**facts: Any) -> FleetView:
    observed = make_observed(A)
    signals = replace(read_once(observed), **facts)
    return make_view(observed, signals=signals, decision=decide_once())


def growing(policy: ScalingPolicy | None = None, load: Load | None = None) -> FleetView:
    return make_view(decision=decide_once(policy or ScalingPolicy(max_replicas=3), load=load))


def test_what_was_done_is_told_with_its_reason(room: Newsroom):
    (notice,) = room.read(make_view(), GROW)
    assert notice == Notice("Normal", "ScaledOut", "1 to 2 replicas: memory stayed above 75 %")
    assert room.tick(make_view(), SetReplicas(2, 1, "demand fell")) == [("Normal", "ScaledIn")]


def test_a_drain_is_told_when_it_starts_and_when_it_is_undone(room: Newsroom):
    assert room.tick(make_view(), MarkPod(A, START)) == [("Normal", "DrainStarted")]
    assert room.tick(make_view(), UnmarkPod(A)) == [("Normal", "DrainUndone")]


def test_a_mark_without_a_drain_and_calls_to_pods_are_no_news(room: Newsroom):
    assert room.tick(make_view(), MarkPod(A, None), StartDrain(A)) == []


def test_a_calm_hour_is_no_news(room: Newsroom):
    view = make_view(decision=decide_once())
    assert [notice for _ in range(3600 // 60) for notice in room.tick(view)] == []


class TestDeaths:
    def test_each_end_of_a_container_is_told_once_with_cause_and_remedy(self, room: Newsroom):
        first = make_view(make_observed(died(1.0, "OOMKilled")), decision=decide_once())
        (notice,) = room.read(first)
        assert (notice.type, notice.reason) == ("Warning", "EngineDied")
        assert "was ended by its memory limit" in notice.message
        assert "spec.resources.limits.memory" in notice.message
        assert room.tick(first) == []
        again = make_view(make_observed(died(9.0, "OOMKilled")), decision=decide_once())
        assert room.tick(again) == [("Warning", "EngineDied")]

    def test_an_end_that_nothing_explains_points_to_the_log(self, room: Newsroom):
        view = make_view(make_observed(died(1.0, "Error")), decision=decide_once())
        (notice,) = room.read(view)
        assert notice.message.endswith("kubectl logs --previous vt-a says more")

    def test_without_a_time_the_restart_tells_another_end(self, room: Newsroom):
        told = [
            room.tick(make_view(make_observed(died(None, restarts=n)), decision=decide_once()))
            for n in (1, 1, 2)
        ]
        assert told == [[("Warning", "EngineDied")], [], [("Warning", "EngineDied")]]

    def test_what_a_fresh_operator_finds_may_have_been_told(self):
        view = make_view(make_observed(died(1.0)), decision=decide_once())
        assert ("Warning", "EngineDied") not in Newsroom().tick(view)

    def test_a_pod_that_was_told_to_go_did_not_die(self, room: Newsroom):
        leaving = replace(died(1.0), terminating=True)
        view = make_view(make_observed(A, leaving), decision=decide_once())
        assert ("Warning", "EngineDied") not in room.tick(view)


def died(at: float | None, reason: str = "Error", restarts: int = 1) -> ObservedPod:
    ended = Termination(reason, 137 if reason == "OOMKilled" else 1, ended_at=at)
    return replace(A, last_termination=ended, restarts=restarts)


class TestTransitions:
    def test_a_new_fleet_on_its_way_up_is_told_once_that_it_serves(self):
        room = Newsroom()
        starting = make_view(make_observed(make_starting("a", created=START)))
        assert room.tick(make_view(None)) == []
        assert room.tick(starting) == []
        assert room.tick(make_view(decision=decide_once())) == [("Normal", "Serving")]

    def test_a_pod_that_finds_no_node_is_told_once_in_the_schedulers_words(self):
        room = Newsroom()
        room.tick(make_view(None))
        stuck = make_view(make_observed(make_pending("a", created=START, message=NO_GPU)))
        (notice,) = room.read(stuck)
        assert notice == Notice("Warning", "Unschedulable", f"pod vt-a: {NO_GPU}")
        assert room.tick(stuck) == []

    def test_another_reason_for_the_same_answer_is_news(self):
        room = Newsroom()
        pending = make_pending("a", created=START, message=NO_GPU)
        room.tick(make_view(make_observed(pending)))
        pulling = make_starting("a", created=START, waiting_reason="ErrImagePull")
        assert room.tick(make_view(make_observed(pulling))) == [("Warning", "ErrImagePull")]

    def test_a_bound_that_holds_the_fleet_back_is_told_and_so_is_its_end(self, room: Newsroom):
        room.tick(growing())
        full = growing(ScalingPolicy(max_replicas=1), Load(waiting=90))
        assert ("Warning", "TooManyReplicas") in room.tick(full)
        assert room.tick(growing()) == [("Normal", "DesiredWithinRange")]

    @pytest.mark.parametrize("mode", [Mode.MANUAL, Mode.ADVISORY])
    def test_what_the_owner_wrote_is_no_news(self, mode: Mode):
        assert Newsroom().tick(growing(ScalingPolicy(mode=mode, max_replicas=3))) == []

    def test_a_restart_does_not_tell_again_what_the_status_says(self):
        pending = make_view(make_observed(make_pending("a", created=START, message=NO_GPU)))
        before = Newsroom()
        before.tick(pending)
        assert Newsroom(status=before.status).tick(pending) == []


class TestRefusals:
    def test_refusing_is_told_once_with_its_rate_and_whether_relief_comes(self, room: Newsroom):
        (notice,) = room.read(loaded(**REFUSED))
        assert (notice.type, notice.reason) == ("Warning", "RejectingRequests")
        assert notice.message == "2.5 requests a second are refused: maxReplicas is 1"
        assert room.tick(loaded(**REFUSED)) == []

    def test_accepting_is_told_after_a_minute_without_a_refusal(self, room: Newsroom):
        room.tick(loaded(**REFUSED))
        quiet = [room.tick(loaded()) for _ in range(61)]
        assert quiet[:59] == [[]] * 59
        assert quiet[59] == [("Normal", "AcceptingRequests")]
        assert quiet[60] == []

    def test_a_pause_of_half_a_minute_is_one_spell_of_refusing(self, room: Newsroom):
        room.tick(loaded(**REFUSED))
        spell = [room.tick(loaded()) for _ in range(30)] + [room.tick(loaded(**REFUSED))]
        assert spell == [[]] * 31


class TestVictims:
    SHRINK = SetReplicas(3, 2, "demand fell", (C,))

    def shrink(self, room: Newsroom, *stages: Observed) -> list[list[tuple[str, str]]]:
        room.tick(make_view(make_observed(A, B, C)), self.SHRINK)
        return [room.tick(make_view(observed)) for observed in stages]

    def test_the_pod_that_was_to_go_goes_without_a_word(self, room: Newsroom):
        there, gone = make_observed(A, B, C, replicas=2), make_observed(A, B)
        assert self.shrink(room, there, there, gone, gone) == [[], [], [], []]

    def test_another_one_that_went_is_told_once(self, room: Newsroom):
        there, gone = make_observed(A, B, C, replicas=2), make_observed(A, C)
        told = self.shrink(room, there, gone, gone)
        assert told == [[], [("Warning", "UnexpectedVictim")], []]

    def test_a_pod_lost_long_after_the_shrink_is_no_victim_of_it(self, room: Newsroom):
        assert self.shrink(room, make_observed(A, B), make_observed(A)) == [[], []]


class TestIgnoredReplicas:
    def test_kubectl_scale_in_auto_is_answered_with_a_warning(self, room: Newsroom):
        scaled = make_view(spec={"replicas": 5}, decision=decide_once())
        assert room.tick(scaled) == [("Warning", "ReplicasIgnored")]
        assert room.tick(scaled) == []

    def test_in_manual_it_is_what_is_wanted(self, room: Newsroom):
        scaled = make_view(spec={"replicas": 5, "scaling": {"mode": "Manual"}})
        assert ("Warning", "ReplicasIgnored") not in room.tick(scaled)

    def test_what_was_written_before_the_operator_started_is_no_news(self):
        view = make_view(spec={"replicas": 5}, decision=decide_once())
        assert Newsroom().tick(view) == []
