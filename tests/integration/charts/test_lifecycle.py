"""Helm's whole life of a release, over every file of values: no server pod is ever restarted."""

from collections.abc import Iterator

import httpx
import pytest

from tests.integration.charts.helm import CHART, INSTALLS, SYSTEM
from tests.integration.charts.release import Release
from tests.integration.operations.fleet import Fleet, build_fleet
from tests.integration.operations.kube import Kube, Object, wait_for

SIZES = {"chat": 2, "code": 1}
Lives = dict[str, list[tuple[str, int]]]


@pytest.fixture(scope="module")
def fleets(release: Release, kube: Kube) -> Iterator[list[Fleet]]:
    sizes = {name: {"minReplicas": size, "maxReplicas": size} for name, size in SIZES.items()}
    kube.apply(*(build_fleet(name, scaling=scaling) for name, scaling in sizes.items()))
    fleets = [Fleet(kube, name) for name in SIZES]
    for fleet in fleets:
        fleet.wait_ready(SIZES[fleet.name])
    yield fleets
    kube.box.kubectl("delete", "vtd", "--all", "--all-namespaces", "--wait=false")


def lives_of(fleets: list[Fleet]) -> Lives:
    """Returns each server pod, and how often a container of it was restarted."""
    return {
        fleet.name: [(pod["metadata"]["uid"], restarts(pod)) for pod in fleet.pods()]
        for fleet in fleets
    }


def restarts(pod: Object) -> int:
    """Returns how often a container of the pod was restarted."""
    statuses = pod["status"].get("containerStatuses", []) + pod["status"].get(
        "initContainerStatuses", []
    )
    return sum(int(status["restartCount"]) for status in statuses)


@pytest.mark.parametrize("values", INSTALLS, ids=lambda path: path.stem)
def test_upgrade_rollback_uninstall_and_reinstall_restart_no_server_pod(values, fleets, release):
    before = lives_of(fleets)
    assert {name: len(pods) for name, pods in before.items()} == SIZES
    assert {count for pods in before.values() for _, count in pods} == {0}

    def look(step: str) -> None:
        for fleet in fleets:
            release.wait_sees(fleet, SIZES[fleet.name])
        assert lives_of(fleets) == before, step

    release.upgrade(values)
    look("upgrade")
    release.rollback(values)
    look("rollback")
    release.uninstall(values)
    for fleet in fleets:
        answer = fleet.begin_chat(fleet.url(), tokens=1).result()
        assert answer.status_code == httpx.codes.OK
    assert lives_of(fleets) == before
    release.install(values)
    look("reinstall")
    assert "turning" in release.test(values)


def test_an_upgrade_to_other_images_offers_them_and_restarts_no_server_pod(fleets, release):
    before = lives_of(fleets)
    release.upgrade(CHART / "ci" / "everything-values.yaml", serverImage__tag="newer")
    for fleet in fleets:
        offer = fleet.wait_condition("UpdateAvailable", "True")
        assert "vibethinker.io/server:newer" in offer["message"]
    assert lives_of(fleets) == before


def test_roles_in_its_namespaces_are_all_that_a_namespaced_operator_needs(release, fleets, kube):
    release.upgrade(CHART / "ci" / "namespaced-values.yaml")
    kube.apply(build_fleet("fresh", "more-fleets"), build_fleet("unseen", SYSTEM))
    fresh = Fleet(kube, "fresh", "more-fleets")
    fresh.wait_ready(1)
    patch = '{"spec": {"scaling": {"minReplicas": 2, "maxReplicas": 2}}}'
    kube.box.kubectl("patch", "vtd", "fresh", "-n", "more-fleets", "--type=merge", "-p", patch)
    fresh.wait_ready(2)
    release.wait_sees(fresh, 2)
    assert wait_for(lambda: fresh.events("ScaledOut"), "the Event of having grown")
    assert "failed_writes_total{" not in release.metrics()
    assert Fleet(kube, "unseen", SYSTEM).deployment() is None
