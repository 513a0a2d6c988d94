"""Plans carried out against a cluster that may have moved on, refuse, or not answer."""

import pytest
from vibethinker_operator.cluster import Cluster
from vibethinker_operator.drain import VICTIM_DELETION_COST
from vibethinker_operator.errors import (
    ClusterError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    UnavailableError,
)
from vibethinker_operator.execution import Execution, Outcome
from vibethinker_operator.plan import (
    Action,
    MarkPod,
    SetReplicas,
    StartDrain,
    StopDrain,
    UnmarkPod,
)

from tests.unit.deciding.builders import make_pod
from tests.unit.operating.builders import (
    START,
    FakeCluster,
    Pods,
    Time,
    failing,
    make_body,
    make_deployment,
)
from tests.unit.operating.pods import make_target

POD = make_pod("a")
GROW = SetReplicas(2, 3, "memory stayed above 75 %")
MARK, UNMARK = MarkPod(POD, START), UnmarkPod(POD)
COST = {"controller.kubernetes.io/pod-deletion-cost": str(VICTIM_DELETION_COST)}


class Site:
    """A fleet of two as it was when the plan was made, and the cluster as it is by now."""

    def __init__(self) -> None:
        self.resource = make_body()
        self.deployment = make_deployment(self.resource, 2)
        self.cluster = FakeCluster(self.resource, self.deployment)
        self.pods = Pods(Time())

    async def run(self, *actions: Action) -> Outcome:
        execution = Execution(self.cluster, self.pods, self.resource, self.deployment)
        return await execution.run(actions, {"a": make_target("http://10.0.0.1:9100")})

    async def failure(self, *actions: Action) -> ClusterError:
        outcome = await self.run(*actions)
        ((action, error),) = outcome.failed
        assert action is actions[0]
        assert outcome.done == actions[1:]
        return error


@pytest.fixture
def site() -> Site:
    return Site()


async def test_the_size_is_written_at_the_version_that_was_read_a_moment_before(site: Site):
    site.cluster.objects["Deployment", "chat"]["metadata"]["resourceVersion"] = "99"
    assert await site.run(GROW) == Outcome((GROW,), ())
    assert site.cluster.done("read") == ["", "scale"]
    assert site.cluster.done("apply_replicas") == [(3, "99")]


async def test_a_resource_edited_since_makes_the_decision_void(site: Site):
    site.cluster.objects["VibeThinkerDeployment", "chat"]["metadata"]["generation"] = 4
    error = await site.failure(GROW)
    assert isinstance(error, ConflictError)
    assert str(error) == "the resource changed since this was decided"
    assert site.cluster.done("apply_replicas") == []


async def test_a_resource_deleted_since_scales_nothing(site: Site):
    del site.cluster.objects["VibeThinkerDeployment", "chat"]
    assert isinstance(await site.failure(GROW), ConflictError)
    assert site.cluster.done("apply_replicas") == []


async def test_a_fleet_scaled_by_somebody_else_since_is_decided_on_anew(site: Site):
    site.cluster.objects["Deployment", "chat"]["spec"]["replicas"] = 5
    error = await site.failure(GROW)
    assert isinstance(error, ConflictError)
    assert str(error) == "the Deployment's replicas changed since this was decided"
    assert site.cluster.done("apply_replicas") == []


async def test_a_deployment_deleted_since_is_not_scaled(site: Site):
    del site.cluster.objects["Deployment", "chat"]
    assert isinstance(await site.failure(GROW), ConflictError)


async def test_a_scale_of_none_is_written_by_the_api_without_its_number(site: Site):
    del site.cluster.objects["Deployment", "chat"]["spec"]["replicas"]
    outcome = await site.run(SetReplicas(0, 1, "below min"))
    assert [type(action) for action in outcome.done] == [SetReplicas]


@pytest.mark.parametrize("call", ["read", "apply_replicas"])
@pytest.mark.parametrize("error", [ConflictError, ForbiddenError, UnavailableError, NotFoundError])
async def test_one_failing_action_does_not_stop_the_others(
    site: Site, call: str, error: type[ClusterError]
):
    site.cluster.fail = failing(call, error("no"))
    assert isinstance(await site.failure(GROW, MARK, StartDrain(POD)), error)
    assert site.cluster.done("annotate") != []
    assert site.pods.drains == [("mark", "a")]


async def test_the_pod_that_is_to_go_is_marked_for_both_controllers(site: Site):
    await site.run(MARK)
    assert site.cluster.done("annotate") == [
        ("vt-a", COST | {"vibethinker.io/drain-since": f"{START:.3f}"})
    ]


async def test_a_pod_that_serves_nobody_gets_a_cost_and_no_drain(site: Site):
    await site.run(MarkPod(POD, None))
    assert site.cluster.done("annotate") == [("vt-a", COST)]


async def test_unmarking_takes_both_notes_off(site: Site):
    await site.run(UNMARK)
    ((_, annotations),) = site.cluster.done("annotate")
    assert set(annotations) == {*COST, "vibethinker.io/drain-since"}
    assert set(annotations.values()) == {None}


async def test_drains_are_started_and_stopped_in_the_pod(site: Site):
    await site.run(StartDrain(POD), StopDrain(POD))
    assert site.pods.drains == [("mark", "a"), ("undo", "a")]


async def test_a_pod_whose_address_went_meanwhile_stops_no_other_action(site: Site):
    gone = make_pod("gone")
    outcome = await site.run(StartDrain(gone), MARK)
    assert outcome.done == (MARK,)
    ((action, error),) = outcome.failed
    assert action == StartDrain(gone)
    assert str(error) == "pod vt-gone has no address any more"


def test_the_fake_answers_every_call_of_the_real_cluster():
    public = {name for name in vars(Cluster) if not name.startswith("_")}
    assert public <= set(vars(FakeCluster))
