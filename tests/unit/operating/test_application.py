"""The operator's parts together: health, what is forgotten, what is closed, what kopf is told."""

import asyncio
import socket
from typing import Any

import kopf
import pytest
from kopf._cogs.structs.ephemera import AnyMemo
from kopf._core.engines.probing import health_reporter
from vibethinker_operator import handlers as kopf_handlers
from vibethinker_operator.application import Application
from vibethinker_operator.inventory import Inventory
from vibethinker_operator.loop import STUCK_AFTER_SECONDS, ReconcileLoop
from vibethinker_operator.reconcile import Reconciler
from vibethinker_operator.scrape import build_session

from tests.unit.operating.builders import (
    DEFAULTS,
    ROOT_KEY,
    UP_TO_THREE,
    Body,
    FakeCluster,
    Pods,
    Time,
    make_body,
    make_deployment,
    make_pod,
)
from tests.unit.operator_api.resource import UID

handlers: Any = kopf_handlers  # kopf passes a handler much more than it takes
RESOURCE = make_body(UP_TO_THREE)
KEY = ("team", "chat")


class Site:
    """An operator wired as in earnest, but for cluster, pods and time."""

    def __init__(self) -> None:
        self.time, self.cluster = Time(), FakeCluster(RESOURCE)
        self.resources: dict[object, list[Body]] = {UID: [RESOURCE]}
        deployments = {KEY: [make_deployment(RESOURCE)]}
        inventory = Inventory(self.resources, deployments, {KEY: [make_pod()]}, {})
        clock = self.time.clock()
        reconciler = Reconciler(
            cluster=self.cluster,
            scraper=Pods(self.time),
            clock=clock,
            images=DEFAULTS,
            root_key=ROOT_KEY,
        )
        self.session = build_session()
        self.application = Application(
            inventory=inventory,
            reconciler=reconciler,
            loop=ReconcileLoop(
                snapshots=inventory.snapshots,
                tick=reconciler.tick,
                clock=clock,
                interval_seconds=0.0,
            ),
            cluster=self.cluster,
            session=self.session,
        )
        self.memo = kopf.Memo(application=self.application)

    async def turn(self) -> None:
        """Lets the loop go round until the fleet has been ticked."""
        self.memo.loop_task = asyncio.create_task(self.application.loop.run())
        while not self.application.reconciler.views:  # noqa: ASYNC110 (no time passes here)
            await asyncio.sleep(0)


async def test_a_fleet_is_taken_up_by_its_event_ticked_by_the_loop_and_forgotten_when_deleted():
    site = Site()
    await handlers.note_resource({"type": None}, uid=UID, memo=site.memo)
    await site.turn()
    assert site.cluster.statuses[0]["readyReplicas"] == 1
    await handlers.note_resource({"type": "DELETED"}, uid=UID, memo=site.memo)
    assert site.application.inventory.snapshots() == []
    assert site.application.reconciler.views == {}
    await handlers.stop(memo=site.memo)


async def test_health_is_green_while_the_loop_turns_and_fails_once_it_stands_still():
    site = Site()
    assert await handlers.loop_is_alive(memo=site.memo) == "turning"
    site.time.now += STUCK_AFTER_SECONDS
    assert await handlers.loop_is_alive(memo=site.memo) == "turning"
    site.time.now += 1.0
    with pytest.raises(kopf.PermanentError, match="has not begun a round for too long"):
        await handlers.loop_is_alive(memo=site.memo)
    await site.application.close()


@pytest.mark.parametrize(("idle_seconds", "status"), [(0.0, 200), (STUCK_AFTER_SECONDS + 1, 500)])
async def test_the_kubelets_probe_sees_it(idle_seconds: float, status: int):
    site = Site()
    site.time.now += idle_seconds
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/healthz"
    serving = asyncio.Event()
    reporter = asyncio.create_task(
        health_reporter(
            url,
            memo=AnyMemo(site.memo),
            indices={},
            registry=handlers.REGISTRY,
            settings=kopf.OperatorSettings(),
            ready_flag=serving,
        )
    )
    await serving.wait()
    async with site.session.get(url) as answer:
        assert answer.status == status
    reporter.cancel()
    await asyncio.gather(reporter, return_exceptions=True)
    await site.application.close()


async def test_stopping_ends_the_loop_closes_every_connection_and_changes_no_fleet():
    site = Site()
    await handlers.note_resource({"type": "ADDED"}, uid=UID, memo=site.memo)
    await site.turn()
    written = list(site.cluster.calls)
    await handlers.stop(memo=site.memo)
    assert site.memo.loop_task.done()
    assert site.session.closed
    assert site.cluster.closed
    assert site.cluster.calls == written


@pytest.mark.parametrize(
    ("index", "body", "key"),
    [
        (handlers.resource_index, make_body(), UID),
        (handlers.deployment_index, make_deployment(make_body()), KEY),
        (
            handlers.pod_index,
            {
                "metadata": {
                    "name": "chat-7d4b9c-x",
                    "namespace": "team",
                    "labels": {"app.kubernetes.io/instance": "chat"},
                }
            },
            KEY,
        ),
    ],
)
def test_objects_are_kept_under_what_ties_them_together(index, body: Body, key):
    (found,) = index(body_of(body)).items()
    assert found == (key, body)


def test_what_comes_out_of_a_list_without_its_kind_gets_one():
    bare = {"metadata": make_body()["metadata"]}
    (kept,) = handlers.resource_index(body_of(bare)).values()
    assert (kept["apiVersion"], kept["kind"]) == (
        "vibethinker.io/v1alpha1",
        "VibeThinkerDeployment",
    )


def test_kopf_posts_nothing_guesses_no_rights_and_watches_only_our_children():
    settings = kopf.OperatorSettings()
    handlers.configure(settings)
    assert settings.scanning.disabled
    assert settings.peering.standalone
    assert not settings.posting.enabled
    assert set(settings.watching.label_selectors.values()) == {
        "app.kubernetes.io/managed-by=vibethinker-operator"
    }


def body_of(body: Any) -> kopf.Body:
    return kopf.Body(body)
