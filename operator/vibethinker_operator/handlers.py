"""Kopf's part: watches in, indexes filled, the loop started and probed. Nothing is decided here."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

import kopf

from vibethinker_operator import names
from vibethinker_operator.application import Application
from vibethinker_operator.errors import ClusterError
from vibethinker_operator.inventory import Inventory, Key, key_of

Body = dict[str, Any]

OURS = {names.LABEL_MANAGED_BY: names.OPERATOR_NAME}
OURS_SELECTOR = f"{names.LABEL_MANAGED_BY}={names.OPERATOR_NAME}"
START_AGAIN_SECONDS = 5.0


@kopf.index(names.GROUP, names.VERSION, names.PLURAL)
def resource_index(body: kopf.Body, **_: Any) -> Mapping[str, Body]:
    """Keeps every resource under its uid."""
    return {str(body["metadata"]["uid"]): _with_kind(body, names.API_VERSION, names.KIND)}


@kopf.index("apps", "v1", "deployments", labels=OURS)
def deployment_index(body: kopf.Body, **_: Any) -> Mapping[Key, Body]:
    """Keeps every Deployment of ours under its namespace and name."""
    return {key_of(body): _with_kind(body, "apps/v1", "Deployment")}


@kopf.index("", "v1", "pods", labels=OURS)
def pod_index(body: kopf.Body, **_: Any) -> Mapping[Key, Body]:
    """Keeps every pod of ours under the namespace and name of its resource."""
    return {_fleet_of(body): dict(body)}


@kopf.index("batch", "v1", "jobs", labels=OURS)
def job_index(body: kopf.Body, **_: Any) -> Mapping[Key, Body]:
    """Keeps every Job of ours under the namespace and name of its resource."""
    return {_fleet_of(body): dict(body)}


@kopf.on.event(names.GROUP, names.VERSION, names.PLURAL)
async def note_resource(event: Mapping[str, Any], uid: str, memo: kopf.Memo, **_: Any) -> None:
    """Tells the inventory that a resource came or went; the loop does the rest."""
    application: Application = memo.application
    if event["type"] == "DELETED":
        application.forget(uid)
    else:
        application.inventory.take_up(uid)


@kopf.on.startup()
async def start(
    settings: kopf.OperatorSettings,
    memo: kopf.Memo,
    **indexes: Any,
) -> None:
    """Sets kopf up and starts the loop.

    Raises:
        kopf.TemporaryError: the cluster is not ready for the operator; kopf logs it and asks again.
    """
    configure(settings)
    inventory = Inventory(
        indexes["resource_index"],
        indexes["deployment_index"],
        indexes["pod_index"],
        indexes["job_index"],
    )
    try:
        memo.application = await Application.create(memo.operator_settings, inventory)
    except ClusterError as error:
        raise kopf.TemporaryError(str(error), delay=START_AGAIN_SECONDS) from error
    memo.loop_task = asyncio.create_task(memo.application.loop.run())


@kopf.on.cleanup()
async def stop(memo: kopf.Memo, **_: Any) -> None:
    """Ends the loop and closes its connections; the fleets stay as they are."""
    memo.loop_task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await memo.loop_task
    await memo.application.close()


@kopf.on.probe(errors=kopf.ErrorsMode.PERMANENT)
async def loop_is_alive(memo: kopf.Memo, **_: Any) -> str:
    """Fails the liveness probe while the loop stands still."""
    application: Application = memo.application
    if application.loop.is_stuck():
        raise kopf.PermanentError("the reconcile loop has not begun a round for too long")
    return "turning"


def configure(settings: kopf.OperatorSettings) -> None:
    """Sets what kopf's defaults would do otherwise: post logs, hide a dead API, guess rights."""
    settings.scanning.disabled = True
    settings.peering.standalone = True
    settings.posting.enabled = False
    settings.watching.connect_timeout = 10
    settings.watching.client_timeout = 900
    settings.watching.reconnect_backoff = 1.0
    settings.watching.chunk_size = 500
    settings.watching.label_selectors["apps", "v1", "deployments"] = OURS_SELECTOR
    settings.watching.label_selectors["", "v1", "pods"] = OURS_SELECTOR
    settings.watching.label_selectors["batch", "v1", "jobs"] = OURS_SELECTOR
    settings.networking.request_timeout = 10
    settings.networking.connect_timeout = 5
    # Five minutes of trying, then exit and be restarted by the kubelet with a fresh mind.
    settings.networking.error_backoffs = (1, 1, 2, 3) + (5,) * 60
    settings.queueing.error_delays = (1, 1, 2, 3, 5, 8, 13, 21, 34, 55)
    settings.process.ultimate_exiting_timeout = 20


def _fleet_of(body: kopf.Body) -> Key:
    metadata = body["metadata"]
    instance = metadata.get("labels", {}).get(names.LABEL_INSTANCE, "")
    return str(metadata["namespace"]), str(instance)


def _with_kind(body: kopf.Body, api_version: str, kind: str) -> Body:
    # Objects out of a list carry neither, and paths need both.
    return {**body, "apiVersion": api_version, "kind": kind}


REGISTRY = kopf.get_default_registry()
"""What the decorators above have filled, for whoever runs it."""
