"""Whole ticks: what is asked, decided, written and told, one second after the other."""

import pytest
from vibethinker_operator.errors import ConflictError, ForbiddenError, UnavailableError
from vibethinker_operator.keys import derive_fleet_token
from vibethinker_operator.samples import HTML, NOT_FINITE, TIMEOUT, TOO_LARGE

from tests.unit.operating.builders import ROOT_KEY, failing, make_pod
from tests.unit.operating.ticks import CALM, FULL, Story
from tests.unit.operator_api.resource import UID

GROWN = (2, "70")
INVALID = {"engine": {"device": "CPU"}}


async def test_a_new_fleet_is_made_starts_and_serves():
    story = Story(deployed=False)
    await story.tick()
    assert [kind for kind, _ in story.cluster.done("apply")][-1] == "Deployment"
    assert story.condition("Ready") == ("False", "Creating")
    story.pods = [make_pod(ready=False)]
    await story.tick(10)
    assert story.condition("Ready") == ("False", "Starting")
    assert story.cluster.told == []
    story.pods, story.scraper.readings["a"] = [make_pod()], CALM
    await story.tick(10)
    assert story.condition("Ready") == ("True", "Serving")
    assert story.cluster.told == ["Serving", "MetricsKnown"]
    assert story.status["url"] == "http://chat.team.svc:8000/v1"


async def test_every_sweep_tells_the_pods_policy_and_lease_with_the_fleets_own_token():
    story = Story()
    await story.tick()
    (target,) = story.scraper.asked
    assert target.url == "http://10.0.0.7:9100"
    assert target.token == derive_fleet_token(ROOT_KEY, UID)
    assert target.message["policy"]["generation"] == 3
    assert target.message["lease"]["growth"] == "CanGrow"


async def test_memory_that_stays_above_its_line_grows_the_fleet_and_says_why():
    story = Story()
    await story.tick(5)
    story.answer(**FULL)
    await story.tick(10)
    assert story.cluster.done("apply_replicas") == []
    await story.tick()
    assert story.cluster.done("apply_replicas") == [GROWN]
    assert story.cluster.told == ["ScaledOut"]
    await story.tick(10)
    assert story.cluster.done("apply_replicas") == [GROWN]
    assert story.status["decision"]["rule"] in {"Memory", "Hold"}
    assert story.status["desiredReplicas"] == 2
    (view,) = story.reconciler.views.values()
    assert (view.scaled.outward, view.scaled.inward, view.scaled.reversals) == (1, 0, 0)


async def test_the_lease_says_what_the_last_decision_found():
    unplaced = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}
    pending = make_pod("b", ready=False, conditions=[unplaced], podIP=None) | {"spec": {}}
    story = Story(None, make_pod("a"), pending)
    await story.tick()
    assert story.scraper.asked[0].message["lease"]["growth"] == "CanGrow"  # below maxReplicas
    await story.tick()
    assert story.scraper.asked[0].message["lease"]["growth"] == "CannotGrow"


async def test_at_its_ceiling_the_pods_are_told_that_no_relief_comes():
    story = Story({})
    story.answer(**FULL)
    await story.tick(13)
    assert story.scraper.asked[0].message["lease"]["growth"] == "CannotGrow"
    assert story.cluster.done("apply_replicas") == []
    assert story.condition("ScalingLimited") == ("True", "TooManyReplicas")


@pytest.mark.parametrize("reason", [TIMEOUT, NOT_FINITE, HTML, TOO_LARGE])
async def test_a_refused_reading_is_counted_by_reason_and_is_never_a_number(reason: str):
    story = Story()
    story.scraper.readings.clear()
    story.scraper.refused_as = reason
    await story.tick(20)
    assert story.reconciler.refused_samples == {reason: 20}
    assert story.status["memory"] == {"knownPods": 0}
    assert "requestQueueLength" not in story.status
    assert story.condition("ScalingActive") == ("False", "MetricsUnavailable")
    assert story.cluster.done("apply_replicas") == []


class TestInvalidSpec:
    async def test_it_is_said_in_conditions_and_the_fleet_is_left_as_it_is(self):
        story = Story()
        await story.tick()
        before = story.status
        story.cluster.calls.clear()
        story.edit(INVALID)
        await story.tick(12)
        assert {call for call, _ in story.cluster.calls} == {"apply_status", "create"}
        assert story.cluster.told[-1] == "InvalidSpec"
        assert story.condition("Ready") == ("False", "InvalidSpec")
        assert story.condition("Stalled") == ("True", "InvalidSpec")
        assert "spec.engine.image is required" in str(story.status["conditions"])
        assert story.status["observedGeneration"] == 4
        assert story.status["replicas"] == before["replicas"]

    async def test_its_metrics_keep_the_conditions_and_nothing_that_would_stand_still(self):
        story = Story()
        await story.tick()
        assert story.reconciler.views
        story.edit(INVALID)
        await story.tick()
        assert story.reconciler.views == {}
        ((key, conditions),) = story.reconciler.conditions.values()
        assert key == ("team", "chat")
        assert ("Ready", "InvalidSpec") in {(c.type, c.reason) for c in conditions}

    async def test_once_corrected_everything_goes_on(self):
        story = Story(INVALID)
        await story.tick()
        assert story.condition("Ready") == ("False", "InvalidSpec")
        story.edit({})
        await story.tick(10)
        assert story.condition("Ready") == ("True", "Serving")
        assert "Stalled" not in {each["type"] for each in story.status["conditions"]}

    async def test_it_is_written_and_told_once(self):
        story = Story(INVALID)
        await story.tick(60)
        assert len(story.cluster.statuses) == 1
        assert story.cluster.told == ["InvalidSpec"]


class TestFailingWrites:
    async def test_a_failing_status_write_does_not_undo_the_decision(self):
        story = Story()
        story.answer(**FULL)
        story.cluster.fail = failing("apply_status", UnavailableError("no answer"))
        for _ in range(11):
            with pytest.raises(UnavailableError):
                await story.tick()
        assert story.cluster.done("apply_replicas") == [GROWN]
        assert story.cluster.told == ["ScaledOut"]  # told once, though the status never was
        story.cluster.fail = lambda _call, _manifest: None
        await story.tick()
        assert story.status["desiredReplicas"] == 2

    @pytest.mark.parametrize("error", [ConflictError("409"), UnavailableError("503")])
    async def test_a_size_that_was_not_written_is_decided_on_again(self, error):
        story = Story()
        story.answer(**FULL)
        story.cluster.fail = failing("apply_replicas", error)
        await story.tick(13)
        assert story.cluster.done("apply_replicas") == []
        assert story.reconciler.failed_writes["SetReplicas"] == 3
        assert story.cluster.told == []
        story.cluster.fail = lambda _call, _manifest: None
        await story.tick()
        assert story.cluster.done("apply_replicas") == [GROWN]

    async def test_a_refused_child_is_said_and_scaling_goes_on(self):
        story = Story()
        story.answer(**FULL)
        refused = ForbiddenError("exceeded quota: services")
        story.cluster.fail = failing("apply", refused, "Service")
        await story.tick(11)
        assert story.condition("Progressing") == ("False", "WriteForbidden")
        assert story.reconciler.failed_writes["children"] == 11
        assert story.cluster.done("apply_replicas") == [GROWN]

    async def test_a_fleet_that_cannot_be_made_says_what_stands_in_the_way(self):
        story = Story(deployed=False)
        story.cluster.fail = failing("apply", ForbiddenError("exceeded quota"), "Deployment")
        await story.tick()
        assert story.condition("Ready") == ("False", "WriteForbidden")
        assert story.scraper.asked == []


async def test_a_pod_that_ended_in_a_runtimes_odd_word_does_not_stop_the_tick():
    ended = {"terminated": {"reason": "seccomp killed", "exitCode": 159}}
    broken = make_pod("b", ready=False, containerStatuses=[{"restartCount": 3, "lastState": ended}])
    story = Story(None, make_pod(), broken)
    await story.tick()
    assert story.condition("Progressing") == ("False", "SeccompKilled")


async def test_the_status_is_written_every_ten_seconds_at_most():
    story = Story()
    for second in range(60):
        story.answer(queue_length=float(second % 3))
        await story.tick()
    assert len(story.cluster.statuses) == 6


async def test_a_fleet_that_is_forgotten_leaves_nothing_and_comes_back_as_new():
    story = Story()
    await story.tick()
    story.reconciler.forget(UID)
    story.reconciler.forget(UID)
    assert story.reconciler.views == {}
    story.cluster.calls.clear()
    await story.tick()
    assert story.cluster.done("create") == ["Secret"]
