"""What people are told, and what happens when telling fails."""

import pytest
from vibethinker_operator.api.status import Status
from vibethinker_operator.errors import (
    ClusterError,
    ForbiddenError,
    NotFoundError,
    UnavailableError,
)
from vibethinker_operator.events import Notice
from vibethinker_operator.telling import Told, tell

from tests.unit.operating.builders import START, FakeCluster, failing, make_body

BODY = make_body()
OLD, NEW = Status(replicas=1), Status(replicas=2, ready_replicas=1)
NOTICES = (Notice("Normal", "ScaledOut", "1 to 2"), Notice("Warning", "TooManyReplicas", "4"))


async def tell_at(
    cluster: FakeCluster, told: Told, now: float = START, status: Status = NEW, notices=()
) -> Told:
    return await tell(cluster, BODY, told, status=status, notices=notices, now=now)


async def test_news_is_posted_and_the_status_written_as_yaml_spells_it():
    cluster = FakeCluster()
    told = await tell_at(cluster, Told(OLD, OLD), notices=NOTICES)
    assert cluster.told == ["ScaledOut", "TooManyReplicas"]
    assert cluster.statuses == [{"replicas": 2, "readyReplicas": 1}]
    assert told == Told(NEW, NEW, START)


async def test_a_status_that_says_nothing_new_is_not_written():
    cluster = FakeCluster()
    assert await tell_at(cluster, Told(NEW, NEW, START - 99)) == Told(NEW, NEW, START - 99)
    assert cluster.statuses == []


async def test_news_too_soon_after_the_last_write_waits_but_events_do_not():
    cluster = FakeCluster()
    told = await tell_at(cluster, Told(OLD, OLD, START - 3), notices=NOTICES)
    assert (cluster.statuses, len(cluster.events)) == ([], 2)
    assert told == Told(NEW, OLD, START - 3)
    told = await tell_at(cluster, told, START + 7)
    assert len(cluster.statuses) == 1
    assert told == Told(NEW, NEW, START + 7)


@pytest.mark.parametrize("error", [ForbiddenError, UnavailableError, ClusterError])
async def test_an_event_that_is_not_taken_holds_up_nothing(error: type[ClusterError], caplog):
    cluster = FakeCluster()
    cluster.fail = failing("create", error("no"))
    told = await tell_at(cluster, Told(OLD, OLD), notices=NOTICES)
    assert told.stored == NEW
    assert caplog.text.count("the Event was not posted") == 2


async def test_a_status_that_is_not_taken_is_tried_again():
    cluster = FakeCluster()
    cluster.fail = failing("apply_status", UnavailableError("no answer"))
    with pytest.raises(UnavailableError):
        await tell_at(cluster, Told(OLD, OLD))
    assert cluster.statuses == []


async def test_a_resource_deleted_a_moment_ago_is_told_nothing_more():
    cluster = FakeCluster()
    cluster.fail = failing("apply_status", NotFoundError("gone"))
    told = await tell_at(cluster, Told(OLD, OLD))
    assert told == Told(NEW, OLD, START)


async def test_what_is_told_is_in_the_log_by_fleet(caplog):
    caplog.set_level("INFO")
    await tell_at(FakeCluster(), Told(OLD, OLD), notices=NOTICES[:1])
    (record,) = caplog.records
    assert record.getMessage() == "ScaledOut: 1 to 2"
    assert record.fields == {"namespace": "team", "fleet": "chat"}
