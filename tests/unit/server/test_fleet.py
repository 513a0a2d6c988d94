import pytest
from vibethinker_server.fleet import ALONE, Fleet, Verdict
from vibethinker_server.policy import Growth

from tests.support.server_runtime import make_lease, make_policy


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(make_policy(generation=1))


def test_a_pod_without_a_lease_is_alone(fleet: Fleet):
    assert fleet.verdict(now=0.0) == ALONE
    assert ALONE.growth is Growth.CANNOT_GROW


def test_a_lease_holds_until_it_expires_and_then_the_pod_is_alone(fleet: Fleet):
    fleet.accept(make_policy(generation=2), make_lease(move_connections=True), now=100.0)
    assert fleet.policy.generation == 2
    assert fleet.verdict(now=109.9) == Verdict(Growth.CAN_GROW, None, move_connections=True)
    assert fleet.verdict(now=110.0) == ALONE
    assert fleet.policy.generation == 2  # the policy outlives the lease


def test_a_sweep_without_a_policy_keeps_the_one_before(fleet: Fleet):
    fleet.accept(None, make_lease(), now=100.0)
    assert fleet.policy.generation == 1
    assert fleet.verdict(now=100.0).growth is Growth.CAN_GROW


def test_relief_comes_nearer_as_time_passes_and_never_below_now(fleet: Fleet):
    fleet.accept(make_policy(), make_lease(relief_seconds=5.0), now=100.0)
    assert [fleet.verdict(now).relief_seconds for now in (100.0, 103.0, 108.0)] == [5.0, 2.0, 0.0]


def test_a_clock_that_goes_back_does_not_lengthen_a_lease(fleet: Fleet):
    fleet.accept(make_policy(), make_lease(), now=100.0)
    assert fleet.verdict(now=99.0) == ALONE


def test_a_drain_keeps_its_beginning_however_often_it_is_marked(fleet: Fleet):
    fleet.mark_drain(10.0)
    fleet.mark_drain(15.0)
    assert fleet.draining_seconds(22.0) == 12.0


def test_a_drain_is_undone_and_a_new_one_begins_anew(fleet: Fleet):
    fleet.mark_drain(10.0)
    assert fleet.undo_drain()
    assert fleet.draining_seconds(20.0) is None
    fleet.mark_drain(30.0)
    assert fleet.draining_seconds(31.0) == 1.0


def test_undoing_no_drain_is_no_error(fleet: Fleet):
    assert fleet.undo_drain()


@pytest.mark.parametrize("marked_before", [True, False])
@pytest.mark.parametrize("marked_after", [True, False])
def test_a_drain_that_a_signal_began_is_final(
    fleet: Fleet, marked_before: bool, marked_after: bool
):
    if marked_before:
        fleet.mark_drain(10.0)
    fleet.mark_drain(12.0, by_signal=True)
    if marked_after:
        fleet.mark_drain(14.0)
    assert not fleet.undo_drain()
    assert fleet.draining_seconds(20.0) == (10.0 if marked_before else 8.0)
