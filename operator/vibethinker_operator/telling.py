"""Tells people about a fleet: status and Events, each only when it says something new. I/O."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from vibethinker_operator.api.status import Status
from vibethinker_operator.cluster import Body, Cluster
from vibethinker_operator.errors import ClusterError, NotFoundError
from vibethinker_operator.events import Notice, build_event
from vibethinker_operator.status import is_write_due

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Told:
    """What people were told last.

    Attributes:
        status: The status as it was last rendered: what stays keeps its times.
        stored: The status as it was last written, or found at the start.
        stored_at: When it was last written, in unix seconds; None before the first write.
    """

    status: Status
    stored: Status
    stored_at: float | None = None


async def tell(
    cluster: Cluster,
    body: Body,
    told: Told,
    *,
    status: Status,
    notices: Iterable[Notice] = (),
    now: float,
) -> Told:
    """Posts the notices, writes the status where that is due, and returns what is told now.

    Raises:
        ClusterError: the status was not written; the next tick tries again.
    """
    for notice in notices:
        await _post(cluster, body, notice, now)
    if not is_write_due(status, told.stored, told.stored_at, now):
        return Told(status, told.stored, told.stored_at)
    try:
        await cluster.apply_status(body, status.model_dump(mode="json", exclude_none=True))
    except NotFoundError:
        # Deleted a moment ago: there is nobody left to tell.
        return Told(status, told.stored, now)
    return Told(status, status, now)


async def _post(cluster: Cluster, body: Body, notice: Notice, now: float) -> None:
    metadata = body["metadata"]
    fleet = {"namespace": metadata["namespace"], "fleet": metadata["name"]}
    logger.info("%s: %s", notice.reason, notice.message, extra={"fields": fleet})
    try:
        await cluster.create(build_event(body, notice, now))
    except ClusterError as error:
        # An Event is news, not state: it is in the log, and nothing waits for it.
        logger.warning("the Event was not posted: %s", error, extra={"fields": fleet})
